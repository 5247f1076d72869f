"""What the sandbox's page asks of the Slack stand-in. The page is served by somebody else; these are its routes.

Everything is JSON. A person is `ann` or `U0ANN`; a channel is `deploys`, `#deploys` or `C0DEPLOYS`. A request that is
not understood gets `{"error": WORD, "text": SENTENCE}` with 400 (`invalid_request`, `user_not_found`), 403
(`foreign_host`, `foreign_origin`), 404 (`file_not_found`) or 415 (`not_json`).

`GET /api/channel?as=ann`: everything as ann sees it now:

    {"number": 17, "me": "U0ANN", "team": {"id", "name"}, "down": false,
     "people": [{"id", "name", "is_bot", "is_guest", "deleted"}],          # Slackbot included
     "groups": [{"id", "handle"}],
     "channels": [{"id", "name", "is_archived", "is_private", "is_ext_shared", "is_member", "messages": [MESSAGE]}],
     "views": [VIEW]}                                                      # her open forms, the newest last

A direct conversation is a channel with `is_im` and `user` (the other one) in place of `name`.

MESSAGE is Slack's: `{"ts", "user", "text", "blocks"?, "thread_ts"?, "reply_count"?, "reactions"?: [{"name", "users",
"count"}], "files"?: [{"id", "title", "mimetype", "alt_txt"?}], "edited"?, "subtype"?, "is_ephemeral"?: true}`.
`ts` orders and names it within its channel. A reply has the `thread_ts` of another message; one that replies were given
to has its own.
`subtype: "tombstone"`: deleted, its replies stand. `text` is mrkdwn with `<@U0ANN>`, `<!subteam^S0APPROVERS>`, `&lt;`.
VIEW is Slack's: `{"id", "title", "submit", "close", "blocks", "callback_id", "private_metadata"}`.

`GET /api/feed?as=ann&after=17`: a WebSocket, of which a browser opens some two hundred to a server; of other
connections it opens six, and a stream that stays would take one of them from every window. Each message is one change;
whoever comes back says in `after` which was the last. A plain request gets 426 (`not_a_websocket`).

    {"number", "kind": "message" | "edited", "channel": ID, "ts", "message": MESSAGE}
    {"number", "kind": "deleted", "channel", "ts"}
    {"number", "kind": "reaction", "channel", "ts", "name", "user", "on": bool, "reactions": [...all of them now...]}
    {"number", "kind": "channel", "channel": {"id", "name", "is_archived", ...}}     # its `is_member` means nothing
    {"number", "kind": "view_opened" | "view_updated", "view": VIEW}, {"number", "kind": "view_closed", "view_id"}
    {"number", "kind": "forgotten"}: the feed ends; get the channel anew and follow from its number

What somebody does is a POST of JSON. The answer is 200 and what Slack shows them, also where it did not work (`error`
is then `slack_is_down`, `operation_timeout`, `is_archived`, ...): `{"acknowledged": bool, "error": WORD or "", "text":
what they alone are told or "", "ts": of the message that came of it or null, "errors": {BLOCK_ID: TEXT}}`. A private
answer is a message of the feed as well.

    POST /api/say      {"as", "channel", "text", "thread_ts"?}       a text that begins with / is a command
    POST /api/react    {"as", "channel", "ts", "name", "on": bool}
    POST /api/press    {"as", "channel", "ts", "action_id", "block_id"?, "option"?}
    POST /api/submit   {"as", "view_id", "values": {BLOCK_ID: TEXT or OPTION VALUE or [OPTION VALUES]}}
    POST /api/dismiss  {"as", "view_id"}

`GET /files/{id}`: the bytes of a file that a message shows.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web

from bot.domain.ids import ChannelId
from bot.ports.chat import Place
from bot.sandbox.own_page import json_object, own_page_only, refusal
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.shown import Shown
from bot.sandbox.slack.stand_in import SlackStandIn

DIGITS_MOST = 18
HEARTBEAT = timedelta(seconds=15)
"""Real time: so often a feed asks whether its page is still there, and lets go of one that does not answer."""

FAREWELL_S = 1.0
"""Real time that a page has to answer when its feed is closed."""

Body = dict[str, Any]
Act = Callable[[Body], Awaitable[Shown]]


class ChannelApi:
    """The routes, over a workspace."""

    def __init__(self, slack: SlackStandIn, *, heartbeat: timedelta = HEARTBEAT) -> None:
        self._slack = slack
        self._heartbeat_s = heartbeat.total_seconds()
        self._feeds: set[web.WebSocketResponse] = set()

    def add_to(self, app: web.Application) -> None:
        """Add the routes to an application that is not served yet."""
        app.on_shutdown.append(self._leave)
        app.router.add_get("/api/channel", own_page_only(self._channel))
        app.router.add_get("/api/feed", own_page_only(self._feed), allow_head=False)
        app.router.add_get("/files/{id}", own_page_only(self._file))
        acts: dict[str, tuple[Act, Mapping[str, type]]] = {
            "say": (self._say, {"channel": str, "text": str}),
            "react": (self._react, {"channel": str, "ts": str, "name": str, "on": bool}),
            "press": (self._press, {"channel": str, "ts": str, "action_id": str}),
            "submit": (self._submit, {"view_id": str, "values": dict}),
            "dismiss": (self._dismiss, {"view_id": str}),
        }
        for name, (act, fields) in acts.items():
            app.router.add_post(f"/api/{name}", own_page_only(_acting(act, {"as": str, **fields})))

    async def _channel(self, request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(self._slack.snapshot(request.query.get("as", "")))
        except SlackFaultError:
            return _nobody()

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        try:
            me = self._slack.people.find(request.query.get("as", "")).id
        except SlackFaultError:
            return _nobody()
        after = request.query.get("after", "")
        if not (after.isascii() and after.isdecimal()) or len(after) > DIGITS_MOST:
            return refusal(HTTPStatus.BAD_REQUEST, "invalid_request", "`after` is the number of a change.")
        socket = web.WebSocketResponse(heartbeat=self._heartbeat_s, timeout=FAREWELL_S)
        if not socket.can_prepare(request):
            return refusal(HTTPStatus.UPGRADE_REQUIRED, "not_a_websocket", "The feed is a WebSocket.")
        await socket.prepare(request)
        self._feeds.add(socket)
        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell(socket, me, int(after)))
                async for _ in socket:  # a page says nothing here; this ends when it goes
                    continue
                telling.cancel()
        finally:
            self._feeds.discard(socket)
        return socket

    async def _leave(self, _app: web.Application) -> None:
        """Whoever still shows a page is told that nobody serves it any more; else its feed would be waited for."""
        await asyncio.gather(*(socket.close(code=aiohttp.WSCloseCode.GOING_AWAY) for socket in set(self._feeds)))

    async def _tell(self, socket: web.WebSocketResponse, me: str, after: int) -> None:
        with contextlib.suppress(ConnectionResetError):  # the page has gone: nobody is left to be told
            async for change in self._slack.changes.follow(me, after=after):
                await socket.send_json({"number": change.number, "kind": change.kind, **change.body})
            await socket.close()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        try:
            file = self._slack.files.sent(request.match_info["id"])
        except SlackFaultError:
            return refusal(HTTPStatus.NOT_FOUND, "file_not_found", "There is no such file.")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)

    async def _say(self, asked: Body) -> Shown:
        return await self._slack.people.says(asked["as"], asked["channel"], asked["text"], asked.get("thread_ts"))

    async def _react(self, asked: Body) -> Shown:
        people = self._slack.people
        act = people.reacts if asked["on"] else people.takes_back
        return await act(asked["as"], _place(asked), asked["name"])

    async def _press(self, asked: Body) -> Shown:
        return await self._slack.people.presses(
            asked["as"],
            _place(asked),
            asked["action_id"],
            block_id=asked.get("block_id"),
            option=asked.get("option"),
        )

    async def _submit(self, asked: Body) -> Shown:
        return await self._slack.people.submits(asked["as"], asked["view_id"], asked["values"])

    async def _dismiss(self, asked: Body) -> Shown:
        return await self._slack.people.dismisses(asked["view_id"], user=asked["as"])


def _acting(act: Act, fields: Mapping[str, type]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked = await json_object(request)
        wrong = "The body is not a JSON object." if asked is None else _wrong(asked, fields)
        if asked is None or wrong:
            return refusal(HTTPStatus.BAD_REQUEST, "invalid_request", wrong)
        return web.json_response(dataclasses.asdict(await act(asked)))

    return handle


def _wrong(asked: Body, fields: Mapping[str, type]) -> str:
    for name, kind in fields.items():
        if not isinstance(asked.get(name), kind):
            return f"`{name}` is missing or no {_WORDS[kind]}."
    for name in ("thread_ts", "block_id", "option"):
        if not isinstance(asked.get(name), str | None):
            return f"`{name}` is no text."
    entries = asked["values"].values() if "values" in fields else ()
    return "" if all(_is_entry(entry) for entry in entries) else "`values` are texts or lists of them."


def _is_entry(entry: object) -> bool:
    texts = entry if isinstance(entry, list) else [entry]
    return entry is None or all(isinstance(text, str) for text in texts)


_WORDS = {str: "text", bool: "boolean", dict: "object"}


def _place(asked: Body) -> Place:
    return Place(ChannelId(asked["channel"]), asked["ts"])


def _nobody() -> web.Response:
    return refusal(HTTPStatus.BAD_REQUEST, "user_not_found", "`as` names nobody in the workspace.")
