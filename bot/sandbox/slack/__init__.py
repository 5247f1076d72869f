"""A Slack workspace in memory, over loopback HTTP: for the sandbox, and for a contract suite.

stand_in      the whole, put together: start here
acme          the one table of people, channels, groups, and how the app is installed

workspace     channels, messages, reactions: what is there, and what happens
records       what is kept
journal       what changed, by number, for pages
people        what people do, and what they are shown for it (shown)
admins        what those do who look after the workspace

web_api       the routes; method, arguments, paging, limits, fault: how a call is read and refused
*_methods     chat, conversations, reactions, people, views, files
block_kit     what Slack takes as blocks and modals, by the rules of schema
numbering     (and rendering, markup) how it keeps and shows what it took
files, modals, triggers (what opens a modal, and response_url), answers (what comes through it)

events        what is told to the app; interactions: commands, clicks, forms (filling); payloads: in Slack's words
delivery      signed requests, three seconds, and events that are sent again
"""
