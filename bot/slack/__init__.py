"""Slack, in three parts.

Hearing: `bolt` builds the app, `signature` lets only Slack in, `listeners` keep and acknowledge, `payloads` reads raw
dicts, `forms` are the modals, `socket_mode` the way in without a public address.

Calling: `web_api` is how every call is made, `chat` and `directory` are the ports, `channels`, `groups` and
`group_mentions` know names and ids.

Telling: `narrator` turns a run's changes into messages; `release_message` (with `release_lines`, `ballot_lines`,
`endings`), `thread_messages` and `messages` are the texts, `wording`, `mrkdwn` and `blocks` what they are made of.
"""
