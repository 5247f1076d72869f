"""The page itself: its files, what it shows beside the channel, and its switches.

`GET /api/scene`: what does not change, `{"people": [{"name", "about"}], "tries": [{"line", "about"}], "vocabulary":
{"commands", "verbs", "words"}}`. `GET /api/panel`: the whole panel as it is now; it is asked for again and again.
`POST /api/switch {"name", "on"}` and `POST /api/kill {}` break something. All of them answer the page alone.
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from bot.sandbox.own_page import json_object, own_page_only, refusal

PAGE = Path(__file__).with_name("page")
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
FEED = "; connect-src 'self' ws://{host}"
"""Its own host once more, by the scheme of its feed: not every browser takes 'self' for both."""
"""Content-Security-Policy: nothing from elsewhere, and no script or style in the document itself."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
"""The page of yesterday's version must not stay in the browser: it is asked for each time."""


class Panel(Protocol):
    """What stands beside the channel."""

    def scene(self) -> Mapping[str, Any]:
        """What does not change while the sandbox runs."""
        ...

    def shown(self) -> Mapping[str, Any]:
        """The bot, the cluster, the traffic and the switches, now."""
        ...

    def switch(self, name: str, *, on: bool) -> None:
        """Break something, or mend it. Raises KeyError for a switch that is not there."""
        ...

    def kill(self) -> None:
        """End the bot's process at once."""
        ...


class PageServer:
    """The routes, over a panel."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._files = {path.name: path for path in PAGE.iterdir()}

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application that is not served yet."""
        app.router.add_get("/", own_page_only(self._index))
        app.router.add_get("/page/{name}", own_page_only(self._file))
        app.router.add_get("/api/scene", own_page_only(self._scene))
        app.router.add_get("/api/panel", own_page_only(self._shown))
        app.router.add_post("/api/switch", own_page_only(self._switch))
        app.router.add_post("/api/kill", own_page_only(self._kill))

    async def _index(self, request: web.Request) -> web.StreamResponse:
        policy = POLICY + FEED.format(host=request.host)
        return web.FileResponse(PAGE / "index.html", headers={**HEADERS, "Content-Security-Policy": policy})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in self._files:
            return refusal(HTTPStatus.NOT_FOUND, "file_not_found", f"The page has no file '{name}'.")
        return web.FileResponse(self._files[name], headers=HEADERS)

    async def _scene(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._panel.scene())

    async def _shown(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._panel.shown(), headers={"Cache-Control": "no-store"})

    async def _switch(self, request: web.Request) -> web.StreamResponse:
        asked = await json_object(request) or {}
        name, on = asked.get("name"), asked.get("on")
        if not isinstance(name, str) or not isinstance(on, bool):
            return refusal(HTTPStatus.BAD_REQUEST, "invalid_request", 'Send {"name": text, "on": true or false}.')
        try:
            self._panel.switch(name, on=on)
        except KeyError:
            return refusal(HTTPStatus.NOT_FOUND, "switch_not_found", f"There is no switch '{name}'.")
        return web.json_response({})

    async def _kill(self, _request: web.Request) -> web.StreamResponse:
        self._panel.kill()
        return web.json_response({})
