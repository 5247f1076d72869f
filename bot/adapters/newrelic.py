"""`Metrics` over New Relic: counts for each pod and interval, by NRQL through NerdGraph, its GraphQL API.

What must be set up there: either the service's Prometheus metrics arrive as `Metric` (by remote write, or by New
Relic's Prometheus agent), which stores counters and the buckets of histograms as counts since the data point before,
with the labels as attributes (docs.newrelic.com, "Prometheus and New Relic metric types"); or its APM agent sends
`Transaction` events, of which requests below any duration can be counted exactly. Agents that have more events than
they may send keep a random part of them; the judge compares proportions, so that costs evidence and not truth. A
`summary` or `distribution` metric has no counts of buckets: latency is then left out with `metrics: {latency: null}`.
CPU is `K8sContainerSample.cpuUsedCores` of the Kubernetes integration.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

import httpx

from bot.adapters.counting_metrics import CountingMetrics
from bot.adapters.metric_counts import Window
from bot.adapters.metric_proofs import Query
from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.adapters.metrics_http import DEADLINE, Ask, MetricsHttp, Told, short, unreadable, words
from bot.adapters.newrelic_errors import complain, complain_of_status
from bot.adapters.newrelic_rows import Row, facets_of, listed, series_of, source_of, without_idle
from bot.adapters.secret_source import SecretSource, revealed
from bot.ports.metrics import Arms, RequestsQuery

USUAL_DELAY = timedelta(seconds=90)
"""Prometheus and agents send up to every 60 s. What is later still is in the next difference."""

MOST_INTERVALS = 366
"""Of one TIMESERIES (docs.newrelic.com, NRQL reference)."""

MOST_FACETS = 5000
"""What LIMIT MAX means of a FACET (docs.newrelic.com, NRQL reference): any more are left out without a word."""

GRAPHQL = """
query($account: Int!, $nrql: Nrql!, $timeout: Seconds) {
  actor { account(id: $account) { nrql(query: $nrql, timeout: $timeout) { results metadata { messages } } } }
}
"""
LOOK_BACK_MS = 3_600_000
SOME = 3
"""Values of an attribute that a proof names."""


@dataclass(frozen=True, slots=True)
class NewRelicServer:
    """Where New Relic is: `url` is NerdGraph's own, `api_key` a user key that sees `account`. `called` names it to
    people; `delay` is how long after an interval its counts are whole."""

    called: str
    url: str
    account: int
    api_key: SecretSource
    delay: timedelta = USUAL_DELAY
    deadline: timedelta = field(default=DEADLINE)


class NewRelicClient:
    """A `CountingServer`, used inside `async with`."""

    most_intervals = MOST_INTERVALS

    def __init__(self, server: NewRelicServer, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server, self.delay = server, server.delay
        self._http = MetricsHttp(server.called, server.deadline, transport=transport)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def over(self, query: Query, window: Window) -> Answer:
        """See `CountingServer`."""
        first, end = window.steps[0], window.steps[-1] + window.step
        text = f"{query.text} SINCE {first} UNTIL {end} TIMESERIES {window.step // 1000} SECONDS"
        rows, messages, told = await self._ask(text)
        try:
            series = series_of(query.text, rows)
        except (KeyError, TypeError, ValueError) as exc:
            raise unreadable(self._server.called, "rows that are no series", told, text) from exc
        if any(at not in window.steps for one in series for at in one.points):
            raise unreadable(self._server.called, "other intervals than those asked for", told, text)
        if len({str(row.get("facet")) for row in rows}) >= MOST_FACETS:
            messages = (*messages, f"{MOST_FACETS:,} pods are told, and there may be more")
        if isinstance(query, RequestsQuery):
            series = without_idle(query, series)
        return Answer(series, messages)

    async def samples(self, query: Query, arms: Arms, now: Milliseconds) -> Answer:
        """See `CountingServer`."""
        source = source_of(query.text)
        which = f" WHERE metricName = '{query.metric}'" if source == "Metric" else ""
        since = f"FROM {source}{which} SINCE {now - LOOK_BACK_MS} UNTIL {now}"
        attribute = facets_of(query.text).get(arms.label, arms.label)
        rows, _, _ = await self._ask(f"SELECT count(*) {since} FACET `{attribute}` LIMIT {SOME}")
        names = [str(row.get("facet")) for row in rows if row.get("facet") is not None]
        if names:
            return Answer(tuple(Series({arms.label: name}, {now: 1.0}) for name in names))
        keys, _, _ = await self._ask(f"SELECT keyset() {since}")
        labels = sorted({str(key) for row in keys for found in row.values() for key in listed(found)})
        return Answer((Series(dict.fromkeys(labels, ""), {now: 1.0}),) if labels else ())

    async def names(self, now: Milliseconds) -> tuple[str, ...]:
        """See `CountingServer`."""
        text = f"SELECT uniques(metricName, 5000) FROM Metric SINCE {now - LOOK_BACK_MS} UNTIL {now}"
        rows, _, _ = await self._ask(text)
        return tuple(str(name) for row in rows for found in row.values() for name in listed(found))

    async def _ask(self, nrql: str) -> tuple[Sequence[Row], tuple[str, ...], Told]:
        """The rows of an answer, and what New Relic says of them. Raises as `Metrics` says."""
        called = self._server.called
        timeout_s = max(1, int(self._server.deadline.total_seconds()))
        variables = {"account": self._server.account, "nrql": nrql, "timeout": timeout_s}
        headers = {"API-Key": revealed(self._server.api_key)}
        body = {"query": GRAPHQL, "variables": variables}
        told = await self._http.send(Ask("POST", self._server.url, nrql, headers=headers, body=body))
        if not told.ok:
            complain_of_status(called, told, nrql)
        envelope = told.json(called, nrql)
        if not isinstance(envelope, dict):
            raise unreadable(called, "no object", told, nrql)
        if envelope.get("errors"):
            complain(called, envelope["errors"], nrql)
        try:
            found = envelope["data"]["actor"]["account"]["nrql"]
            rows, metadata = found["results"], found.get("metadata") or {}
            return [dict(row) for row in rows], tuple(map(words, metadata.get("messages") or ())), told
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise unreadable(called, "an answer without results", told, short(nrql)) from exc


class NewRelicMetrics(CountingMetrics):
    """Used inside `async with`."""

    def __init__(self, server: NewRelicServer, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = NewRelicClient(server, transport=transport)
        super().__init__(self._client)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)
