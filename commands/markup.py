"""What Slack and keyboards do to a typed line, undone: link markup, entities, mentions, smart quotes, long dashes.

What Slack did is undone once, where its payload is read: what is left then was typed, angle brackets too. Every pattern
takes time in proportion to the line, as it is read before the acknowledgement.
"""

import re
import unicodedata

MARKUP = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
LEADING_MENTIONS = re.compile(r"^(?:\s*<@[UW][A-Z0-9]+(?:\|[^<>]*)?>)+")
APOSTROPHE = re.compile(r"(?<=\w)['‘’‛](?=\w)")
LONG_DASH = re.compile(r"(?<!\S)[–—](?=\w)")

QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "‚": "'", "‛": "'"})
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
KEPT_APOSTROPHE = "\u2019"
"""An apostrophe inside a word is no quote; as this character the splitting into words leaves it alone."""


def as_typed(text: str) -> str:
    """The line that Slack sent as its author typed it, on one line, without a mention (of the bot) at its beginning.
    Not to be done twice. Never raises."""
    text = LEADING_MENTIONS.sub("", text)
    text = MARKUP.sub(_written, text)
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    return as_keyed(text)


def as_keyed(text: str) -> str:
    """A line with what keyboards and clipboards put into it undone, on one line. Safe to repeat. Never raises."""
    text = "".join(_plain(character) for character in text)
    text = APOSTROPHE.sub(KEPT_APOSTROPHE, text)
    text = re.sub(r"(?<!\w)’|’(?!\w)", "'", text.translate(QUOTES))
    return LONG_DASH.sub("--", text).strip()


def as_written(text: str) -> str:
    """A line that one of our own forms or buttons made, on one line: its quotes and dashes are meant. Never raises."""
    return "".join(_visible(character) for character in text).strip()


def _written(markup: re.Match[str]) -> str:
    """What stood there before Slack made a link or a mention of it."""
    target, label = markup.group(1), markup.group(2)
    if label:
        mark = target[:1] if target[:1] in ("@", "#") else ""
        return label if label.startswith(mark) else f"{mark}{label}"
    return f"@{target[1:]}" if target.startswith("!") else target


def _plain(character: str) -> str:
    """Spaces of every kind as a space; backticks and what cannot be seen as nothing."""
    return "" if character == "`" else _visible(character)


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") else character
