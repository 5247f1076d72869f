"""The bot in compressed time: every class and protocol of a process that serves, on a clock that is moved by hand.

Nothing waits: whenever neither the bot nor a stand-in has anything to do, time goes to the next moment at which one of
them has. Traffic and names come from a seed, so that the same story goes the same way; only what a watch hears of the
cluster comes through a socket, and may come a moment sooner or later.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from bot.adapters.ci_servers import OpenCiServers
from bot.adapters.http_probe import HttpProber
from bot.app import Bot, Configured, assemble
from bot.audit import BrokenJournalError, proven
from bot.opening import opened, opened_ports, opened_slack
from bot.ports.clock import Clock
from bot.ports.signatures import Signatures
from bot.sandbox.loopback import HOST
from bot.sandbox.slack.stand_in import Timing
from bot.sandbox.stage import NotAsToldError
from bot.sandbox.surroundings import Surroundings
from bot.sandbox.switches import Switches
from bot.sandbox.virtual_clock import VirtualClock
from bot.serving import hearing
from bot.settings import Settings
from bot.store.database import Database
from bot.web import SLACK_PATH, Server
from runbooks.configuration import Configuration

RESTLESS = 200
"""More rounds between the bot and Slack than anything takes that happens at one moment."""

HEARD_AFTER = 10
"""Turns of the event loop within which a watch hears of what the cluster has done: sent, received, read, passed on."""

Pace = Callable[[timedelta], Awaitable[None]]


async def at_once(_passed: timedelta) -> None:
    """The pace of somebody who does not watch."""


def paced(speed: float) -> Pace:
    """So many times as fast as real time; 0: as fast as it goes."""

    async def wait(passed: timedelta) -> None:
        await asyncio.sleep(passed.total_seconds() / speed)

    return wait if speed else at_once


def virtual_timing(clock: Clock) -> Timing:
    """How Slack takes its time: by the same clock, without waiting for it."""

    async def wait(_span: timedelta) -> None:
        await asyncio.sleep(0)

    return Timing(stamp=lambda: clock.now().timestamp(), sleep=wait)


class Rehearsal:
    """A `Stage` in compressed time. `pace` is awaited with every span of time that passes. Where they are given, `door`
    is the way of smoke checks, `ci` the servers of pipelines, commits and files, and `signatures` what checks them."""

    def __init__(
        self,
        around: Surroundings,
        clock: VirtualClock,
        settings: Settings,
        *,
        pace: Pace = at_once,
        door: Callable[[], httpx.AsyncBaseTransport] | None = None,
        ci: OpenCiServers | None = None,
        signatures: Signatures | None = None,
    ) -> None:
        self.around, self.clock = around, clock
        self.switches = Switches(around)
        self.lives = 0
        self._settings, self._pace, self._door = settings, pace, door
        self._ci, self._signatures = ci, signatures
        self._life = AsyncExitStack()
        self._alarm: datetime | None = None
        self._bot: Bot | None = None
        self.store: Database | None = None

    @asynccontextmanager
    async def running(self, configuration: Configuration) -> AsyncIterator[None]:
        """The bot serves inside the block."""
        self._configuration = configuration
        try:
            await self._start()
            yield
        finally:
            await self._life.aclose()

    async def kill_bot(self) -> None:
        """Nothing of the process stays but its database; it is there again at once."""
        await self._life.aclose()
        await self._start()

    async def until(self, holds: Callable[[], bool], *, within: timedelta, about: str) -> None:
        """See `Stage`."""
        end = self.clock.now() + within
        while not holds():
            if self.clock.now() >= end:
                raise NotAsToldError(f"not within {within}: {about}")
            await self.moment(end)

    async def passes(self, span: timedelta) -> None:
        """Let time pass."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            await self.moment(end)

    async def moment(self, end: datetime) -> None:
        """Everything happens that is due now; then time goes to the next moment at which something is, or to `end`."""
        room_in = await self.settle()
        now = self.clock.now()
        coming = (self._alarm, self.around.advance(), now + room_in if room_in is not None else None, end)
        to = min(max(moment, now + timedelta(milliseconds=1)) for moment in coming if moment is not None)
        await self._pace(to - now)
        self.clock.advance_to(to)
        self.around.advance()
        await _heard()

    async def settle(self) -> timedelta | None:
        """Let the bot and Slack answer each other until neither has anything to say; see `Worker.settle`."""
        if self._bot is None:
            raise RuntimeError("the bot does not run")
        for _ in range(RESTLESS):
            await self.around.slack.delivered()
            bells = self._bot.bells
            self._alarm = None
            room_in = await self._bot.worker.settle(guarded=True)
            bells.runs.clear()
            await self.around.slack.delivered()
            await _heard()
            if not bells.inbox.is_set() and not bells.runs.is_set():
                return room_in
        raise RuntimeError(f"{RESTLESS} rounds at one moment, and the bot still hears something new")

    async def audited(self) -> str:
        """See `Stage`."""
        try:
            return str(await proven(self.opened))
        except BrokenJournalError as exc:
            raise NotAsToldError(str(exc)) from exc

    @property
    def opened(self) -> Database:
        """The database of the bot that runs. Raises RuntimeError while none does."""
        if self.store is None:
            raise RuntimeError("the bot does not run")
        return self.store

    def _rings_at(self, moment: datetime) -> None:
        """What the worker says of its next due time whenever it finds nothing due."""
        self._alarm = moment

    async def _start(self) -> None:
        settings, clock = self._settings, self.clock
        self._life, self.lives = AsyncExitStack(), self.lives + 1
        stack, configured = self._life, Configured(self._configuration)
        store = self.store = await stack.enter_async_context(opened(settings))
        slack = await stack.enter_async_context(opened_slack(settings, clock))
        reached = opened_ports(settings, configured.catalogue(), store, slack, clock=clock)
        ports = await stack.enter_async_context(reached)
        if self._door is not None:
            prober = await stack.enter_async_context(HttpProber(transport=self._door()))
            ports = replace(ports, prober=prober)
        if self._ci is not None:
            ports = replace(ports, ci=self._ci, files=self._ci)
            ports = replace(ports, commits=self._ci if self._ci.keeps_repositories else None)
        if self._signatures is not None:
            ports = replace(ports, signatures=self._signatures)
        bot = self._bot = assemble(ports, configured, owner=f"rehearsal-{self.lives}")
        bot.bells.set_alarm = self._rings_at
        handler, ready = await hearing(
            settings, slack, bot, configured=configured, clock=clock, store=store, stack=stack
        )
        server = Server(store=store, clock=clock, ready=ready, slack=handler)
        port = await stack.enter_async_context(server.listening(HOST, 0))
        self.around.slack.request_url = f"http://{HOST}:{port}{SLACK_PATH}"


async def _heard() -> None:
    """Whoever watches the cluster has heard of what it did."""
    for _ in range(HEARD_AFTER):
        await asyncio.sleep(0)


def settings_of(folder: Path, around: Surroundings) -> Settings:
    """The settings of a bot that knows nobody but these surroundings, which serve."""
    return Settings.model_validate(
        {
            "config": folder / "sluice.yaml",
            "database_url": f"sqlite:///{folder / 'sluice.db'}",
            "host": HOST,
            "port": 0,
            "slack_api_url": around.slack.api_url,
            "slack_bot_token": around.slack.acme.app.token,
            "slack_signing_secret": around.slack.signing_secret,
        }
    )
