"""`Metrics` over Datadog: counts for each pod and interval, by the timeseries query of its API (v1).

What must be set up there: the service's metrics come through the Agent's OpenMetrics check (version 2), so that
counters arrive as counts, and a histogram as the counts `<name>.bucket` with the tag `upper_bound`, one for each finite
edge and cumulative (`non_cumulative_histogram_buckets` and `histogram_buckets_as_distributions` stay off), and as
`<name>.count`. The Agent leaves the infinite edge out, as it equals the latter (datadog_checks_base,
openmetrics/v2/transformers/histogram.py). Series carry `pod_name` and `kube_namespace`; for metrics sent by DogStatsD
that needs `DD_DOGSTATSD_TAG_CARDINALITY` to be `orchestrator`. A distribution gives percentiles and no counts of
buckets: latency cannot be judged by it, so it is left out with `metrics: {latency: null}`. CPU is the kubelet's
`kubernetes.cpu.usage.total`, which the Agent reads by itself.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import quote

import httpx

from bot.adapters.counting_metrics import CountingMetrics
from bot.adapters.metric_counts import Window
from bot.adapters.metric_proofs import Query
from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.adapters.metrics_http import DEADLINE, Ask, MetricsHttp, Told, short, unreadable, words
from bot.adapters.opened import Opened
from bot.adapters.retry_after import retry_after
from bot.adapters.secret_source import SecretSource, revealed
from bot.domain.errors import RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import Arms, LatencyQuery

USUAL_DELAY = timedelta(seconds=60)
"""The Agent sends every 15 s, and Datadog needs some seconds more. What is later still is in the next difference."""

MOST_INTERVALS = 1000
"""Datadog rolls more than 1500 points up into longer intervals (docs.datadoghq.com/dashboards/functions/rollup)."""

LOOK_BACK_S = 3600
SOME = 3
"""Values of a tag that a proof names."""

ABSENT = "n/a"
"""The value that Datadog gives to a tag that a series lacks."""


@dataclass(frozen=True, slots=True)
class DatadogServer:
    """Where Datadog is: `url` is what stands before `/api`, such as https://api.datadoghq.eu. `called` names it to
    people; `delay` is how long after an interval its counts are whole."""

    called: str
    url: str
    api_key: SecretSource
    application_key: SecretSource
    delay: timedelta = USUAL_DELAY
    deadline: timedelta = field(default=DEADLINE)


class DatadogClient(Opened):
    """A `CountingServer`, used inside `async with`."""

    most_intervals = MOST_INTERVALS

    def __init__(self, server: DatadogServer, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server, self.delay = server, server.delay
        self._http = MetricsHttp(server.called, server.deadline, transport=transport)
        super().__init__(self._http)

    async def over(self, query: Query, window: Window) -> Answer:
        """See `CountingServer`."""
        step_s = window.step // 1000
        text = query.text
        for method in ("sum", "avg"):
            text = text.replace(f".rollup({method})", f".rollup({method}, {step_s})")
        first_s, last_s = window.steps[0] // 1000, window.steps[-1] // 1000 + step_s - 1
        found, said, told = await self._query(text, first_s, last_s)
        series = []
        for one in found:
            if one.points and one.interval_s != step_s:
                other = f"counts for each {one.interval_s} s and not for each {step_s} s"
                raise unreadable(self._server.called, other, told, text)
            points = {at: value for at, value in one.points.items() if at in window.steps}
            series.append(Series(_edged(query, one), points))
        return Answer(tuple(series), (said,) if said else ())

    async def samples(self, query: Query, arms: Arms, now: Milliseconds) -> Answer:
        """See `CountingServer`."""
        text = f"sum:{query.metric}{{*}} by {{{arms.label}}}.rollup(sum)"
        found, _, _ = await self._query(text, now // 1000 - LOOK_BACK_S, now // 1000)
        some = tuple(Series(one.labels, one.points) for one in found if one.points)[:SOME]
        if any(arms.label in one.labels for one in some) or not some:
            return Answer(some)
        return Answer((Series(dict.fromkeys(await self._tags(query.metric), ""), {now: 1.0}),))

    async def names(self, now: Milliseconds) -> tuple[str, ...]:
        """See `CountingServer`."""
        told = await self._get("/v1/metrics", "the names of metrics", {"from": str(now // 1000 - LOOK_BACK_S)})
        found = self._mapping(told, "the names of metrics").get("metrics")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()

    async def _tags(self, metric: str) -> tuple[str, ...]:
        """The keys of a metric's tags; nothing where the keys may not see them."""
        about = f"the tags of {metric}"
        try:
            told = await self._get(f"/v2/metrics/{quote(metric, safe='')}/all-tags", about, {})
        except (RefusedError, UnreadableError):
            return ()
        data = self._mapping(told, about).get("data")
        tags = data.get("attributes", {}).get("tags") if isinstance(data, dict) else None
        return tuple(sorted({str(tag).partition(":")[0] for tag in tags or ()}))

    async def _query(self, text: str, first_s: int, last_s: int) -> tuple[list["_Found"], str, Told]:
        """The series of an answer, and what Datadog says is wrong with it all the same."""
        told = await self._get("/v1/query", text, {"query": text, "from": str(first_s), "to": str(last_s)})
        envelope = self._mapping(told, text)
        if envelope.get("status") != "ok":
            said = words(envelope.get("error") or "no success")
            raise RefusedError(f"{self._server.called} does not take the query ({said}); asked for {short(text)}")
        try:
            return [_found(one) for one in envelope["series"]], words(envelope.get("error") or ""), told
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise unreadable(self._server.called, "an answer without series", told, text) from exc

    async def _get(self, path: str, about: str, params: dict[str, str]) -> Told:
        headers = {
            "DD-API-KEY": revealed(self._server.api_key),
            "DD-APPLICATION-KEY": revealed(self._server.application_key),
        }
        url = f"{self._server.url.rstrip('/')}/api{path}"
        told = await self._http.send(Ask("GET", url, about, headers=headers, params=params))
        if not told.ok:
            self._complain(told, about)
        return told

    def _complain(self, told: Told, about: str) -> NoReturn:
        """Raises what the status means, with Datadog's own words."""
        status, called, asked = told.status, self._server.called, f"asked for {short(about)}"
        said = f"HTTP {status}: {_words(told)}" if _words(told) else f"HTTP {status}"
        if told.busy:
            # Datadog says in a header of its own how many seconds are left until requests are counted anew.
            wait = retry_after(told.headers.get("X-RateLimit-Reset") or told.headers.get("Retry-After"))
            raise UnreachableError(f"{called} answered {said}; {asked}", retry_after=wait)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            hint = "check both keys, their site, and that the application key may 'timeseries_query'"
            raise RefusedError(f"{called} does not let Sluice in ({said}); {hint}; {asked}")
        if httpx.codes.is_redirect(status) or status == httpx.codes.NOT_FOUND:
            raise UnreadableError(f"{called} has no query API at its address ({said}); check its site; {asked}")
        raise RefusedError(f"{called} does not take the query ({said}); {asked}")

    def _mapping(self, told: Told, about: str) -> dict[str, Any]:
        found = told.json(self._server.called, about)
        if not isinstance(found, dict):
            raise unreadable(self._server.called, "no object", told, about)
        return found


