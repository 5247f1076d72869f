"""Lists in pages."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.fault import SlackFaultError

DEFAULT, MOST = 100, 1000
Item = TypeVar("Item")


def page(
    items: Sequence[Item], args: Arguments, *, key: Callable[[Item], str], is_descending: bool = False
) -> tuple[list[Item], str]:
    """The items that were asked for and the cursor of the next page, empty at the end.

    `items` are in the order of their keys; a page begins at the right place even if items went meanwhile.
    Raises SlackFaultError.
    """
    limit = args.number("limit", default=DEFAULT, most=MOST)
    begin = _key_of(args.text("cursor"))
    left = [item for item in items if not begin or _is_from(key(item), begin, is_descending=is_descending)]
    return left[:limit], _cursor(key(left[limit])) if len(left) > limit else ""


def _is_from(key: str, begin: str, *, is_descending: bool) -> bool:
    return key <= begin if is_descending else key >= begin


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(f"next:{key}".encode()).decode()


def _key_of(cursor: str) -> str:
    if not cursor:
        return ""
    try:
        kind, _, key = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, ValueError):
        kind, key = "", ""
    if kind != "next" or not key:
        raise SlackFaultError("invalid_cursor")
    return key
