"""The sandbox's page in a real browser: its process is started as by hand, and a Chromium is driven over it.

`chromium`: a browser, and pages that keep what went wrong in them. `served`: the process. `channel`: what people do on
the page. `test_page` plays a story and looks at it; `pictures` makes the ones of the documents.
"""
