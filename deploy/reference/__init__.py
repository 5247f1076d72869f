"""The two reference pages of the documentation, written from the code, so that they cannot say anything else.

`python -m deploy.reference` (or `make docs`) writes docs/reference-commands.md and docs/reference-configuration.md.
`wording` says types and meanings in plain words, `tables` walks the models, `commands` and `configuration` write a page
each, `pages` lists them.
"""
