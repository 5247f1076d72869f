"""The HTTP server: Slack's requests, health, readiness and metrics."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.domain.errors import TemporaryError
from bot.ports.clock import Clock
from bot.ports.store import Store

SLACK_PATH = "/slack/events"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
"""Up to Slack's own limit of three seconds."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """What the process answers over HTTP. `ready` says whether it may get work; `slack` is `None` in Socket Mode."""

    def __init__(self, *, store: Store, clock: Clock, ready: Callable[[], str | None], slack: Handler | None) -> None:
        self._store = store
        self._clock = clock
        self._ready = ready
        self._slack = slack
        self._registry = CollectorRegistry()
        mine = self._registry
        said = "Time from a request of Slack to its answer"
        self._acks = Histogram("sluice_ack_seconds", said, registry=mine, buckets=BUCKETS_S)
        self._runs = Gauge("sluice_runs", "Runs by phase", ["phase"], registry=mine)
        self._letters = Gauge("sluice_messages_waiting", "Messages not delivered yet", registry=mine)
        self._heard = Gauge("sluice_invocations_waiting", "Commands and events not handled yet", registry=mine)
        self._late = Gauge("sluice_due_late_seconds", "How long the longest due run has waited", registry=mine)

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        if self._slack is not None:
            app.router.add_post(SLACK_PATH, self._timed)
        return app

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve inside the block; yields the port (the free one that was found for 0)."""
        runner = web.AppRunner(self.application(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    async def _timed(self, request: web.Request) -> web.StreamResponse:
        if self._slack is None:
            raise web.HTTPNotFound
        begun = time.perf_counter()
        try:
            return await self._slack(request)
        finally:
            self._acks.observe(time.perf_counter() - begun)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        why = self._ready() or await self._database()
        return web.Response(text=f"{why or 'ready'}\n", status=503 if why else 200)

    async def _metrics(self, _request: web.Request) -> web.Response:
        async with self._store.reading() as tx:
            backlog = await tx.backlog(self._clock.now())
        self._runs.clear()
        for phase, count in backlog.runs_by_phase.items():
            self._runs.labels(phase=phase).set(count)
        self._letters.set(backlog.letters)
        self._heard.set(backlog.invocations)
        self._late.set(backlog.late.total_seconds())
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _database(self) -> str | None:
        try:
            async with self._store.reading() as tx:
                await tx.next_due(self._clock.now())
        except TemporaryError as exc:
            return str(exc)
        return None
