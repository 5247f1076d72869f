"""What Slack takes as blocks and as a modal: types, fields and limits.

Source: docs.slack.dev/reference/block-kit (blocks, elements, composition objects) and reference/views. Blocks that
the bot never sends (rich_text, table, video) are taken as they are.
"""

import json
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.fault import SlackFaultError, with_messages
from bot.sandbox.slack.schema import (
    Rule,
    a_bool,
    a_list,
    a_number,
    a_string,
    an_object,
    anything,
    both,
    by_type,
    complaint,
    length,
    one_of,
)

MESSAGE_BLOCKS, MODAL_BLOCKS = 50, 100
ALL_BLOCKS_CHARACTERS = 13_200
"""Of the blocks' JSON: measured by people who met `msg_blocks_too_long`, documented nowhere."""


def _text(most: int, *, mrkdwn: bool = False) -> Rule:
    plain = an_object({"text": a_string(most, least=1)}, {"emoji": a_bool})
    marked = an_object({"text": a_string(most, least=1)}, {"verbatim": a_bool})
    return by_type({"plain_text": plain, "mrkdwn": marked} if mrkdwn else {"plain_text": plain})


_NAMED = {"action_id": a_string(255), "focus_on_load": a_bool}
_CONFIRM = an_object(
    {"title": _text(100), "text": _text(300, mrkdwn=True)},
    {"confirm": _text(30), "deny": _text(30), "style": one_of("primary", "danger")},
)
_OPTION = an_object(
    {"text": _text(75, mrkdwn=True), "value": a_string(150)}, {"description": _text(75), "url": a_string(3000)}
)
_MENU = _NAMED | {"placeholder": _text(150), "confirm": _CONFIRM}
_OPTION_GROUP = an_object({"label": _text(75), "options": a_list(_OPTION, 100)})
_IMAGE = an_object(
    {"alt_text": a_string(2000)}, {"image_url": a_string(3000, least=1), "slack_file": anything, "title": _text(2000)}
)


def _has_options(value: dict[str, Any], at: str) -> Iterator[str]:
    if ("options" in value) == ("option_groups" in value):
        yield complaint("must define either options or option_groups", at)


_SELECT = both(
    an_object(
        {},
        _MENU
        | {"options": a_list(_OPTION, 100), "option_groups": a_list(_OPTION_GROUP, 100), "initial_option": _OPTION},
    ),
    _has_options,
)
_ELEMENTS: dict[str, Rule] = {
    "button": an_object(
        {"text": _text(75)},
        _NAMED
        | {
            "value": a_string(2000),
            "url": a_string(3000),
            "style": one_of("primary", "danger"),
            "confirm": _CONFIRM,
            "accessibility_label": a_string(75),
        },
    ),
    "static_select": _SELECT,
    "overflow": an_object({"options": a_list(_OPTION, 5)}, _NAMED | {"confirm": _CONFIRM}),
    "users_select": an_object({}, _MENU | {"initial_user": a_string(255)}),
    "channels_select": an_object({}, _MENU | {"initial_channel": a_string(255)}),
    "conversations_select": an_object({}, _MENU | {"initial_conversation": a_string(255), "filter": anything}),
    "checkboxes": an_object({"options": a_list(_OPTION, 10)}, _MENU | {"initial_options": a_list(_OPTION, 10)}),
    "radio_buttons": an_object({"options": a_list(_OPTION, 10)}, _MENU | {"initial_option": _OPTION}),
    "datepicker": an_object({}, _MENU | {"initial_date": a_string(10)}),
    "timepicker": an_object({}, _MENU | {"initial_time": a_string(5)}),
}
_INPUTS: dict[str, Rule] = {name: rule for name, rule in _ELEMENTS.items() if name not in ("button", "overflow")} | {
    "plain_text_input": an_object(
        {},
        _NAMED
        | {
            "placeholder": _text(150),
            "initial_value": a_string(3000),
            "multiline": a_bool,
            "min_length": a_number(0, 3000),
            "max_length": a_number(1, 3000),
            "dispatch_action_config": anything,
        },
    )
}
_ID = {"block_id": a_string(255)}


def _says_something(value: dict[str, Any], at: str) -> Iterator[str]:
    if value.get("text") is None and value.get("fields") is None:
        yield complaint("missing required field: text", at)


