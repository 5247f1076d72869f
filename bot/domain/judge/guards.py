"""Absolute limits beside the judge: `error_rate < 1%`, `p95 < 300ms`, `cpu < 0.8 cores`.

A guard looks at one arm by itself, over a sliding window. It is breached when, in that window,

- there were enough requests (or scrapes, for a level), and
- the share of bad or slow ones lies above the limit by more than chance explains: were the true share at the limit, so
  many would be seen once in 10,000 looks (exact binomial tail), so an hour of looks at a service that sits exactly at
  its limit rings falsely with a probability of at most 2.4 % (scrapes every 15 s), and at half the limit practically
  never; and
- it is still above the limit without the window's worst scrape, so that one unlucky scrape never rings, however bad.

A level has no counts: it is breached when its mean over the window is above the limit, and still is without its highest
scrape. Bad ones that come in clumps make chance larger than binomial; the last rule is what holds then.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from bot.domain.errors import UsageError
from bot.domain.judge.samples import ALL, BAD, FIRST_BUCKET, Counters, Sample

BY_CHANCE = 1e-4
"""Probability of so many bad ones at a true share that is exactly the limit, below which a guard is breached."""


@dataclass(frozen=True, slots=True)
class RateGuard:
    """The share of failed requests stays below `limit` (0 to 1)."""

    limit: float
    name: str = "error_rate"

    def __str__(self) -> str:
        return f"{self.name} < {self.limit * 100:g}%"


@dataclass(frozen=True, slots=True)
class LatencyGuard:
    """The `quantile` of latencies stays below `limit` seconds: at most 1 - quantile of the requests are slower.

    Where the limit is no edge of the histogram, requests count as slow from the next edge on.
    """

    quantile: float
    limit: float

    @property
    def name(self) -> str:
        """`p95`."""
        return f"p{self.quantile * 100:g}"

    def __str__(self) -> str:
        return f"{self.name} < {self.limit * 1000:g}ms"


@dataclass(frozen=True, slots=True)
class LevelGuard:
    """The mean of a gauge over the pods stays below `limit`, in the gauge's `unit` (CPU: cores)."""

    name: str
    limit: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.name} < {self.limit:g} {self.unit}".rstrip()


Guard = RateGuard | LatencyGuard | LevelGuard


@dataclass(frozen=True, slots=True)
class Breach:
    """A guard that was breached, and the line that says so with its numbers."""

    guard: Guard
    line: str


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """`window` in seconds; how many requests, or scrapes for a level, it must hold before a guard may be breached.
    `bounds` are those of the histogram (empty: no guard on latency)."""

    guards: Sequence[Guard]
    window: float = 120.0
    least_requests: int = 50
    least_scrapes: int = 4
    bounds: Sequence[float] = ()

    def __post_init__(self) -> None:
        longest = max((bound for bound in self.bounds if bound < math.inf), default=0.0)
        for guard in self.guards:
            if isinstance(guard, LatencyGuard) and guard.limit > longest:
                raise UsageError(f"{guard} cannot be seen in a histogram that ends at {longest * 1000:g} ms.")


