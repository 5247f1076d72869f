"""Counts for each interval become counters, as every other metrics server shows them. Pure, no I/O.

Datadog and New Relic keep no counters: they keep how much each pod counted in each interval. The judge takes the
difference of two readings, so a reading must be the sum of *all* counts since one fixed moment, or else a restart
between two looks would lose or invent some. That moment is sealed into the plan (`SignalQueries.counted_from`); so the
same time asked again gives the same sums, whoever asks, and counts that arrive late are in the next difference.

Nor do they say when a pod ended: one that counted nothing in an interval may be gone, or quiet. It is not told for that
interval, as if its scrape was missed: the next reading that tells it holds what both would have held. When *nobody* has
counted anything, nothing arrives any more: then the pods are told as they stood, with their age.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.adapters.metric_series import Answer, Labels, Milliseconds, Series, labels_key
from bot.ports.metrics import AGE_LABEL, NEWEST

PodKey = tuple[str, ...]
Points = dict[Milliseconds, float]


@dataclass(frozen=True, slots=True)
class Window:
    """The intervals whose counts are at hand one by one, by their begin: the `steps`, each `step` long. A moment is
    the end of an interval."""

    steps: range

    @property
    def step(self) -> Milliseconds:
        """The length of an interval."""
        return self.steps.step


@dataclass(slots=True)
class _Pod:
    """The series of one pod, each with its counts by the begin of the interval."""

    series: dict[Labels, Points] = field(default_factory=lambda: defaultdict(dict))
    before: dict[Labels, float] = field(default_factory=lambda: defaultdict(float))
    heard: set[Milliseconds] = field(default_factory=set)


class Counts:
    """The counts of one signal, gathered by pod. `labels` are those that name a pod; `before` are the counts since the
    beginning up to the window, in intervals of any length."""

    def __init__(self, labels: Sequence[str], before: Answer, recent: Answer, window: Window) -> None:
        self._labels, self._window = tuple(labels), window
        self._warnings = tuple(dict.fromkeys((*before.warnings, *recent.warnings)))
        self._pods: dict[PodKey, _Pod] = defaultdict(_Pod)
        for series in recent.series:
            pod = self._pods[self._named(series)]
            pod.series[labels_key(series.labels)].update(series.points)
            pod.heard.update(series.points)
        for series in before.series:
            if self._named(series) in self._pods:
                pod, own = self._pods[self._named(series)], labels_key(series.labels)
                pod.before[own] += sum(series.points.values())
                pod.series.setdefault(own, {})

    def counters(self, moments: Sequence[Milliseconds]) -> Answer:
        """Counters at these moments with the age of each pod's newest count, for the pods that counted something in the
        interval before; where nobody did, for those that were told last."""
        told = self._told()
        wanted = set(moments)
        shown = {at: pods for at, pods in told.items() if at in wanted}
        return self._answer(shown, ages=True)

    def lasting_counters(self, moments: Sequence[Milliseconds], *, steps: int) -> Answer:
        """The same without ages, for what belongs to pods that are told already: a pod is shown for `steps` intervals
        after its newest count."""
        shown: dict[Milliseconds, set[PodKey]] = {}
        for at in moments:
            begins = range(at - self._window.step * (steps + 1), at, self._window.step)
            shown[at] = {key for key, pod in self._pods.items() if not pod.heard.isdisjoint(begins)}
        return self._answer(shown, ages=False)

    def _named(self, series: Series) -> PodKey:
        return tuple(series.labels.get(label, "") for label in self._labels)

    def _told(self) -> dict[Milliseconds, set[PodKey]]:
        """The pods that are told, by moment."""
        found: dict[Milliseconds, set[PodKey]] = {}
        last: set[PodKey] = set()
        for begin in self._window.steps:
            heard = {key for key, pod in self._pods.items() if begin in pod.heard}
            last = heard or last
            found[begin + self._window.step] = last
        return found

    def _answer(self, shown: dict[Milliseconds, set[PodKey]], *, ages: bool) -> Answer:
        series: list[Series] = []
        for key, pod in self._pods.items():
            mine = {at for at, pods in shown.items() if key in pods}
            if not mine:
                continue
            for labels in pod.series:
                series.append(Series(dict(labels), self._sums(pod, labels, mine)))
            if ages:
                named = {label: value for label, value in zip(self._labels, key, strict=True) if value}
                series.append(Series({**named, AGE_LABEL: NEWEST}, self._newest(pod, mine)))
        return Answer(tuple(series), self._warnings)

    def _sums(self, pod: _Pod, labels: Labels, moments: set[Milliseconds]) -> Points:
        total, counts, found = pod.before[labels], pod.series[labels], {}
        for begin in self._window.steps:
            total += counts.get(begin, 0.0)
            if begin + self._window.step in moments:
                # Whole, as sums of the same counts in another order may differ by a trifle, and a counter never falls.
                found[begin + self._window.step] = float(round(total))
        return found

    def _newest(self, pod: _Pod, moments: set[Milliseconds]) -> Points:
        """When a pod's newest count was, in seconds, as known at each moment."""
        newest, found = 0, {}
        for begin in self._window.steps:
            end = begin + self._window.step
            newest = end if begin in pod.heard else newest
            if end in moments:
                found[end] = newest / 1000
        return found


def levels(recent: Answer, window: Window) -> Answer:
    """Levels of each interval, told at its end. One that is not there is not repeated: it would look like evidence."""
    step = window.step
    moved = [Series(one.labels, {begin + step: value for begin, value in one.points.items()}) for one in recent.series]
    return Answer(tuple(moved), recent.warnings)


def summed(answers: Sequence[Answer]) -> Answer:
    """The same sums with one point for each series, and everything that the answers warn of."""
    totals: dict[Labels, float] = defaultdict(float)
    for series in (one for answer in answers for one in answer.series):
        totals[labels_key(series.labels)] += sum(series.points.values())
    warnings = dict.fromkeys(said for answer in answers for said in answer.warnings)
    return Answer(tuple(Series(dict(labels), {0: total}) for labels, total in totals.items()), tuple(warnings))