def _shows_something(value: dict[str, Any], at: str) -> Iterator[str]:
    if ("image_url" in value) == ("slack_file" in value):
        yield complaint("must define either image_url or slack_file", at)


_SECTION = an_object(
    {},
    _ID
    | {
        "text": _text(3000, mrkdwn=True),
        "fields": a_list(_text(2000, mrkdwn=True), 10),
        "accessory": by_type(_ELEMENTS | {"image": _IMAGE}),
        "expand": a_bool,
    },
)
_CONTEXT_ELEMENT = by_type(
    {
        "image": _IMAGE,
        "mrkdwn": _text(3000, mrkdwn=True),
        "plain_text": _text(3000, mrkdwn=True),
    }
)
_INPUT = an_object(
    {"label": _text(2000), "element": by_type(_INPUTS)},
    _ID | {"hint": _text(2000), "optional": a_bool, "dispatch_action": a_bool},
)
_IMAGE_BLOCK = an_object(
    {"alt_text": a_string(2000)},
    _ID | {"image_url": a_string(3000, least=1), "slack_file": anything, "title": _text(2000)},
)
_BLOCK = by_type(
    {
        "section": both(_SECTION, _says_something),
        "context": an_object({"elements": a_list(_CONTEXT_ELEMENT, 10)}, _ID),
        "header": an_object({"text": _text(150)}, _ID),
        "divider": an_object({}, _ID),
        "actions": an_object({"elements": a_list(by_type(_ELEMENTS), 25)}, _ID),
        "image": both(_IMAGE_BLOCK, _shows_something),
        "input": _INPUT,
        "markdown": an_object({"text": a_string(12_000, least=1)}, _ID),
        "rich_text": anything,
        "table": anything,
        "video": anything,
    }
)
_MESSAGE = a_list(_BLOCK, MESSAGE_BLOCKS, least=0)
_MODAL = an_object(
    {"type": one_of("modal"), "title": _text(24), "blocks": a_list(_BLOCK, MODAL_BLOCKS)},
    {
        "submit": _text(24),
        "close": _text(24),
        "private_metadata": a_string(3000),
        "callback_id": a_string(255),
        "external_id": a_string(255),
        "clear_on_close": a_bool,
        "notify_on_close": a_bool,
        "submit_disabled": a_bool,
    },
)


def check_message(blocks: Any) -> None:
    """Raises SlackFaultError (`invalid_blocks`, `msg_blocks_too_long`) for blocks that no message may have."""
    complaints = [*_MESSAGE(blocks, "/blocks"), *_repeated(blocks, "/blocks")]
    if complaints:
        fault = with_messages("invalid_blocks", complaints)
        raise SlackFaultError(fault.error, errors=complaints, **fault.more)
    if length(json.dumps(blocks, ensure_ascii=False)) > ALL_BLOCKS_CHARACTERS:
        raise SlackFaultError("msg_blocks_too_long")


def check_modal(view: Any) -> None:
    """Raises SlackFaultError (`invalid_arguments`) for what is no modal."""
    complaints = list(_MODAL(view, "/view"))
    if not complaints:
        complaints += _repeated(view["blocks"], "/view/blocks")
        if view.get("submit") is None and any(block["type"] == "input" for block in view["blocks"]):
            complaints.append(complaint("missing required field: submit", "/view"))
    if complaints:
        raise with_messages("invalid_arguments", complaints)


def _repeated(blocks: Any, at: str) -> Iterator[str]:
    """Ids that are there twice: of blocks in all, of elements in one block."""
    known: set[str] = set()
    for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        name = block.get("block_id")
        if isinstance(name, str) and name in known:
            yield complaint(f"`block_id` already exists: {name}", f"{at}/{number}/block_id")
        known |= {name} if isinstance(name, str) else set()
        yield from _repeated_elements(block, f"{at}/{number}")


def _repeated_elements(block: dict[str, Any], at: str) -> Iterator[str]:
    known: set[str] = set()
    listed = block.get("elements")
    for number, element in enumerate(listed if isinstance(listed, list) else ()):
        name = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(name, str) and name in known:
            yield complaint(f"`action_id` already exists: {name}", f"{at}/elements/{number}/action_id")
        known |= {name} if isinstance(name, str) else set()
