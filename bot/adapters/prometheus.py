"""`Metrics` over Prometheus, and whatever speaks its query API."""

from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from bot.adapters.metric_moments import moment, ms, portions
from bot.adapters.metric_proofs import Query, nothing, proof
from bot.adapters.metric_readings import readings
from bot.adapters.metric_series import Answer, Milliseconds
from bot.adapters.metric_totals import moments_of, nothing_known, spells, stale, total, warned
from bot.adapters.prometheus_client import PrometheusClient, Server
from bot.domain.errors import PermanentError, RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import ERRORS, Proof, Reading, SignalQueries, Totals

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

    async def totals(self, queries: SignalQueries, window: timedelta, until: datetime) -> Totals:
        """See `Metrics`. `increase` adds up what counters grew by, over restarts too, and extends that to the ends of
        the window (prometheus.io/docs/prometheus/latest/querying/functions): sums are close, not whole. The first
        request of a code on a pod is not seen, as its series begins with it."""
        query, step = queries.requests, ms(queries.interval)
        at = moment(until - min(queries.interval / SETTLING, LONGEST_SETTLING))
        looks = moments_of(ms(window), at, step)
        times = await self._client.over(f"max(timestamp({query.selector}))", looks[0], looks[-1], looks.step)
        newest = _newest(times)
        if not newest:
            samples = await self._client.at(f"topk({SOME}, {query.metric})", at)
            names = () if samples.series else await self._names()
            return nothing_known(nothing(ERRORS, query, queries.arms, samples, names).problem)
        by = ", ".join(query.code_labels)
        grown = f"sum by ({by}) (increase({query.selector}[{ms(window) // 1000}s]))"
        counted = await self._client.at(grown, at)
        lacks = (*stale(at - round(max(newest.values()) * 1000), step), *([warned(times)] if times.warnings else []))
        return total(query, counted, spells(looks, newest, step), lacks)

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


def _newest(times: Answer) -> dict[Milliseconds, float]:
    """When the newest sample of all series is from, at each moment that has any."""
    return {at: value for series in times.series for at, value in series.points.items()}
