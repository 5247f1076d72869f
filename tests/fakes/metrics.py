"""A metrics server in memory: scripted streams in virtual time, told by the same rules as real answers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from bot.adapters.metric_proofs import Query, nothing, proof
from bot.adapters.metric_readings import readings
from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.adapters.metric_totals import moments_of, nothing_known, spells, stale, total
from bot.domain.errors import NotFoundError, UnreachableError
from bot.ports.metrics import (
    AGE_LABEL,
    ERRORS,
    NEWEST,
    GaugeQuery,
    Proof,
    Reading,
    RequestsQuery,
    SignalQueries,
    Totals,
)
from tests.fakes.streams import METRICS, REQUESTS, Load, Pod, Streams

LOOK_BACK_STEPS = 12
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class FakeMetrics:
    """`Metrics` without a server, told apart by the label `pod` alone. `down`: every call is unreachable; `hidden`:
    signals that have no series; `warnings` come with every answer; `read_until` keeps how far each call asked."""

    def __init__(self, streams: Streams | None = None) -> None:
        self.streams = streams or Streams()
        self.down = False
        self.hidden: set[str] = set()
        self.warnings: tuple[str, ...] = ()
        self.read_until: list[datetime] = []

    def load(self, pod: str, at: datetime, **load: float) -> None:
        """From `at` on the pod is under this `Load`."""
        self.streams.load(pod, at, Load(**load))

    def stop_scraping(self, at: datetime) -> None:
        """From `at` on nothing new is known: the data grow stale."""
        self.streams.stopped = at

    def reset(self, pod: str, at: datetime) -> None:
        """The pod's counters begin anew."""
        self.streams.restart(pod, at)

    async def read(self, queries: SignalQueries, since: datetime, until: datetime) -> tuple[Reading, ...]:
        """See `Metrics`."""
        self._answering()
        self.read_until.append(until)
        step, first = queries.interval // MILLISECOND, (since - EPOCH) // MILLISECOND
        moments = range((first // step + 1) * step, (until - EPOCH) // MILLISECOND + 1, step)
        answers = {name: self._answer(name, query, queries, list(moments)) for name, query in queries.signals.items()}
        return readings(queries, moments, answers)

    async def prove(self, queries: SignalQueries, now: datetime) -> tuple[Proof, ...]:
        """See `Metrics`."""
        self._answering()
        return tuple(self._proof(name, query, queries, now) for name, query in queries.signals.items())

    async def totals(self, queries: SignalQueries, window: timedelta, until: datetime) -> Totals:
        """See `Metrics`. Exact: restarts, births and ends of pods lose nothing."""
        self._answering()
        query, step, end = queries.requests, queries.interval // MILLISECOND, (until - EPOCH) // MILLISECOND
        looks = moments_of(window // MILLISECOND, end, step)
        scraped = {at: min(EPOCH + at * MILLISECOND, self.streams.stopped or until) for at in looks}
        pods = [pod for name, pod in self.streams.pods.items() if queries.arms.is_stable({queries.arms.label: name})]
        newest = {
            at: (seen - EPOCH).total_seconds()
            for at, seen in scraped.items()
            if any(_counts(pod, seen) for pod in pods)
        }
        if not newest or ERRORS in self.hidden:
            return nothing_known(nothing(ERRORS, query, queries.arms, Answer(()), METRICS).problem)
        grown = [_grown(pod, until - window, max(scraped.values())) for pod in pods]
        series = [Series({"code": code}, {end: count}) for counts in grown for code, count in counts.items()]
        old = stale(end - round(max(newest.values()) * 1000), step)
        return total(query, Answer(tuple(series), self.warnings), spells(looks, newest, step), old)

    def _answering(self) -> None:
        if self.down:
            raise UnreachableError("the metrics server cannot be reached: it is down")

    def _proof(self, name: str, query: Query, queries: SignalQueries, now: datetime) -> Proof:
        step, last = queries.interval // MILLISECOND, (now - EPOCH) // MILLISECOND
        moments = [last - step * back for back in reversed(range(LOOK_BACK_STEPS))]
        found = proof(name, query, queries, self._answer(name, query, queries, moments))
        if found is not None:
            return found
        shown = [labels for metric, labels, _ in self.streams.shown(now) if metric == query.metric]
        bare = Answer(tuple(Series(labels, {last: 1.0}) for labels in shown if name not in self.hidden))
        return nothing(name, query, queries.arms, bare, METRICS)

    def _answer(self, name: str, query: Query, queries: SignalQueries, moments: list[Milliseconds]) -> Answer:
        points: dict[tuple[tuple[str, str], ...], dict[Milliseconds, float]] = {}
        for at in moments if name not in self.hidden else ():
            scraped = min(EPOCH + at * MILLISECOND, self.streams.stopped or datetime.max.replace(tzinfo=EPOCH.tzinfo))
            for labels, value in self._shown(query, scraped, queries.interval):
                if queries.arms.label in labels:
                    points.setdefault(tuple(labels.items()), {})[at] = value
        return Answer(tuple(Series(dict(labels), found) for labels, found in points.items()), self.warnings)

    def _shown(self, query: Query, scraped: datetime, interval: timedelta) -> Iterator[tuple[dict[str, str], float]]:
        for metric, labels, value in self.streams.shown(scraped):
            if metric != query.metric:
                continue
            if isinstance(query, GaugeQuery):
                grown = self._grown(self.streams.pods[labels["pod"]], metric, scraped, interval)
                if grown is not None:
                    yield labels, grown
                continue
            yield labels, value
            if isinstance(query, RequestsQuery):
                age = {"pod": labels["pod"], AGE_LABEL: NEWEST}
                yield age, (scraped - EPOCH).total_seconds()

    def _grown(self, pod: Pod, metric: str, scraped: datetime, interval: timedelta) -> float | None:
        """By how much a second a counter grew since the scrape before; `None` where it was not scraped."""
        if not pod.is_there(scraped - interval):
            return None
        now, before = (
            next(value for its, _, value in pod.series(at) if its == metric) for at in (scraped, scraped - interval)
        )
        return (now - before if now >= before else now) / interval.total_seconds()


def _counts(pod: Pod, at: datetime) -> dict[str, float]:
    """The requests that a pod shows, by code."""
    if not pod.is_there(at):
        return {}
    return {labels["code"]: value for metric, labels, value in pod.series(at) if metric == REQUESTS}


def _grown(pod: Pod, begin: datetime, end: datetime) -> dict[str, float]:
    """What a pod counted between two moments, over its restarts and up to its end."""
    last = [moment - MILLISECOND for moment in (*pod.restarts, *([pod.gone] if pod.gone else []))]
    cuts = sorted({begin, end, *(cut for cut in (*pod.restarts, *last) if begin < cut < end)})
    found: dict[str, float] = {}
    for earlier, later in pairwise(cuts):
        before = _counts(pod, earlier) if later not in pod.restarts else {}
        for code, count in _counts(pod, later).items():
            found[code] = found.get(code, 0.0) + count - before.get(code, 0.0)
    return found


class FakeProviders:
    """`MetricsProviders` over fakes."""

    def __init__(self, **providers: FakeMetrics) -> None:
        self.providers = providers

    def get(self, name: str) -> FakeMetrics:
        """See `MetricsProviders`."""
        if name not in self.providers:
            raise NotFoundError(f"there is no metrics provider '{name}' in the catalogue")
        return self.providers[name]