class DatadogMetrics(Opened, CountingMetrics):
    """Used inside `async with`."""

    def __init__(self, server: DatadogServer, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        client = DatadogClient(server, transport=transport)
        Opened.__init__(self, client)
        CountingMetrics.__init__(self, client)


@dataclass(frozen=True, slots=True)
class _Found:
    """A series of an answer; `part` is the number of its query, where one request holds several."""

    labels: dict[str, str]
    points: dict[Milliseconds, float]
    interval_s: int
    part: int


def _found(one: dict[str, Any]) -> _Found:
    tags = [str(tag).partition(":") for tag in one.get("tag_set") or ()]
    labels = {key: value for key, _, value in tags if value.lower() != ABSENT}
    points = {round(at): float(value) for at, value in one["pointlist"] if value is not None}
    return _Found(labels, points, int(one["interval"]), int(one.get("query_index") or 0))


def _edged(query: Query, found: _Found) -> dict[str, str]:
    """The labels of a series; those that count all requests of a histogram are its infinite edge."""
    if isinstance(query, LatencyQuery) and found.part:
        return {**found.labels, query.label: "inf"}
    return found.labels


def _words(told: Told) -> str:
    """What Datadog says itself: a list `errors`, or one `error`."""
    try:
        found = told.json("", "")
        errors = found.get("errors")
        return words("; ".join(map(str, errors)) if isinstance(errors, list) else found.get("error") or "")
    except (UnreadableError, AttributeError):
        return words(told.text)
