"""Apps at the other end: the bot's own door, and one that is written for a test."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.system_clock import SystemClock
from bot.domain.invocation import Invocation, Origin
from bot.ports.clock import Clock
from bot.sandbox.loopback import listening
from bot.sandbox.slack.stand_in import SlackStandIn, Timing
from bot.slack.bolt import make_app, slack_handler
from bot.slack.chat import SlackChat
from bot.slack.forms import FormChoices
from bot.slack.groups import Groups
from bot.slack.signature import SignedOnly
from bot.slack.web_api import Identity, identify, open_client
from tests.fakes.clock import FakeClock

PATH = "/slack/events"
SECRET = "s3cret"


class Bot:
    """The bot's door, and what it heard."""

    def __init__(self, client: AsyncWebClient, me: Identity, clock: Clock) -> None:
        self.client = client
        self.chat = SlackChat(client, me=me, groups=Groups(client, clock=clock), clock=clock)
        self._heard: asyncio.Queue[Invocation] = asyncio.Queue()
        self.app = make_app(
            client=client,
            hear=self.hear,
            forms=lambda: FormChoices(("api",), ("staging", "prod")),
            clock=clock,
            bot_user=me.user,
        )

    async def hear(self, invocation: Invocation) -> bool:
        """See `Store.hear`."""
        await self._heard.put(invocation)
        return True

    async def next(self, origin: Origin) -> Invocation:
        """The next thing heard through that door."""
        async with asyncio.timeout(5):
            while (invocation := await self._heard.get()).origin is not origin:
                pass
        return invocation

    @property
    def has_heard_all(self) -> bool:
        """Whether nothing is left to be taken with `next`."""
        return self._heard.empty()


@asynccontextmanager
async def sluice(clock: Clock | None = None) -> AsyncIterator[tuple[SlackStandIn, Bot]]:
    """A workspace and the bot in it, over real HTTP both ways."""
    clock = clock or SystemClock()
    slack = SlackStandIn(clock, signing_secret=SECRET, timing=Timing(stamp=lambda: clock.now().timestamp()))
    async with slack.serving() as url, open_client(slack.acme.app.token, base_url=url) as client:
        bot = Bot(client, await identify(client), clock)
        served = web.Application()
        served.router.add_post(PATH, slack_handler(bot.app, SignedOnly(SECRET, clock=clock)))
        async with listening(served) as at:
            slack.request_url = f"{at}{PATH}"
            yield slack, bot


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the app: its JSON (of an interaction: its payload), and its headers."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        """The event in it; empty if it is none."""
        event: dict[str, Any] = self.body.get("event", {})
        return event


Answering = Callable[[Request], web.Response | Awaitable[web.Response]]


@dataclass(slots=True)
class ScriptedApp:
    """Keeps what it is sent and answers as it is told; `answers` run out into a plain 200."""

    requests: list[Request] = field(default_factory=list)
    answers: list[Answering] = field(default_factory=list)
    unsigned: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The route."""
        text = await request.text()
        if not SignatureVerifier(SECRET).is_valid_request(text, dict(request.headers)):
            self.unsigned += 1
        seen = Request(_parsed(text), {name.lower(): value for name, value in request.headers.items()})
        self.requests.append(seen)
        answer = self.answers.pop(0)(seen) if self.answers else web.Response()
        return answer if isinstance(answer, web.Response) else await answer

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of that kind that came, in order."""
        return [request.event for request in self.requests if request.event.get("type") == kind]


@asynccontextmanager
async def scripted(timing: Timing | None = None) -> AsyncIterator[tuple[SlackStandIn, ScriptedApp, FakeClock]]:
    """A workspace with a scripted app, on virtual time; requests are signed by the wall clock."""
    clock, app = FakeClock(), ScriptedApp()
    slack = SlackStandIn(clock, signing_secret=SECRET, timing=timing)
    served = web.Application()
    served.router.add_post(PATH, app.handle)
    async with slack.serving(), listening(served) as at:
        slack.request_url = f"{at}{PATH}"
        yield slack, app, clock


def said(**body: Any) -> Answering:
    """An answer in JSON."""
    return lambda _request: web.json_response(body)


def status(code: int, **headers: str) -> Answering:
    """An answer with that status."""
    return lambda _request: web.Response(status=code, headers=headers)


def _parsed(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        parsed: dict[str, Any] = json.loads(text)
        return parsed
    form = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    return json.loads(form["payload"]) if "payload" in form else form
