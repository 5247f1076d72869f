"""A modal as somebody fills it in: what Slack's client lets pass, and how it is sent."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.schema import length

Body = dict[str, Any]
Entry = str | list[str] | None

REQUIRED = "Please complete this required field."
NO_FIELD = "The form has no such field."
_FIELDS = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}


def filled(view: Body, values: Mapping[str, Entry]) -> tuple[Body, dict[str, str]]:
    """The state that is sent, and what is wrong by block: with anything wrong the client sends nothing.

    `values` by block: a text, the value of an option, or those of several.
    """
    inputs = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}
    errors = {name: NO_FIELD for name in values if name not in inputs}
    state: Body = {}
    for name, block in inputs.items():
        element, said = block["element"], values.get(name) or None
        entry, error = _entry(element, said)
        if said is None and not block.get("optional"):
            error = REQUIRED
        if error:
            errors[name] = error
        state[name] = {element["action_id"]: {"type": element["type"], **entry}}
    return state, errors


def picked(element: Body, said: str) -> Body | None:
    """The option with that value; `None` if there is none."""
    groups = element.get("option_groups") or [element]
    options = [option for group in groups for option in group.get("options", ())]
    return next((option for option in options if option.get("value") == said), None)


def _entry(element: Body, said: Entry) -> tuple[Body, str]:
    match element["type"]:
        case "plain_text_input":
            return {"value": said}, _length_error(element, said)
        case "static_select" | "radio_buttons":
            option = picked(element, said) if isinstance(said, str) else None
            return {"selected_option": option}, "" if option or said is None else f"There is no option {said!r}."
        case "checkboxes":
            wanted = [said] if isinstance(said, str) else said or []
            options = [picked(element, value) for value in wanted]
            return {"selected_options": options}, "There is no such option." if None in options else ""
        case kind:
            return {_FIELDS[kind]: said}, ""


def _length_error(element: Body, said: Entry) -> str:
    if said is None:
        return ""
    if not isinstance(said, str):
        return "This field takes one text."
    most, least = element.get("max_length", 3000), element.get("min_length", 0)
    if length(said) > most:
        return f"This field takes at most {most} characters."
    return f"This field takes at least {least} characters." if length(said) < least else ""
