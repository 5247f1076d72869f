"""`Metrics` over a server that keeps counts for each interval: what Datadog and New Relic have in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol

from bot.adapters.metric_counts import Counts, Window, levels, summed
from bot.adapters.metric_marks import MOST_KEPT, Key, Marks
from bot.adapters.metric_moments import moment, ms, portions
from bot.adapters.metric_proofs import Query, nothing, proof
from bot.adapters.metric_readings import STALE_SCRAPES, bound_of, readings
from bot.adapters.metric_series import Answer, Milliseconds, Series
from bot.adapters.metric_totals import Spell, nothing_known, spells_of_intervals, stale, total
from bot.domain.errors import PermanentError, RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import (
    ERRORS,
    Arms,
    GaugeQuery,
    LatencyQuery,
    Proof,
    Reading,
    RequestsQuery,
    SignalQueries,
    Totals,
)

BLOCK = 20
"""Intervals that are asked for as one, once they are older than as many: they are the same for every look."""

LOOK_BACK = timedelta(minutes=3)
"""How far a proof looks back, at least."""

FEWEST_LOOKED_BACK = 5
EARLIER = timedelta(minutes=30)
"""Counting begins so long before the proof: the judge first looks at some of the baseline's past."""

DAY_MS = 86_400_000

Known = dict[Key, tuple[Milliseconds, Answer]]
"""Up to when counts are known, and their sums."""


class CountingServer(Protocol):
    """A server that tells counts, or levels, for each interval. Every method may raise as `Metrics` says."""

    @property
    def delay(self) -> timedelta:
        """How long after the end of an interval its counts are whole."""
        ...

    @property
    def most_intervals(self) -> int:
        """How many intervals one request may have."""
        ...

    async def over(self, query: Query, window: Window) -> Answer:
        """The values of each interval of the window, by its begin; an interval without any data has no point."""
        ...

    async def samples(self, query: Query, arms: Arms, now: Milliseconds) -> Answer:
        """A few series of the query's metric without any condition, to see what its labels are; none: there is no such
        metric."""
        ...

    async def names(self, now: Milliseconds) -> tuple[str, ...]:
        """The names of all metrics."""
        ...


@dataclass(frozen=True, slots=True)
class Span:
    """What one request of a look covers: its moments, and since when counts are added up."""

    moments: range
    since: Milliseconds

    @property
    def block(self) -> Milliseconds:
        """The length of the longer intervals."""
        return self.moments.step * BLOCK

    @property
    def recent(self) -> Window:
        """The intervals to ask for one by one: those of the moments, and some before, to know how old the newest is.
        Empty where all moments are before counting begins."""
        cut = (self.moments[0] - self.block) // self.block * self.block
        return Window(range(max(self.since, cut), self.moments[-1], self.moments.step))


