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


@dataclass(slots=True)
class Pod:
    """What one pod has shown, summed over its series, by moment."""

    requests: Points = field(default_factory=dict)
    errors: Points = field(default_factory=dict)
    newest: Points = field(default_factory=dict)
    buckets: dict[float, Points] = field(default_factory=dict)
    gauges: dict[str, Points] = field(default_factory=dict)

    def row(self, bounds: Sequence[float], at: Milliseconds) -> tuple[float, ...]:
        """The histogram at a moment; NaN for every edge that is not there."""
        return tuple(self.buckets.get(edge(bound), {}).get(at, math.nan) for bound in bounds)


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
        return edge(float(labels["le"]) * query.unit_s)
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
        interval_s = queries.interval.total_seconds()
        counting = {key: pod for key, pod in pods.items() if at in pod.requests}
        self._ages = {key: at / 1000 - pod.newest.get(at, at / 1000) for key, pod in counting.items()}
        self._fresh = {key: pod for key, pod in counting.items() if self._ages[key] <= STALE_SCRAPES * interval_s}

    def reading(self, warned: tuple[Lack, ...]) -> Reading:
        canary, baseline = ({pod: self._sample(shown) for pod, shown in self._on(arm)} for arm in Arm)
        lacks = [lack for arm in Arm for lack in self._lacks(arm)]
        return Reading(datetime.fromtimestamp(self._at / 1000, UTC), canary, baseline, (*warned, *lacks))

    def _on(self, arm: Arm) -> list[tuple[str, Pod]]:
        return sorted(((name, pod) for (its, name), pod in self._fresh.items() if its is arm), key=lambda one: one[0])

    def _sample(self, pod: Pod) -> Sample:
        at, latency = self._at, self._queries.latency
        return Sample(
            requests=pod.requests[at],
            errors=pod.errors.get(at, 0.0),
            buckets=pod.row(latency.edges, at) if latency else (),
            gauges={name: points[at] for name, points in pod.gauges.items() if at in points},
        )

    def _lacks(self, arm: Arm) -> Iterator[Lack]:
        fresh = self._on(arm)
        stale = [age for (its, name), age in self._ages.items() if its is arm and (its, name) not in self._fresh]
        if stale:
            pods = _share(len(stale), len(stale) + len(fresh), arm)
            said = f"the newest sample of {pods} is {min(stale):.0f} s old"
            yield Lack(LackKind.STALE, ERRORS, arm, said)
        elif not fresh:
            yield Lack(LackKind.NO_SERIES, ERRORS, arm, f"no requests are counted on any {arm} pod")
        if fresh:
            yield from self._unseen(arm, [pod for _, pod in fresh])

    def _unseen(self, arm: Arm, pods: Sequence[Pod]) -> Iterator[Lack]:
        """Signals that pods with requests do not show."""
        for name, query in self._queries.signals.items():
            without = sum(not self._shows(pod, name, query) for pod in pods)
            if without:
                kind = LackKind.PARTIAL if without < len(pods) else LackKind.NO_SERIES
                yield Lack(kind, name, arm, f"{name} is not shown by {_share(without, len(pods), arm)}")

    def _shows(self, pod: Pod, name: str, query: object) -> bool:
        match query:
            case RequestsQuery():
                return True
            case LatencyQuery(edges=edges):
                return not any(math.isnan(count) for count in pod.row(edges, self._at))
            case _:
                return self._at in pod.gauges.get(name, {})


def _share(some: int, of: int, arm: Arm) -> str:
    if some == of:
        return f"the {arm} pod" if of == 1 else f"all {of} {arm} pods"
    return f"{some} of {of} {arm} pods"
