"""Chats: Slack text in, Slack messages out, on virtual time, through the whole bot over fakes."""
