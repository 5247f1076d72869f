"""Block Kit pieces that keep Slack's limits by construction.

Each piece carries its block and the same words as plain text, so that a message's text always says all its blocks say.
mrkdwn is `verbatim`: Slack turns nothing that looks like a mention or a channel into one.
Limits: docs.slack.dev/reference/block-kit; the limit of a whole message is not documented (`msg_blocks_too_long` comes
near 13,200 characters).
"""

import json
from dataclasses import dataclass

from bot.domain.json import Json, JsonObject
from bot.ports.chat import Content
from bot.slack.mrkdwn import clip, counted, shortened, size
from commands.wording import slash_line

BLOCKS_LIMIT = 50
MESSAGE_LIMIT = 13_000
TEXT_LIMIT = 4_000
SECTION_LIMIT = 3_000
CONTEXT_LIMIT = 2_000
CONTEXT_ELEMENTS_LIMIT = 10
HEADER_LIMIT = 150
BUTTON_LIMIT = 75
VALUE_LIMIT = 2_000
ACTIONS_LIMIT = 25
_ACTIONS_ROOM = 6_000
_NOTE_ROOM = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """One block, and what it says without blocks; nothing, where another piece says it."""

    block: JsonObject
    text: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button. `value` is a whole command line, so that a click is the same as typing it. `is_said`: the message says
    what a click does in words of its own, and its text need not say it again."""

    label: str
    action_id: str
    value: str
    style: str | None = None
    confirm: "Confirm | None" = None
    is_said: bool = False


@dataclass(frozen=True, slots=True)
class Confirm:
    """What Slack asks before a button's click counts. `text` is plain text."""

    title: str
    text: str
    yes: str
    no: str = "No"


def section(text: str) -> Piece:
    """A paragraph of mrkdwn."""
    shown = clip(text, SECTION_LIMIT)
    return Piece({"type": "section", "text": _mrkdwn(shown)}, shown)


def context(*texts: str) -> Piece:
    """Small print; more elements than Slack allows are counted, not lost silently."""
    room = CONTEXT_ELEMENTS_LIMIT
    shown = [clip(text, CONTEXT_LIMIT) for text in texts[:room]]
    if len(texts) > room:
        shown[-1] = f"… ({len(texts) - room + 1} more)"
    elements: list[Json] = [_mrkdwn(text) for text in shown or [""]]
    return Piece({"type": "context", "elements": elements}, " · ".join(shown))


def header(text: str) -> Piece:
    """A headline in plain text."""
    shown = shortened(text, HEADER_LIMIT)
    return Piece({"type": "header", "text": plain_text(shown, HEADER_LIMIT)}, shown)


def actions(*buttons: Button) -> Piece:
    """A row of buttons. One whose value is too long is left out: a command that is cut is another command."""
    shown: list[Json] = []
    said = []
    used = 0
    for button in buttons:
        block = _button(button)
        used += _weight(block)
        if size(button.value) > VALUE_LIMIT or used > _ACTIONS_ROOM or len(shown) == ACTIONS_LIMIT:
            continue
        shown.append(block)
        if not button.is_said:
            said.append(f"{button.label}: `{slash_line(button.value)}`")
    return Piece({"type": "actions", "elements": shown}, " · ".join(said))


def content(*pieces: Piece) -> Content:
    """A message of these pieces. Buttons are kept before anything else; what does not fit is counted at the end."""
    pieces = tuple(piece for piece in pieces if piece.block.get("elements") != [])
    shown = _fitting(pieces)
    blocks = [piece.block for number, piece in enumerate(pieces) if number in shown]
    lost = sum(piece.text.count("\n") + 1 for number, piece in enumerate(pieces) if number not in shown)
    if lost:
        blocks.append(context(f"… ({counted(lost, 'more line')})").block)
    text = "\n".join(piece.text for piece in pieces if piece.text)
    return Content(clip(text, TEXT_LIMIT), tuple(blocks))


def plain_text(text: str, limit: int) -> JsonObject:
    """A plain text object within `limit`; Slack refuses an empty one."""
    return {"type": "plain_text", "text": shortened(text, limit).strip() or "–", "emoji": True}


def _fitting(pieces: tuple[Piece, ...]) -> set[int]:
    shown: set[int] = set()
    used = 0
    for number in sorted(range(len(pieces)), key=lambda n: pieces[n].block["type"] != "actions"):
        used += _weight(pieces[number].block)
        if used > MESSAGE_LIMIT - _NOTE_ROOM or len(shown) == BLOCKS_LIMIT - 1:
            break
        shown.add(number)
    return shown


def _button(button: Button) -> JsonObject:
    block: JsonObject = {
        "type": "button",
        "text": plain_text(button.label, BUTTON_LIMIT),
        "action_id": button.action_id,
        "value": button.value,
    }
    if button.style is not None:
        block["style"] = button.style
    if button.confirm is not None:
        block["confirm"] = _confirm(button.confirm) | ({"style": "danger"} if button.style == "danger" else {})
    return block


def _confirm(confirm: Confirm) -> JsonObject:
    return {
        "title": plain_text(confirm.title, 100),
        "text": plain_text(confirm.text, 300),
        "confirm": plain_text(confirm.yes, 30),
        "deny": plain_text(confirm.no, 30),
    }


def _mrkdwn(text: str) -> JsonObject:
    return {"type": "mrkdwn", "text": text if text.strip() else "–", "verbatim": True}


def _weight(block: JsonObject) -> int:
    return size(json.dumps(block, ensure_ascii=False))
