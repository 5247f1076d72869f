"""What Slack makes of a line that somebody types in its client: mentions become ids, signs become entities."""

import re
from collections.abc import Mapping

_MADE = re.compile(r"<[@#!][A-Za-z0-9^|_.-]+>")
_NAMED = re.compile(r"(?<![\w@/.])@([a-z][a-z0-9._-]*[a-z0-9])")
_LINK = re.compile(r"https?://[^\s<>|]+")


def as_sent(text: str, *, mentions: Mapping[str, str]) -> str:
    """The text as a message holds it. `mentions`: what a name without its `@` is replaced by; others stay words.

    Mentions that are written in Slack's own way already (`<@U0SLUICE>`) are left alone.
    """
    parts, end = [], 0
    for made in _MADE.finditer(text):
        parts += [_typed(text[end : made.start()], mentions), made.group()]
        end = made.end()
    return "".join([*parts, _typed(text[end:], mentions)])


def _typed(text: str, mentions: Mapping[str, str]) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _LINK.sub(lambda found: f"<{found.group()}>", text)
    return _NAMED.sub(lambda found: mentions.get(found.group(1), found.group()), text)