class Guards:
    """The guards of one arm. Fed with every scrape of its pods; state as small as the window."""

    def __init__(self, settings: GuardSettings) -> None:
        self.settings = settings
        self._counters = Counters(FIRST_BUCKET + len(settings.bounds))
        self._counts: list[tuple[float, list[float]]] = []
        self._levels: list[tuple[float, dict[str, float]]] = []

    def see(self, at: float, pods: Mapping[str, Sample]) -> tuple[Breach, ...]:
        """One scrape at `at` seconds: the guards that are breached now. A scrape seen twice counts once.

        Raises UnreadableError for a histogram with other bounds than the settings'.
        """
        if not self._counts or at > self._counts[-1][0]:
            shown = {pod: (sample.requests, sample.errors, *sample.buckets) for pod, sample in pods.items()}
            self._counters.check(shown)
            self._counts.append((at, self._counters.increments(shown).total.tolist()))
            self._levels.append(
                (at, {guard.name: level for guard in self._level_guards if (level := _mean(guard, pods))})
            )
            begins = at - self.settings.window
            self._counts = [entry for entry in self._counts if entry[0] > begins]
            self._levels = [entry for entry in self._levels if entry[0] > begins]
        found = ((guard, self._line(guard)) for guard in self.settings.guards)
        return tuple(Breach(guard, line) for guard, line in found if line)

    @property
    def _level_guards(self) -> list[LevelGuard]:
        return [guard for guard in self.settings.guards if isinstance(guard, LevelGuard)]

    def _line(self, guard: Guard) -> str:
        """What is wrong, or nothing."""
        match guard:
            case RateGuard():
                requests, bad = self._if_beyond(guard.limit, [(row[ALL], row[BAD]) for _, row in self._counts])
                return f"{guard}: {bad / requests:.2%} ({bad:,.0f} of {requests:,.0f} requests failed)" if bad else ""
            case LatencyGuard():
                column = FIRST_BUCKET + self._edge(guard.limit)
                rows = [(row[-1], row[-1] - row[column]) for _, row in self._counts]
                requests, slow = self._if_beyond(1 - guard.quantile, rows)
                limit = f"{self.settings.bounds[self._edge(guard.limit)] * 1000:g} ms"
                return (
                    f"{guard}: {slow / requests:.2%} ({slow:,.0f} of {requests:,.0f}) took longer than {limit}"
                    if slow
                    else ""
                )
            case LevelGuard():
                levels = [levels[guard.name] for _, levels in self._levels if guard.name in levels]
                return self._level_line(guard, levels)
            case _:
                assert_never(guard)

    def _edge(self, limit: float) -> int:
        """The first edge from which on every request is slower than the limit."""
        bounds = self.settings.bounds
        return next(at for at, bound in enumerate(bounds) if bound >= limit * (1 - 1e-9))

    def _if_beyond(self, limit: float, scrapes: Sequence[tuple[float, float]]) -> tuple[float, float]:
        """All and bad ones of the window when their share is surely above the limit; else nothing."""
        requests, bad = (math.fsum(column) for column in zip(*scrapes, strict=True))
        if requests < self.settings.least_requests or bad <= limit * requests:
            return 0.0, 0.0
        worst = max(scrapes, key=lambda scrape: scrape[1] - limit * scrape[0])
        if bad - worst[1] <= limit * (requests - worst[0]) or binomial_tail(bad, requests, limit) > BY_CHANCE:
            return 0.0, 0.0
        return requests, bad

    def _level_line(self, guard: LevelGuard, levels: Sequence[float]) -> str:
        if len(levels) < max(2, self.settings.least_scrapes):
            return ""
        without_highest = (math.fsum(levels) - max(levels)) / (len(levels) - 1)
        if without_highest <= guard.limit:
            return ""
        return f"{guard}: {math.fsum(levels) / len(levels):.2g} over {len(levels)} scrapes"

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process, as JSON."""
        return {
            "counters": self._counters.state(),
            "counts": [[at, row] for at, row in self._counts],
            "levels": [[at, dict(levels)] for at, levels in self._levels],
        }

    @classmethod
    def restored(cls, settings: GuardSettings, state: Mapping[str, Any]) -> "Guards":
        """The guards that wrote `state`, with the same settings."""
        guards = cls(settings)
        guards._counters.restore(state["counters"])
        guards._counts = [(at, list(row)) for at, row in state["counts"]]
        guards._levels = [(at, dict(levels)) for at, levels in state["levels"]]
        return guards


def _mean(guard: LevelGuard, pods: Mapping[str, Sample]) -> float:
    levels = [sample.gauges[guard.name] for sample in pods.values() if guard.name in sample.gauges]
    return math.fsum(levels) / len(levels) if levels else 0.0


def binomial_tail(bad: float, requests: float, share: float) -> float:
    """The probability of at least so many bad ones, from above the mean: at most, within 1e-12 of it."""
    log_term = (
        math.lgamma(requests + 1)
        - math.lgamma(bad + 1)
        - math.lgamma(requests - bad + 1)
        + bad * math.log(share)
        + (requests - bad) * math.log1p(-share)
    )
    odds = share / (1 - share)
    total, term, at = 0.0, 1.0, bad
    while term > 1e-15 * total and at <= requests:
        total += term
        term *= (requests - at) / (at + 1) * odds
        at += 1
    return min(1.0, math.exp(log_term) * total)
