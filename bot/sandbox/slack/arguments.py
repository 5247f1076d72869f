"""The arguments of a call, wherever its caller put them: query, form or JSON."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack.fault import SlackFaultError, with_messages

DIGITS_MOST = 18
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


class Arguments:
    """What was asked, by name. Nothing said and `null` are the same."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}

    def text(self, name: str) -> str:
        """A text; empty where nothing was said."""
        value = self._given.get(name, "")
        return value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        """A text that must be there. Raises SlackFaultError."""
        value = self.text(name)
        if not value:
            raise with_messages("invalid_arguments", [f"missing required field: {name}"])
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A yes or no, in any of the ways to write it."""
        value = self._given.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, *, default: int, most: int, error: str = "invalid_limit") -> int:
        """A whole number of at least one; more than `most` counts as that. Raises SlackFaultError."""
        value = self.text(name)
        if not value:
            return default
        if not value.isdecimal() or len(value) > DIGITS_MOST or int(value) < 1:
            raise SlackFaultError(error)
        return min(int(value), most)

    def parsed(self, name: str, *, error: str) -> Any:
        """A JSON value, as it is or as text; `None` where nothing was said. Raises SlackFaultError."""
        value = self._given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise SlackFaultError(error) from None


async def arguments_of(request: web.Request) -> Arguments:
    """Everything that a request says; its body goes before its query. Raises SlackFaultError."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == JSON:
        given |= await _json_of(request)
    elif request.content_type in (FORM, MULTIPART):
        given |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return Arguments(given)


async def _json_of(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise SlackFaultError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackFaultError("json_not_object")
    return body
