"""Slack's mrkdwn: what came from outside is escaped and cut visibly; people are mentioned on purpose only.

Lengths are counted in UTF-16 units, the widest count that Slack's limits can mean.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")
HANDLE = re.compile(r"[\w.-]{1,80}")
QUOTED_LIMIT = 600
"""How much of one quoted text (a reason, a figure, an error) a message shows."""

_NAMED = re.compile(r"&lt;@([^&\s]{1,80})&gt;")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_BROKEN_END = re.compile(r"(&[a-z]{0,4}|<[^<>]*)$")
_NOTE_ROOM = 40
_FENCE = "```"
_SKIN_TONE = re.compile(r"::skin-tone-\d$")
_SYMBOLS = {
    "white_check_mark": "✓",
    "x": "✗",
    "hourglass_flowing_sand": "…",
    "white_circle": "○",
    "warning": "!",
    "ballot_box_with_ballot": "☑",
    "leftwards_arrow_with_hook": "↩",
    "double_vertical_bar": "‖",
    "alarm_clock": "⏰",
    "arrow_forward": "▶",
    "no_entry": "⛔",
    "no_entry_sign": "✗",
    "octagonal_sign": "■",
    "rewind": "↩",
    "rotating_light": "!!",
    "ship": "▸",
    "mag": "→",
}


def bare_emoji(name: str) -> str:
    """The name of a reaction without the skin tone that its author chose: `+1::skin-tone-3` is `+1`."""
    return _SKIN_TONE.sub("", name)


def size(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Without control characters (but line breaks and tabs) and lone surrogates, which Slack refuses."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def escape(text: str) -> str:
    """Text from outside as Slack must be given it: it can neither mention, link nor break out."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str, *, limit: int = QUOTED_LIMIT) -> str:
    """Text from outside, escaped, without its final full stop, and cut visibly at `limit`."""
    return clip(escape(text.strip().removesuffix(".")), limit)


def code(text: str) -> str:
    """A name from outside in code type, on one line."""
    return f"`{shortened(escape(' '.join(text.split())).replace('`', chr(39)), 200)}`"


def strike(text: str) -> str:
    """Struck out, line by line, as Slack's `~` does not reach over a line break."""
    return "\n".join(f"~{line.replace('~', '-')}~" if line.strip() else line for line in text.split("\n"))


def link(url: str, shown: str) -> str:
    """A link whose text is ours; what is no http or https address without spaces stays text."""
    if not re.fullmatch(r"https?://[^\s<>|]+", url):
        return escape(shown)
    return f"<{escape(url)}|{escape(shown)}>"


def mention(user: str) -> str:
    """A mention of a well-formed Slack user id; anybody else (`terminal:ann`) as plain text."""
    return f"<@{user}>" if USER_ID.fullmatch(user) else quoted(user, limit=80)


def mentions(users: Sequence[str]) -> str:
    """Several people, in their order."""
    return ", ".join(mention(user) for user in users)


def people(text: str) -> str:
    """`quoted` for a sentence of our own that names people as `<@U0ANN>`: those stay mentions."""
    return _NAMED.sub(lambda found: mention(found[1]), quoted(text))


def group_mention(handle: str) -> str:
    """A user group by handle. Slack wants the group's id: `SlackChat` puts it in when it posts."""
    name = handle.removeprefix("@")
    return f"<!subteam^@{name}>" if HANDLE.fullmatch(name) else f"@{quoted(name, limit=80)}"


def moment(at: datetime, *, seen_from: datetime) -> str:
    """A time that Slack shows in the reader's own zone, with its date unless that is the day of `seen_from`."""
    utc = at.astimezone(UTC)
    if utc.date() == seen_from.astimezone(UTC).date():
        return f"<!date^{int(utc.timestamp())}^{{time}}|{utc:%H:%M} UTC>"
    return f"<!date^{int(utc.timestamp())}^{{date_short}} {{time}}|{utc:%Y-%m-%d %H:%M} UTC>"


def fenced(lines: Sequence[str], *, limit: int) -> str:
    """Preformatted lines from outside, whole within `limit`."""
    inside = escape("\n".join(lines)).replace(_FENCE, "'''")
    return f"{_FENCE}\n{clip(inside, limit - 2 * size(_FENCE) - 2)}\n{_FENCE}"


def shortened(text: str, limit: int) -> str:
    """One line, cut with an ellipsis at `limit`; no escape sequence or mention is cut through."""
    text = clean(text).replace("\n", " ")
    return text if size(text) <= limit else f"{_head(text, limit - 1)}…"


def clip(text: str, limit: int) -> str:
    """At most `limit`, with what was left out counted: `… (12 more lines)`. Cuts at a line's end where it can."""
    text = clean(text)
    if size(text) <= limit:
        return text
    head = _head(text, max(limit - _NOTE_ROOM, 1))
    line_end = head.rfind("\n")
    at_line_end = line_end >= len(head) // 2
    head = head[:line_end] if at_line_end else head
    lost = text[len(head) :].strip("\n").count("\n") + at_line_end
    fence = f"\n{_FENCE}" if head.count(_FENCE) % 2 else ""
    return head + ("" if at_line_end else "…") + fence + (f"\n… ({counted(lost, 'more line')})" if lost else "")


def counted(number: int, noun: str) -> str:
    """`1 vote`, `2 votes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def plain(text: str, *, links: bool = True) -> str:
    """mrkdwn for a reader without Slack: a terminal, a log. Without `links` only what they are called is left."""
    if not links:
        text = re.sub(r"<https?://[^|>]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<!subteam\^@?([^>|]*)[^>]*>|<@([^>|]*)[^>]*>", lambda m: f"@{m[1] or m[2]}", text)
    text = re.sub(r":([a-z_]+):", lambda m: _SYMBOLS.get(m[1], m[0]), text)
    text = re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _head(text: str, limit: int) -> str:
    cut = text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
    return _BROKEN_END.sub("", cut)
