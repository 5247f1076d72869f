"""A Prometheus in memory that speaks the query API, as an httpx transport: no socket, no waiting."""

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qs

import httpx

from bot.sandbox.prometheus.query_api import answered
from bot.sandbox.prometheus.series_store import Labels, SeriesStore, series_labels
from tests.fakes.clock import START
from tests.fakes.streams import Streams


class PrometheusServer(httpx.AsyncBaseTransport):
    """`scrape` takes what the streams show into the store. `token` or `user`: without them nobody is let in. `faults`
    are answers given once each before anything else; `warnings` come with every answer; `rewrite` changes any answer;
    `prefix` is what stands before `/api/v1`."""

    def __init__(self, streams: Streams | None = None, *, labels: Mapping[str, str] | None = None) -> None:
        self.streams = streams or Streams()
        self.labels = dict(labels or {})
        self.authorization = ""
        self.prefix = ""
        self.warnings: list[str] = []
        self.faults: list[httpx.Response | Exception] = []
        self.rewrite: Callable[[httpx.Response], httpx.Response] | None = None
        self.requests: list[httpx.Request] = []
        self.store = SeriesStore()

    def scrape(self, at: datetime) -> None:
        """One scrape of all pods. A series that is not there any more ends."""
        if self.streams.stopped and at > self.streams.stopped:
            return
        shown = {self._key(metric, labels): value for metric, labels, value in self.streams.shown(at)}
        self.store.scraped(round(at.timestamp() * 1000), shown)

    def add(self, metric: str, at: datetime, value: float, **labels: str) -> None:
        """One sample of any series."""
        self.store.add(series_labels(metric, labels), round(at.timestamp() * 1000), value)

    def _key(self, metric: str, labels: Mapping[str, str]) -> Labels:
        return series_labels(metric, {**self.labels, **labels})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await request.aread()
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answer(request)
        return self.rewrite(answer) if self.rewrite else answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.authorization and request.headers.get("Authorization") != self.authorization:
            return httpx.Response(401, text="Unauthorized\n")
        form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
        reply = answered(self.store, request.url.path.removeprefix(self.prefix), form, START, self.warnings)
        return httpx.Response(reply.status, json=reply.body)
