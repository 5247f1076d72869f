"""The two reference pages of the documentation and the Role, written from the code, so that they cannot say anything
else.

`python -m deploy.reference` (or `make docs`) writes docs/reference-commands.md, docs/reference-configuration.md and
deploy/kubernetes-role.yaml.
`wording` says types and meanings in plain words, `tables` walks the models, `commands` and `configuration` write a page
each, `pages` lists them.
"""
