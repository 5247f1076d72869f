"""Calls of the Web API as they stand on the wire, without a client library between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bot.sandbox.slack.acme import Acme
from bot.sandbox.slack.stand_in import SlackStandIn, Timing
from tests.fakes.clock import FakeClock

DEPLOYS = "C0DEPLOYS"


class Caller:
    """Somebody with a token; the app's unless another is named."""

    def __init__(self, slack: SlackStandIn, clock: FakeClock, http: httpx.AsyncClient) -> None:
        self.slack = slack
        self.clock = clock
        self.http = http

    async def raw(self, method: str, *, token: str | None = None, **asked: Any) -> httpx.Response:
        """The answer to a call with JSON."""
        headers = {"Authorization": f"Bearer {token or self.slack.acme.app.token}"}
        return await self.http.post(method, json=asked, headers=headers)

    async def call(self, method: str, *, token: str | None = None, **asked: Any) -> Any:
        """Its body."""
        return (await self.raw(method, token=token, **asked)).json()

    async def error(self, method: str, *, token: str | None = None, **asked: Any) -> str:
        """Slack's name for what is wrong with the call; `ok` for nothing."""
        body = await self.call(method, token=token, **asked)
        return "ok" if body["ok"] else str(body["error"])

    async def post(self, text: str = "hi", **asked: Any) -> str:
        """The ts of a message of the app."""
        body = await self.call("chat.postMessage", **{"channel": DEPLOYS, "text": text} | asked)
        return str(body["ts"])

    async def texts(self, **asked: Any) -> list[str]:
        """What stands in #deploys, newest first."""
        body = await self.call("conversations.history", channel=DEPLOYS, **asked)
        return [message["text"] for message in body["messages"]]


@asynccontextmanager
async def caller(acme: Acme | None = None, *, limits_posts: bool = False) -> AsyncIterator[Caller]:
    """A served workspace on virtual time."""
    clock = FakeClock()
    slack = SlackStandIn(clock, acme=acme, timing=Timing(limits_posts=limits_posts))
    async with slack.serving() as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
        yield Caller(slack, clock, http)
