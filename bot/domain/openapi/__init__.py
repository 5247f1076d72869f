"""Two versions of an API's OpenAPI document: what of the older one a client can no longer count on.

`document` reads, `schemas` compares what is sent and answered, `operations` compares what can be asked, and `breaks`
holds what is found. Pure. There is no library for Python that does this; the rules are those that oasdiff
(github.com/oasdiff/oasdiff, docs/BREAKING-CHANGES.md) checks, for the parts of OpenAPI 3.0 and 3.1 that matter here.
"""
