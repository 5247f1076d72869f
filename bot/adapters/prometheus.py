"""`Metrics` over Prometheus, and whatever speaks its query API."""

from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from bot.adapters.metric_moments import moment, ms, portions
from bot.adapters.metric_proofs import Query, nothing, proof
from bot.adapters.metric_readings import readings
from bot.adapters.prometheus_client import PrometheusClient, Server
from bot.domain.errors import PermanentError, RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import Proof, Reading, SignalQueries

SETTLING = 4
LONGEST_SETTLING = timedelta(seconds=2)
"""A scrape is kept under the time when it began, so the youngest moments may still change: a quarter of an interval, at
most this long, is left for the next look. Otherwise two signals could differ by one scrape."""

LOOK_BACK = timedelta(minutes=3)
"""How far a proof looks back: two scrapes of anybody who scrapes every minute."""

SOME = 3
"""Series that are asked for to see what a metric looks like."""


class PrometheusMetrics:
    """Used inside `async with`. `server.url` is what stands before `/api/v1`."""

    def __init__(self, server: Server, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._called = server.called
        self._client = PrometheusClient(server, transport=transport)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def read(self, queries: SignalQueries, since: datetime, until: datetime) -> tuple[Reading, ...]:
        """See `Metrics`."""
        if queries.latency and not queries.latency.bounds:
            raise PermanentError("the buckets of the latency histogram are not known; prove the queries first")
        step = ms(queries.interval)
        settled = until - min(queries.interval / SETTLING, LONGEST_SETTLING)
        found: list[Reading] = []
        for moments in portions(moment(since), moment(settled), step):
            # One after the other, so that one canary never takes more than one of the server's places.
            answers = {
                name: await self._client.over(query.text, moments[0], moments[-1], step)
                for name, query in queries.signals.items()
            }
            found += readings(queries, moments, answers)
        return tuple(found)

    async def prove(self, queries: SignalQueries, now: datetime) -> tuple[Proof, ...]:
        """See `Metrics`."""
        return tuple([await self._proof(name, query, queries, now) for name, query in queries.signals.items()])

    async def _proof(self, name: str, query: Query, queries: SignalQueries, now: datetime) -> Proof:
        step, last = ms(queries.interval), moment(now)
        answer = await self._client.over(query.text, last - max(ms(LOOK_BACK), 5 * step), last, step)
        usable = proof(name, query, queries, answer)
        if usable is not None:
            return usable
        samples = await self._client.at(f"topk({SOME}, {query.metric})", last)
        names = () if samples.series else await self._names()
        return nothing(name, query, queries.arms, samples, names)

    async def _names(self) -> tuple[str, ...]:
        """The names of all metrics, for a suggestion; nothing where the server does not tell."""
        try:
            return await self._client.metric_names()
        except (UnreachableError, RefusedError, UnreadableError):
            return ()
