"""Both doors against a Slack emulator: what people do in the workspace reaches the bot, by HTTP and by socket.

The emulator is named as in `tests/contracts/workspaces.py`, with `SLACK_SIGNING_SECRET` and `SLACK_APP_TOKEN` besides.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.system_clock import SystemClock
from bot.domain.ids import ChannelId, MessageKey
from bot.domain.invocation import Invocation, Origin
from bot.slack.bolt import make_app, slack_handler
from bot.slack.chat import SlackChat
from bot.slack.forms import FormChoices
from bot.slack.groups import Groups
from bot.slack.release_message import release_message
from bot.slack.signature import SignedOnly
from bot.slack.socket_mode import SocketMode
from bot.slack.web_api import Identity, identify, open_client
from tests.slack.samples import voting

DEPLOYS = ChannelId("C0DEPLOYS")
KEY = MessageKey("api-prod-42/live/1")

pytestmark = pytest.mark.real


class Bot:
    """A served bot, and what it heard."""

    def __init__(self, client: AsyncWebClient, me: Identity) -> None:
        self.clock = SystemClock()
        self.chat = SlackChat(client, me=me, groups=Groups(client, clock=self.clock), clock=self.clock)
        self._heard: asyncio.Queue[Invocation] = asyncio.Queue()
        self.app = make_app(
            client=client,
            hear=self.hear,
            forms=lambda: FormChoices(("api",), ("staging", "prod")),
            clock=self.clock,
            bot_user=me.user,
        )

    async def hear(self, invocation: Invocation) -> bool:
        """See `Store.hear`."""
        await self._heard.put(invocation)
        return True

    async def next(self, origin: Origin) -> Invocation:
        """The next thing heard through a door."""
        async with asyncio.timeout(5):
            while (invocation := await self._heard.get()).origin is not origin:
                pass
        return invocation


async def rig(verb: str, **args: Any) -> dict[str, Any]:
    """What people do in the emulated workspace."""
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(f"{os.environ['RIG_SLACK_URL']}/rig/{verb}", json=args)
        answer.raise_for_status()
        done: dict[str, Any] = answer.json()
        return done


@asynccontextmanager
async def a_bot() -> AsyncIterator[tuple[Bot, AsyncWebClient]]:
    """A bot without a door."""
    await rig("reset")
    async with open_client(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]) as client:
        yield Bot(client, await identify(client)), client


@asynccontextmanager
async def by_http() -> AsyncIterator[Bot]:
    """The bot behind a request URL that the emulator has verified."""
    async with a_bot() as (bot, _):
        served = web.Application()
        served.router.add_post(
            "/slack/events", slack_handler(bot.app, SignedOnly(os.environ["SLACK_SIGNING_SECRET"], clock=SystemClock()))
        )
        runner = web.AppRunner(served)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            config = await rig("config", request_url=f"http://{host}:{port}/slack/events")
            assert config["url_verified"]
            yield bot
        finally:
            await runner.cleanup()


@asynccontextmanager
async def by_socket() -> AsyncIterator[Bot]:
    """The bot on a socket."""

    async def missed() -> None:
        """Nothing is missed in a test this short."""

    async with a_bot() as (bot, client):
        token = os.environ["SLACK_APP_TOKEN"]
        async with SocketMode(bot.app, token, client, clock=bot.clock, on_reconnect=missed):
            yield bot


@pytest.fixture(params=[by_http, by_socket], ids=["http", "socket"])
def door(request: pytest.FixtureRequest) -> Callable[[], AbstractAsyncContextManager[Bot]]:
    """Each way in."""
    if "RIG_SLACK_URL" not in os.environ:
        pytest.skip("no Slack emulator is named by RIG_SLACK_URL")
    opened: Callable[[], AbstractAsyncContextManager[Bot]] = request.param
    return opened


async def test_a_command_is_heard_and_answered(door: Callable[[], AbstractAsyncContextManager[Bot]]) -> None:
    """Within Slack's three seconds, to its sender alone."""
    async with door() as bot:
        done = await rig("slash", command="/deploy api sha123 staging", **{"as": "alice"})
        heard = await bot.next(Origin.SLASH)
    assert (heard.text, heard.user, heard.channel) == ("deploy api sha123 staging", "U0ALICE", DEPLOYS)
    assert done["ack"]["error"] is None
    assert done["ack"]["body"]["text"] == "`/deploy api sha123 staging` – on it."


async def test_a_release_message_is_accepted_and_its_buttons_work(
    door: Callable[[], AbstractAsyncContextManager[Bot]],
) -> None:
    """Its blocks are what Slack takes, and a click is a line."""
    async with door() as bot:
        place = await bot.chat.post(DEPLOYS, KEY, release_message(voting()), thread_ts=None)
        done = await rig("action", action_id="abort", **{"as": "bob"})
        heard = await bot.next(Origin.BUTTON)
    assert (heard.text, heard.user, heard.message_ts) == ("abort api-prod-42", "U0BOB", place.ts)
    assert done["ack"]["error"] is None


async def test_a_vote_is_heard(door: Callable[[], AbstractAsyncContextManager[Bot]]) -> None:
    """A reaction by a person, and nothing of the bot's own seed."""
    async with door() as bot:
        place = await bot.chat.post(DEPLOYS, KEY, release_message(voting()), thread_ts=None)
        await bot.chat.react(place, "x")
        bob = AsyncWebClient("xoxp-bob", base_url=os.environ["SLACK_API_URL"])
        await bob.reactions_add(channel=place.channel, timestamp=place.ts, name="white_check_mark")
        heard = await bot.next(Origin.REACTION)
        assert (heard.text, heard.user, heard.message_ts) == ("+white_check_mark", "U0BOB", place.ts)


async def test_a_mention_is_heard(door: Callable[[], AbstractAsyncContextManager[Bot]]) -> None:
    """The same verbs without a slash."""
    async with door() as bot:
        alice = AsyncWebClient("xoxp-alice", base_url=os.environ["SLACK_API_URL"])
        await alice.chat_postMessage(channel=DEPLOYS, text="<@U0RELBOT> status api")
        heard = await bot.next(Origin.MENTION)
        assert (heard.text, heard.user) == ("status api", "U0ALICE")


async def test_a_form_opens_and_is_sent(door: Callable[[], AbstractAsyncContextManager[Bot]]) -> None:
    """A bare command leads to the same line as a typed one."""
    async with door() as bot:
        await rig("slash", command="/rollback", **{"as": "alice"})
        values = {name: {name: {"value": said}} for name, said in (("service", "api"), ("environment", "prod"))}
        done = await submitted(values)
        heard = await bot.next(Origin.FORM)
    assert (heard.text, heard.channel) == ("rollback api prod", DEPLOYS)
    assert done["ack"]["error"] is None


async def submitted(values: dict[str, Any]) -> dict[str, Any]:
    """Send the form as soon as it is open: it opens beside the acknowledgement."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await rig("submit", values=values, **{"as": "alice"})
            except httpx.HTTPStatusError:
                continue  # each try is a round trip to the emulator: no need to wait besides
