"""Answers of a metrics server become readings: arms and pods told apart, what is old or missing named. No I/O."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.adapters.metric_series import Answer, Milliseconds
from bot.domain.judge.samples import Sample
from bot.ports.metrics import (
    AGE_LABEL,
    ERRORS,
    LATENCY,
    NEWEST,
    Arm,
    Arms,
    Lack,
    LackKind,
    LatencyQuery,
    Reading,
    RequestsQuery,
    SignalQueries,
)

STALE_SCRAPES = 3
"""A pod whose newest sample is older than so many scrape intervals is not told: two missed scrapes happen."""

Points = dict[Milliseconds, float]
NEVER: Points = {}


@dataclass(slots=True)
class Pod:
    """What one pod has shown, summed over its series, by moment."""

    requests: Points = field(default_factory=dict)
    errors: Points = field(default_factory=dict)
    newest: Points = field(default_factory=dict)
    buckets: dict[float, Points] = field(default_factory=dict)
    gauges: dict[str, Points] = field(default_factory=dict)

    def row(self, edges: Sequence[float], at: Milliseconds) -> tuple[float, ...]:
        """The histogram at a moment; NaN for every edge that is not there."""
        return tuple([self.buckets.get(bound, NEVER).get(at, math.nan) for bound in edges])


Pods = dict[tuple[Arm, str], Pod]


def edge(bound_s: float) -> float:
    """A bound as a key: equal for what is equal up to rounding (0.1 s and 100 ms)."""
    return round(bound_s, 9)


def readings(
    queries: SignalQueries, moments: Sequence[Milliseconds], answers: Mapping[str, Answer]
) -> tuple[Reading, ...]:
    """One reading for each moment. `answers` are those to `queries.signals`, by name."""
    pods = gathered(queries, answers)
    warned = tuple(_warnings(answers))
    return tuple(_Moment(queries, pods, at).reading(warned) for at in moments)


def gathered(queries: SignalQueries, answers: Mapping[str, Answer]) -> Pods:
    """All answers, sorted by pod."""
    pods: Pods = defaultdict(Pod)
    for name, query in queries.signals.items():
        for labels, points, pod in _of_arms(queries.arms, answers[name], pods):
            match query:
                case RequestsQuery():
                    _count(pod, query, labels, points)
                case LatencyQuery():
                    bound = bound_of(labels, query)
                    if bound is not None:
                        _add(pod.buckets.setdefault(bound, {}), points)
                case _:
                    _add(pod.gauges.setdefault(name, {}), points)
    return pods


def bound_of(labels: Mapping[str, str], query: LatencyQuery) -> float | None:
    """The upper edge of a bucket in seconds; `None` for a series that is no bucket."""
    try:
        return edge(float(labels[query.label]) * query.unit_s)
    except (KeyError, ValueError):
        return None


def _of_arms(arms: Arms, answer: Answer, pods: Pods) -> Iterator[tuple[Mapping[str, str], Mapping[int, float], Pod]]:
    for series in answer.series:
        arm = arms.of(series.labels)
        if arm is not None:
            yield series.labels, series.points, pods[arm, arms.name_of(series.labels, arm)]


def _count(pod: Pod, query: RequestsQuery, labels: Mapping[str, str], points: Mapping[int, float]) -> None:
    if labels.get(AGE_LABEL) == NEWEST:
        pod.newest.update(points)
        return
    _add(pod.requests, points)
    if query.is_bad(labels):
        _add(pod.errors, points)


def _add(to: Points, points: Mapping[int, float]) -> None:
    for at, value in points.items():
        if math.isfinite(value):
            to[at] = to.get(at, 0.0) + value


def _warnings(answers: Mapping[str, Answer]) -> Iterator[Lack]:
    for signal, answer in answers.items():
        if answer.warnings:
            said = f"{signal} may not be whole: {'; '.join(answer.warnings)}"
            yield Lack(LackKind.PARTIAL, signal, None, said)


class _Moment:
    """One moment of all pods."""

    def __init__(self, queries: SignalQueries, pods: Pods, at: Milliseconds) -> None:
        self._queries, self._at = queries, at
        self._edges = [edge(bound) for bound in queries.latency.edges] if queries.latency else []
        oldest_s = STALE_SCRAPES * queries.interval.total_seconds()
        self._fresh: dict[Arm, dict[str, Sample]] = {arm: {} for arm in Arm}
        self._stale: dict[Arm, list[float]] = {arm: [] for arm in Arm}
        for (arm, name), pod in sorted(pods.items()):
            if at in pod.requests:
                age_s = at / 1000 - pod.newest.get(at, at / 1000)
                if age_s <= oldest_s:
                    self._fresh[arm][name] = self._sample(pod)
                else:
                    self._stale[arm].append(age_s)

    def reading(self, warned: tuple[Lack, ...]) -> Reading:
        lacks = [lack for arm in Arm for lack in self._lacks(arm)]
        at = datetime.fromtimestamp(self._at / 1000, UTC)
        return Reading(at, self._fresh[Arm.CANARY], self._fresh[Arm.BASELINE], (*warned, *lacks))

    def _sample(self, pod: Pod) -> Sample:
        at = self._at
        return Sample(
            requests=pod.requests[at],
            errors=pod.errors.get(at, 0.0),
            buckets=pod.row(self._edges, at),
            gauges={name: points[at] for name, points in pod.gauges.items() if at in points},
        )

    def _lacks(self, arm: Arm) -> Iterator[Lack]:
        fresh, stale = self._fresh[arm], self._stale[arm]
        if stale:
            pods = _share(len(stale), len(stale) + len(fresh), arm)
            said = f"the newest sample of {pods} is {min(stale):.0f} s old"
            yield Lack(LackKind.STALE, ERRORS, arm, said)
        elif not fresh:
            yield Lack(LackKind.NO_SERIES, ERRORS, arm, f"no requests are counted on any {arm} pod")
        for name in self._queries.signals if fresh else ():
            without = sum(not _shows(sample, name) for sample in fresh.values())
            if without:
                kind = LackKind.PARTIAL if without < len(fresh) else LackKind.NO_SERIES
                yield Lack(kind, name, arm, f"{name} is not shown by {_share(without, len(fresh), arm)}")


def _shows(sample: Sample, signal: str) -> bool:
    """Whether a pod with requests shows another signal."""
    if signal == ERRORS:
        return True
    return signal in sample.gauges if signal != LATENCY else not any(map(math.isnan, sample.buckets))


def _share(some: int, of: int, arm: Arm) -> str:
    if some == of:
        return f"the {arm} pod" if of == 1 else f"all {of} {arm} pods"
    return f"{some} of {of} {arm} pods"
