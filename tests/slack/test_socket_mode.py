"""Socket Mode against a loopback socket: connecting, dying silently, and what was missed meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import RefusedError, UnreachableError
from bot.domain.ids import UserId
from bot.domain.invocation import Invocation
from bot.slack.bolt import make_app
from bot.slack.forms import FormChoices
from bot.slack.socket_mode import SocketMode
from bot.slack.web_api import open_client
from tests.fakes.clock import FakeClock

COMMAND = {
    "type": "slash_commands",
    "envelope_id": "e1",
    "accepts_response_payload": True,
    "payload": {
        "command": "/deploy",
        "text": "api x prod",
        "trigger_id": "1.2",
        "user_id": "U0ANN",
        "channel_id": "C1",
    },
}


class SlackSide:
    """The other end of the sockets. `error` is what `apps.connections.open` answers with."""

    def __init__(self) -> None:
        self.error = ""
        self.url = ""
        self.sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.acks: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def open(self, _request: web.Request) -> web.Response:
        """`apps.connections.open`."""
        return web.json_response({"ok": False, "error": self.error} if self.error else {"ok": True, "url": self.url})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """One socket, from hello to its end."""
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        await self.sockets.put(socket)
        async for message in socket:
            await self.acks.put(json.loads(message.data))
        return socket

    async def socket(self) -> web.WebSocketResponse:
        """The next socket that was opened."""
        async with asyncio.timeout(5):
            return await self.sockets.get()

    async def ack(self) -> dict[str, object]:
        """The next acknowledgement."""
        async with asyncio.timeout(5):
            return await self.acks.get()


@asynccontextmanager
async def slack_side() -> AsyncIterator[tuple[SlackSide, AsyncWebClient]]:
    """A served other end, and a client that finds it."""
    side, app = SlackSide(), web.Application()
    app.router.add_route("*", "/api/apps.connections.open", side.open)
    app.router.add_get("/link", side.link)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        side.url = f"ws://{host}:{port}/link"
        async with open_client("xoxb-test", base_url=f"http://{host}:{port}/api/") as client:
            yield side, client
    finally:
        await runner.cleanup()


class Bot:
    """Our end: what it heard, and how often it was told that something may have been missed."""

    def __init__(self) -> None:
        self.clock = FakeClock(datetime.now(UTC))
        self.heard: list[str] = []
        self.told = 0
        self.away = False

    async def hear(self, invocation: Invocation) -> bool:
        """See `Store.hear`."""
        self.heard.append(invocation.text)
        return True

    async def missed(self) -> None:
        """Read the open ballots anew."""
        if self.away:
            raise UnreachableError("Slack is away")
        self.told += 1

    def socket(self, client: AsyncWebClient) -> SocketMode:
        """The socket as the composition root makes it."""
        app = make_app(
            client=client,
            hear=self.hear,
            forms=lambda: FormChoices((), ()),
            clock=self.clock,
            bot_user=UserId("U0SLUICE"),
        )
        return SocketMode(app, "xapp-test", client, clock=self.clock, on_reconnect=self.missed)


async def test_a_command_comes_in_and_its_answer_goes_out() -> None:
    """The same listeners as over HTTP, and no signature."""
    bot = Bot()
    async with slack_side() as (side, client), bot.socket(client) as socket:
        wire = await side.socket()
        await wire.send_json(COMMAND)
        ack = await side.ack()
        assert socket.connected
    answer = {"response_type": "ephemeral", "text": "`/deploy api x prod` – on it."}
    assert ack == {"envelope_id": "e1", "payload": answer}
    assert bot.heard == ["deploy api x prod"]


async def test_a_silent_connection_is_replaced() -> None:
    """It looks open, but nothing has come for a minute: what was missed is read anew."""
    bot = Bot()
    async with slack_side() as (side, client), bot.socket(client) as socket:
        await side.socket()
        bot.clock.advance(timedelta(seconds=61))
        assert not socket.connected
        await socket.look()
        await greeted(side, socket)
        await socket.look()
        assert (socket.connected, bot.told) == (True, 1)


async def test_what_was_missed_is_asked_for_until_it_is_known() -> None:
    """Slack being away at that moment loses nothing."""
    bot = Bot()
    async with slack_side() as (side, client), bot.socket(client) as socket:
        await side.socket()
        bot.clock.advance(timedelta(seconds=61))
        await socket.look()
        await greeted(side, socket)
        bot.away = True
        await socket.look()
        assert bot.told == 0
        bot.away = False
        await socket.look()
        await socket.look()
        assert bot.told == 1


async def test_a_healthy_connection_is_left_alone() -> None:
    """No needless reading of ballots."""
    bot = Bot()
    async with slack_side() as (side, client), bot.socket(client) as socket:
        await side.socket()
        await socket.look()
        assert (side.sockets.qsize(), bot.told) == (0, 0)


async def test_slack_being_away_at_the_start_is_no_reason_not_to_start() -> None:
    """The watchdog connects when it is back."""
    bot = Bot()
    async with slack_side() as (side, client):
        side.error = "internal_error"
        async with bot.socket(client) as socket:
            assert not socket.connected
            side.error = ""
            await socket.look()
            await side.socket()
            assert socket.connected


async def test_a_bad_app_token_is_told_at_once() -> None:
    """Trying again would not help."""
    async with slack_side() as (side, client):
        side.error = "invalid_auth"
        with pytest.raises(RefusedError, match="Slack would not open a socket"):
            async with Bot().socket(client):
                pass


def test_a_socket_that_was_never_opened_is_not_connected() -> None:
    """Readiness can be asked for at any time."""
    client = AsyncWebClient("xoxb-test", base_url="http://127.0.0.1:9/api/")
    assert not Bot().socket(client).connected


async def greeted(side: SlackSide, socket: SocketMode) -> None:
    """The new connection's hello has been read: a command sent behind it was answered."""
    wire = await side.socket()
    await wire.send_json(COMMAND)
    await side.ack()
    assert socket.connected
