"""The channel's API as the page uses it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
from aiohttp import web

from bot.domain.ids import ChannelId
from bot.ports.chat import Place
from bot.sandbox.channel_api import ChannelApi
from bot.sandbox.loopback import listening
from bot.sandbox.slack.stand_in import SlackStandIn
from tests.sandbox.slack.apps import ScriptedApp, scripted

BUTTON = {"type": "button", "action_id": "abort", "text": {"type": "plain_text", "text": "Abort"}, "value": "abort it"}


ACTIONS = {"type": "actions", "block_id": "row", "elements": [BUTTON]}


class Page:
    """The page, as ann's browser has it."""

    def __init__(self, slack: SlackStandIn, app: ScriptedApp, http: httpx.AsyncClient) -> None:
        self.slack = slack
        self.app = app
        self.http = http
        self.begin = slack.changes.number

    async def does(self, verb: str, **asked: Any) -> Any:
        """Post what somebody does; the answer."""
        answer = await self.http.post(f"/api/{verb}", json=asked)
        return answer.json() if answer.status_code == 200 else (answer.status_code, answer.json()["error"])

    async def channel(self, user: str, number: int = 0) -> list[Any]:
        """The messages of a channel as that person sees them."""
        seen = (await self.http.get("/api/channel", params={"as": user})).json()
        messages: list[Any] = seen["channels"][number]["messages"]
        return messages

    @asynccontextmanager
    async def following(self, user: str, after: int, **headers: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Their feed, open. Raises aiohttp.WSServerHandshakeError where it is refused."""
        address = self.http.base_url.join("/api/feed")
        asked = {"as": user, "after": str(after)}
        async with (
            asyncio.timeout(5),
            aiohttp.ClientSession() as session,
            session.ws_connect(str(address), params=asked, headers=headers) as socket,
        ):
            yield socket

    async def feed(self, user: str, count: int, *, after: int | None = None) -> list[Any]:
        """The first changes of a feed; from the beginning where no number is given."""
        async with self.following(user, self.begin if after is None else after) as socket:
            return [await socket.receive_json() for _ in range(count)]


@asynccontextmanager
async def page(heartbeat: timedelta = timedelta(seconds=15)) -> AsyncIterator[Page]:
    """A served page over a workspace with a scripted app."""
    async with scripted() as (slack, app, _):
        served = web.Application()
        ChannelApi(slack, heartbeat=heartbeat).add_to(served)
        async with listening(served) as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
            yield Page(slack, app, http)


async def posted(slack: SlackStandIn, **message: Any) -> Place:
    """A message of the app."""
    async with httpx.AsyncClient() as http:
        headers = {"Authorization": f"Bearer {slack.acme.app.token}"}
        asked = {"channel": "C0DEPLOYS", "text": "a message", **message}
        answer = (await http.post(f"{slack.api_url}chat.postMessage", json=asked, headers=headers)).json()
    return Place(ChannelId(answer["channel"]), answer["ts"])


def a_form() -> dict[str, Any]:
    """A modal with one field."""
    plain = {"type": "plain_text", "text": "Release"}
    element = {"type": "plain_text_input", "action_id": "ref"}
    field = {"type": "input", "block_id": "ref", "label": plain, "element": element}
    return {"type": "modal", "title": plain, "submit": plain, "blocks": [field]}
