"""The sandbox's Prometheus: it scrapes the traffic whenever it is asked, for all moments that have passed."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from aiohttp import web

from bot.ports.clock import Clock
from bot.sandbox.loopback import Outage
from bot.sandbox.prometheus.query_api import Reply, answered
from bot.sandbox.prometheus.series_store import Labels, SeriesStore, series_labels
from bot.sandbox.traffic import EPOCH, Traffic

MILLISECOND = timedelta(milliseconds=1)
KEPT = timedelta(hours=2)
SWEEP = timedelta(minutes=5)
"""How often old samples are dropped."""


class PrometheusServer:
    """One server for all services. `interval` is between two scrapes, without one a tick of the traffic; samples older
    than `kept` are dropped. From `stopped` on nothing is scraped any more, `warnings` come with every answer, and
    `outage` takes the whole server down. Raises ValueError for an interval that the traffic does not know."""

    def __init__(
        self, clock: Clock, traffic: Traffic, *, interval: timedelta | None = None, kept: timedelta = KEPT
    ) -> None:
        self._interval = interval or traffic.tick
        if self._interval < traffic.tick or self._interval % traffic.tick:
            raise ValueError(f"the traffic counts every {traffic.tick}: it cannot be scraped every {interval}")
        self._clock, self._traffic, self._kept = clock, traffic, kept
        self.store = SeriesStore()
        self.outage = Outage("prometheus")
        self.stopped: datetime | None = None
        self.warnings: list[str] = []
        self._swept = clock.now()
        self._keys: dict[tuple[str, ...], Labels] = {}
        traffic.after_tick(self._scrape)

    def application(self) -> web.Application:
        """The server, to be served."""
        made = web.Application(middlewares=[self.outage()])
        made.router.add_get("/-/{probe:ready|healthy}", self._ready)
        for path in ("/api/v1/query", "/api/v1/query_range", "/api/v1/labels"):
            made.router.add_route("GET", path, self._asked)
            made.router.add_route("POST", path, self._asked)
        made.router.add_get("/api/v1/label/{label}/values", self._asked)
        return made

    def answer(self, path: str, form: Mapping[str, str]) -> Reply:
        """The answer to a request, with everything scraped that has happened up to now."""
        self._traffic.catch_up()
        return answered(self.store, path, form, self._clock.now(), self.warnings)

    def _scrape(self, at: datetime) -> None:
        if (at - EPOCH) % self._interval or (self.stopped and at > self.stopped):
            return
        shown = {self._key(metric, labels): value for metric, labels, value in self._traffic.shown()}
        self.store.scraped((at - EPOCH) // MILLISECOND, shown)
        if at - self._swept >= SWEEP:
            self._swept = at
            self.store.forget((at - self._kept - EPOCH) // MILLISECOND)
            self._keys.clear()

    def _key(self, metric: str, labels: Mapping[str, str]) -> Labels:
        """The key of a series, made once and not at each of its scrapes."""
        written = (metric, *labels.values())
        found = self._keys.get(written)
        if found is None:
            found = self._keys[written] = series_labels(metric, labels)
        return found

    async def _asked(self, request: web.Request) -> web.Response:
        form = {**request.query, **{key: str(value) for key, value in (await request.post()).items()}}
        reply = self.answer(request.path, form)
        return web.json_response(reply.body, status=reply.status)

    async def _ready(self, request: web.Request) -> web.Response:
        word = "Ready" if request.match_info["probe"] == "ready" else "Healthy"
        return web.Response(text=f"Prometheus Server is {word}.\n")