class CountingMetrics:
    """`Metrics` over a `CountingServer`."""

    def __init__(self, server: CountingServer) -> None:
        self._server = server
        self._known: Known = {}
        self._marks = Marks()

    async def read(self, queries: SignalQueries, since: datetime, until: datetime) -> tuple[Reading, ...]:
        """See `Metrics`."""
        if queries.latency and not queries.latency.bounds:
            raise PermanentError("the buckets of the latency histogram are not known; prove the queries first")
        if queries.counted_from is None:
            raise PermanentError("since when counts are added up is not known; prove the queries first")
        began, found = moment(queries.counted_from), list[Reading]()
        for moments in portions(moment(since), moment(until - self._server.delay), ms(queries.interval)):
            span = Span(moments, began)
            # One after the other, so that one canary never takes more than one of the server's places.
            answers = {name: await self._answer(query, queries.arms, span) for name, query in queries.signals.items()}
            found += readings(queries, moments, answers)
        return tuple(found)

    async def prove(self, queries: SignalQueries, now: datetime) -> tuple[Proof, ...]:
        """See `Metrics`."""
        return tuple([await self._proof(name, query, queries, now) for name, query in queries.signals.items()])

    async def totals(self, queries: SignalQueries, window: timedelta, until: datetime) -> Totals:
        """See `Metrics`. Long intervals for most of a long window, and short ones for its end: they begin at multiples
        of their length, and the newest requests must not wait for the end of a long one."""
        query, step, end = queries.requests, ms(queries.interval), moment(until - self._server.delay)
        stable: list[Series] = []
        heard: set[Spell] = set()
        warnings: dict[str, None] = {}
        for part in portioned(end - ms(window), end, step, most=self._server.most_intervals):
            found = await self._server.over(query, part)
            warnings |= dict.fromkeys(found.warnings)
            for series in (one for one in found.series if queries.arms.is_stable(one.labels)):
                stable.append(series)
                heard |= {(begin, begin + part.step) for begin in series.points}
        if not heard:
            return nothing_known((await self._nothing(ERRORS, query, queries.arms, end)).problem)
        intervals, last = sorted(heard), end // step * step
        known = spells_of_intervals(intervals)
        old = stale(last - intervals[-1][1], step)
        if query.sparse:  # of events, gaps tell nothing: what is known goes back to the first
            known, old = [(intervals[0][1], last)], ()
        return total(query, Answer(tuple(stable), tuple(warnings)), known, old)

    async def _answer(self, query: Query, arms: Arms, span: Span) -> Answer:
        window = span.recent
        if isinstance(query, GaugeQuery):
            wanted = Window(range(span.moments[0] - window.step, span.moments[-1], window.step))
            return levels(await self._server.over(query, wanted), wanted)
        if not window.steps:
            return Answer(())
        before = await self._before(query, span)
        counts = Counts(arms.labels, before, await self._server.over(query, window), window)
        if isinstance(query, RequestsQuery):
            answer = counts.counters(span.moments)
        else:
            answer = counts.lasting_counters(span.moments, steps=STALE_SCRAPES)
        return self._marks.checked((query.text, span.since), answer, arms.labels)

    async def _before(self, query: Query, span: Span) -> Answer:
        """The counts from the beginning up to the window; what was asked for before is remembered."""
        key, end = (query.text, span.since), span.recent.steps[0]
        asked_to, known = self._known.get(key, (span.since, Answer(())))
        if asked_to > end:
            asked_to, known = span.since, Answer(())
        most = self._server.most_intervals * span.block
        for begin in range(asked_to, end, most):
            block = Window(range(begin, min(begin + most, end), span.block))
            known = summed((known, await self._server.over(query, block)))
        if end > asked_to and not known.warnings:
            self._known.pop(key, None)
            self._known[key] = (end, known)
            if len(self._known) > MOST_KEPT:
                del self._known[next(iter(self._known))]
        return known

    async def _proof(self, name: str, query: Query, queries: SignalQueries, now: datetime) -> Proof:
        step, last = ms(queries.interval), moment(now - self._server.delay)
        last -= last % step
        looked_back = max(ms(LOOK_BACK), FEWEST_LOOKED_BACK * step) // step * step
        window = Window(range(last - looked_back, last, step))
        moments = range(window.steps[0] + step, last + 1, step)
        recent = await self._server.over(query, window)
        match query:
            case GaugeQuery():
                answer = levels(recent, window)
            case RequestsQuery():
                answer = Counts(queries.arms.labels, Answer(()), recent, window).counters(moments)
            case _:
                counts = Counts(queries.arms.labels, Answer(()), recent, window)
                answer = counts.lasting_counters(moments, steps=len(moments))
        found = proof(name, query, queries, answer)
        if found is None:
            found = await self._nothing(name, query, queries.arms, last)
        elif isinstance(query, LatencyQuery) and found.usable:
            found = replace(found, problem=_not_cumulative(query, answer, last))
        if name == ERRORS:
            return replace(found, counted_from=_beginning(now, step))
        return found

    async def _nothing(self, name: str, query: Query, arms: Arms, now: Milliseconds) -> Proof:
        samples = await self._server.samples(query, arms, now)
        if isinstance(query, LatencyQuery) and any(arms.is_stable(one.labels) for one in samples.series):
            said = f"the series have no label '{query.label}', so this is no histogram; name the metric of its buckets"
            return Proof(name, query.text, "nothing", said)
        names = () if samples.series else await self._names(now)
        return nothing(name, query, arms, samples, names)

    async def _names(self, now: Milliseconds) -> tuple[str, ...]:
        """For a suggestion; nothing where the server does not tell."""
        try:
            return await self._server.names(now)
        except (UnreachableError, RefusedError, UnreadableError):
            return ()


def portioned(since: Milliseconds, until: Milliseconds, step: Milliseconds, *, most: int) -> list[Window]:
    """The time from `since` to `until` in few windows, none with more than `most` intervals: long ones where short ones
    would be too many, and short ones for what is left at the end."""
    longer, begin, end = longer_step(until - since, step, most), -(-since // step) * step, until // step * step
    middle = begin if longer == step else end // longer * longer
    first = -(-begin // longer) * longer
    windows = [Window(range(first, middle, longer))] if longer != step else []
    windows += [Window(range(at, min(at + most * step, end), step)) for at in range(middle, end, most * step)]
    return [window for window in windows if window.steps]


def longer_step(span: Milliseconds, step: Milliseconds, most: int) -> Milliseconds:
    """The shortest multiple of `step` that divides a span into at most `most`; one of which a day is a multiple, where
    there is any, as servers roll counts up to whole minutes, hours and days."""
    fitting = range(-(-span // (most * step)) * step, max(span, step) + step, step)
    return next((one for one in fitting if DAY_MS % one == 0), fitting[0]) if fitting[0] > step else step


def _beginning(now: datetime, step: Milliseconds) -> datetime:
    """Where counting begins: between whole blocks, so that blocks can be asked for from there."""
    block = step * BLOCK
    return datetime.fromtimestamp(moment(now - EARLIER) // block * block / 1000, UTC)


def _not_cumulative(query: LatencyQuery, answer: Answer, at: Milliseconds) -> str:
    """What is wrong with buckets that do not hold the requests of those below; empty: nothing."""
    totals: dict[float, float] = {}
    for series in answer.series:
        bound = bound_of(series.labels, query)
        if bound is not None:
            totals[bound] = totals.get(bound, 0.0) + series.points.get(at, 0.0)
    counts: Sequence[float] = [totals[bound] for bound in sorted(totals)]
    if all(low <= high for low, high in pairwise(counts)):
        return ""
    return (
        "the buckets are not cumulative: one holds more requests than the next; send them so that each holds all below"
    )
