"""Small pieces of text for people: safe in mrkdwn, and readable in a terminal."""

import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain.ids import TERMINAL, UserId, at_terminal
from bot.domain.image import short
from bot.domain.target import Target
from runbooks.durations import roughly

LONGEST_REPLY = 2900
"""A section of a message holds 3,000 characters."""

OWN_SLASH_COMMANDS = frozenset({"deploy", "canary", "promote", "rollback"})
"""Verbs with a slash command of their own; all others are words of `/release`."""

MENTION = re.compile(r"&lt;(@[UW][A-Z0-9]+)&gt;")
AT_TERMINAL = re.compile(rf"&lt;@{TERMINAL}:([^&\s]{{1,80}})&gt;")
EMOJI = re.compile(r":(?=[\w+'-]+:)")
EMPHASIS = str.maketrans({"*": "∗", "~": "∼", "`": "'"})
EDGE_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")


def safe(text: str) -> str:
    """Text from elsewhere that cannot become a link, a mention of a group or a markup; single people stay mentioned,
    those at a terminal by their plain name."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return AT_TERMINAL.sub(r"\1", MENTION.sub(r"<\1>", escaped))


def tame(reason: str) -> str:
    """What a person gave as a reason, on one line, with look-alikes for what Slack takes for bold, struck out, code or
    an emoji: beside our own lines nobody can forge another one, such as a gate that passed."""
    text = EMOJI.sub("∶", " ".join(reason.split()).translate(EMPHASIS))
    return EDGE_UNDERSCORE.sub("ˍ", text)


def code(text: str) -> str:
    """A reference or something to type, in backticks."""
    inner = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
    return f"`{inner}`"


def slash_line(line: str) -> str:
    """A line as it is typed in Slack, each way of writing it: `abort api-prod-42` is `/release abort api-prod-42`."""
    ways = line.split(" | ")
    return " | ".join(f"/{way}" if way.split(" ", 1)[0] in OWN_SLASH_COMMANDS else f"/release {way}" for way in ways)


def typed(line: str) -> str:
    """The same, to be copied from a message."""
    return code(slash_line(line))


def person(user: UserId | None) -> str:
    """Somebody, as Slack shows them; `None` is Sluice itself."""
    if user is None:
        return "Sluice"
    return safe(user.partition(":")[2]) if at_terminal(user) else f"<@{user}>"


def people(users: Sequence[UserId]) -> str:
    """Several people."""
    return ", ".join(person(user) for user in users)


def target(named: Target) -> str:
    """A service in an environment."""
    return f"*{named.service}* in *{named.environment}*"


def shown(ref: str) -> str:
    """A reference as people recognise it: a digest in its short form."""
    return f"sha256:{short(ref)}" if ref.startswith("sha256:") else ref


def version(ref: str) -> str:
    """The same, in backticks."""
    return code(shown(ref))


def clock_time(at: datetime, now: datetime) -> str:
    """A time in UTC, with its day unless that is today."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in the two largest units."""
    return f"{roughly(now - at)} ago"


def clipped(lines: Sequence[str], *, more: str) -> str:
    """As many lines as a reply holds; `more` says how to see the rest."""
    kept: list[str] = []
    left = LONGEST_REPLY - len(more) - 40
    for line in lines:
        if len(line) + 1 > left:
            return "\n".join([*kept, f"… and {len(lines) - len(kept)} lines more. {more}"])
        kept.append(line)
        left -= len(line) + 1
    return "\n".join(kept)
