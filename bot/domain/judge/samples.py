"""What the pods showed at one scrape, and what happened since the scrape before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bot.domain.errors import UnreadableError

Floats = npt.NDArray[np.float64]

MOST_ABSENT = 200
"""So many pods that are gone are remembered; one that comes back later counts as new."""

ALL, BAD, FIRST_BUCKET = 0, 1, 2
"""Columns of a row of counters: all, bad ones of them, and then the cumulative buckets."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One pod's counters and gauges as they stand. Counters only grow, until the pod restarts.

    `buckets` is the cumulative histogram of the requests' durations, one for each bound of the settings (empty where
    latency is not judged). `gauges` holds levels by the name of their signal, `counts` further pairs (all, bad) by
    theirs; what a pod does not show is not in them.
    """

    requests: float = 0.0
    errors: float = 0.0
    buckets: Sequence[float] = ()
    gauges: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """One scrape of both arms. `at` is in seconds since the canary got its first traffic; before that the baseline is
    alone. A pod that could not be scraped is not in its mapping."""

    at: float
    canary: Mapping[str, Sample]
    baseline: Mapping[str, Sample]


@dataclass(frozen=True, slots=True)
class Increments:
    """What happened on one arm between each pod's last two scrapes: a row for each pod, whole numbers; and the sum of
    the rows, the arm as a whole."""

    pods: Sequence[str]
    rows: Floats
    total: Floats


class Counters:
    """The last counters of every pod of one arm, each row `width` wide: all, bad, buckets.

    The first scrape of a pod tells nothing, as nobody knows when its counters began. A missed scrape loses nothing:
    the next one shows what both would have shown.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._pods: list[str] = []
        self._rows: Floats = np.empty((0, width))
        self._absent: dict[str, Floats] = {}
        self._torn: dict[str, Floats] = {}
        """What pods showed whose last scrape was torn: their remembered rows run ahead of it."""

    def increments(self, shown: Mapping[str, Sequence[float]]) -> Increments:
        """Take over what the pods show now, which must pass `check`. A pod whose counter fell was restarted:
        what it shows happened since. A histogram that grew more below an edge than below the next was scraped in the
        middle of its own writing, or restarted behind much traffic: it grew at least as much below the next. A pod that
        shows something that is no number was not scraped."""
        pods, now = self._readable(shown)
        if pods != self._pods:
            self._rearrange(pods)
        before = self._rows
        for at, pod in enumerate(pods) if self._torn else ():
            torn_row = self._torn.pop(pod, None)
            if torn_row is not None and np.array_equal(torn_row, now[at]):
                # The very same scrape once more: nothing has happened since, and what was lacking lacks still.
                self._torn[pod], now[at] = torn_row, before[at]
        self._rows = now
        grown = now - before
        fell = grown < 0
        restarted = np.asarray(fell.any(axis=1))
        if fell.any():
            grown[restarted] = np.maximum(now[restarted], 0.0)
        shrank = grown[:, FIRST_BUCKET + 1 :] < grown[:, FIRST_BUCKET:-1]
        if shrank.any():
            torn = np.asarray(shrank.any(axis=1))
            # Never the whole counter: it would be evidence of requests that were judged long ago. What is taken to
            # have grown is remembered as grown, so that the rest of the same writing is not counted again.
            np.maximum.accumulate(grown[:, FIRST_BUCKET:], axis=1, out=grown[:, FIRST_BUCKET:])
            self._torn |= {pod: now[at].copy() for at, pod in enumerate(pods) if torn[at]}
            begun = np.where(restarted[:, None], 0.0, before)
            self._rows = np.where(torn[:, None], begun + grown, now)
        rows = np.rint(grown)
        np.minimum(rows[:, BAD], rows[:, ALL], out=rows[:, BAD])
        new = np.isnan(before[:, ALL])
        if new.any():
            pods, rows = [pod for pod, is_new in zip(pods, new.tolist(), strict=True) if not is_new], rows[~new]
        return Increments(pods, rows, rows.sum(axis=0))

    def check(self, shown: Mapping[str, Sequence[float]]) -> None:
        """Raises UnreadableError for a pod that shows another number of counters than the settings say."""
        for pod, row in shown.items():
            if len(row) != self._width:
                raise UnreadableError(f"pod {pod} shows {len(row) - 2} buckets; {self._width - 2} are configured")

    def _readable(self, shown: Mapping[str, Sequence[float]]) -> tuple[list[str], Floats]:
        pods = list(shown)
        now = np.array(list(shown.values()), dtype=np.float64).reshape(-1, self._width)
        whole = np.asarray(np.isfinite(now).all(axis=1))
        if whole.all():
            return pods, now
        return [pod for pod, ok in zip(pods, whole.tolist(), strict=True) if ok], now[whole]

    def _rearrange(self, pods: list[str]) -> None:
        """Put the last rows into the order of these pods; a pod that is new has a row of NaN."""
        known = self._absent | dict(zip(self._pods, self._rows, strict=True))
        unknown = np.full(self._width, np.nan)
        self._rows = np.array([known.pop(pod, unknown) for pod in pods]).reshape(-1, self._width)
        self._pods, self._absent = pods, dict([*known.items()][-MOST_ABSENT:])

    def state(self) -> dict[str, list[float]]:
        """The last row of each pod; behind it what the pod showed, where that was torn."""
        rows = [*zip(self._pods, self._rows, strict=True), *self._absent.items()]
        return {
            pod: [*row.tolist(), *self._torn[pod].tolist()] if pod in self._torn else row.tolist() for pod, row in rows
        }

    def restore(self, state: Mapping[str, Sequence[float]]) -> None:
        """Go on where `state` was taken."""
        self._pods, self._rows = [], np.empty((0, self._width))
        rows = {pod: np.array(row, dtype=np.float64) for pod, row in state.items()}
        self._absent = {pod: row[: self._width] for pod, row in rows.items()}
        self._torn = {pod: row[self._width :] for pod, row in rows.items() if row.size > self._width}
