"""A form, as an app opens it."""

from typing import Any


def plain(text: str) -> dict[str, Any]:
    """A plain text object."""
    return {"type": "plain_text", "text": text}


def a_field(name: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A field of a form."""
    return {"type": "input", "block_id": name, "label": plain(name), "element": {"action_id": "a", **element}, **more}


OPTIONS = [{"text": plain(value), "value": value} for value in ("staging", "prod")]
FORM = {
    "type": "modal",
    "callback_id": "sluice.deploy",
    "title": plain("Release"),
    "submit": plain("Go"),
    "blocks": [
        a_field("ref", {"type": "plain_text_input", "max_length": 10}),
        a_field("environment", {"type": "static_select", "options": OPTIONS}),
        a_field("reason", {"type": "plain_text_input"}, optional=True),
    ],
}
GOOD = {"ref": "v1", "environment": "prod"}
