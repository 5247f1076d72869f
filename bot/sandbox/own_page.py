"""Only the sandbox's own page may ask: a browser on this machine opens other people's pages too.

A foreign name that leads here (DNS rebinding) shows in `Host`, another page's script in `Origin`; and a form of another
page cannot send JSON without asking first.
"""

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SAME = frozenset({"same-origin", "none"})
JSON = "application/json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refusal(status: HTTPStatus, error: str, text: str) -> web.Response:
    """A no as the page reads it."""
    return web.json_response({"error": error, "text": text}, status=status)


def own_page_only(handler: Handler) -> Handler:
    """The handler behind this guard: 403 for foreigners, 415 for a body that is not JSON."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        return _refused(request) or await handler(request)

    return guarded


async def json_object(request: web.Request) -> dict[str, Any] | None:
    """The body, if it is a JSON object."""
    try:
        body = json.loads(await request.text())
    except (ValueError, RecursionError, LookupError):  # the last: a charset that there is not
        return None
    return body if isinstance(body, dict) else None


def _refused(request: web.Request) -> web.Response | None:
    host = request.headers.get("Host", "")
    if request.remote not in LOOPBACK or _name(host) not in LOOPBACK:
        return refusal(HTTPStatus.FORBIDDEN, "foreign_host", "The sandbox answers on the loopback interface only.")
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and origin != f"{request.scheme}://{host}"
    if is_foreign or request.headers.get("Sec-Fetch-Site", "none") not in SAME:
        return refusal(HTTPStatus.FORBIDDEN, "foreign_origin", "Only the sandbox's own page may ask this.")
    if request.method == "POST" and request.content_type != JSON:
        return refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json", f"Send the body as {JSON}.")
    return None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
