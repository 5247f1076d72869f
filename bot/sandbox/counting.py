"""What one pod counts: requests by outcome and duration, and CPU, drawn tick by tick from a seed."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random
from statistics import NormalDist

from bot.sandbox.behaviour import BOUNDS, SPREAD, Behaviour

REQUESTS, BUCKETS, CPU = "http_requests_total", "http_request_duration_seconds_bucket", "process_cpu_seconds_total"
BUCKET_COUNT = len(BOUNDS)
LES = tuple("+Inf" if math.isinf(bound) else f"{bound:g}" for bound in BOUNDS)
DRAWS = 2 * BUCKET_COUNT + 1
BLOCK = 64
"""Ticks that share a generator: to seed one costs as much as many draws."""

CPU_NOISE = 0.2
WHOLE = 1e-6
"""What sums of fractions may lack to a whole number."""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests a second that a pod gets, and how it answers them."""

    rate: float
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Counted:
    """What one pod, or a whole arm, counted in a while. `buckets` are not cumulative."""

    requests: int = 0
    failures: int = 0
    buckets: tuple[int, ...] = (0,) * BUCKET_COUNT

    def __add__(self, other: "Counted") -> "Counted":
        buckets = tuple(map(sum, zip(self.buckets, other.buckets, strict=True)))
        return Counted(self.requests + other.requests, self.failures + other.failures, buckets)

    def quantile_s(self, share: float) -> float | None:
        """The duration that `share` of the requests did not exceed, between two edges as Prometheus draws it; `None`
        without requests."""
        if not self.requests:
            return None
        wanted, before, low = share * sum(self.buckets), 0, 0.0
        for bound, count in zip(BOUNDS, self.buckets, strict=True):
            if before + count >= wanted:
                return low if math.isinf(bound) or not count else low + (bound - low) * (wanted - before) / count
            before, low = before + count, bound
        return low


@dataclass(slots=True)
class PodCounters:
    """The counters of one container. `name` and `seed` decide every draw; without `noisy` it counts what is
    expected."""

    name: str
    seed: int
    noisy: bool
    load: Load
    good: list[float] = field(default_factory=lambda: [0.0] * BUCKET_COUNT)
    failed: list[float] = field(default_factory=lambda: [0.0] * BUCKET_COUNT)
    cpu_s: float = 0.0
    _pieces: list[tuple[Load, float]] = field(default_factory=list)
    _block: tuple[int, list[float]] = (-1, [])

    def lives(self, seconds: float) -> None:
        """So much of a tick passes under the present load."""
        if seconds > 0:
            self._pieces.append((self.load, seconds))

    def restarts(self) -> None:
        """The container begins anew: so do its counters, and what it had counted since the last tick is lost."""
        self.good, self.failed, self.cpu_s = [0.0] * BUCKET_COUNT, [0.0] * BUCKET_COUNT, 0.0
        self._pieces.clear()

    def tick(self, index: int) -> Counted:
        """The tick of this number ends; what was counted in it."""
        if not self._pieces:
            return Counted()
        pieces, self._pieces = tuple(self._pieces), []
        means, cpu_s = _expected(pieces)
        if not self.noisy:
            return self._count([*means, cpu_s])
        *chances, last = self._chances(index)
        drawn = [bisect_left(table, chance) for table, chance in zip(map(_poisson, means), chances, strict=True)]
        return self._count([*drawn, cpu_s * (1 + CPU_NOISE * (2 * last - 1))])

    def series(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """Metric, labels and value of all that the pod shows. A code is not shown before its first request."""
        failed = math.floor(sum(self.failed) + WHOLE)
        requests = math.floor(sum(self.good) + sum(self.failed) + WHOLE)
        for code, count in (("200", requests - failed), ("500", failed)):
            if count:
                yield REQUESTS, {"code": code}, count
        if requests:
            both = (one + other for one, other in zip(self.good, self.failed, strict=True))
            for le, below in zip(LES, accumulate(both), strict=True):
                yield BUCKETS, {"le": le}, math.floor(below + WHOLE)
        yield CPU, {}, self.cpu_s

    def _count(self, drawn: list[float]) -> Counted:
        good, failed = drawn[:BUCKET_COUNT], drawn[BUCKET_COUNT : 2 * BUCKET_COUNT]
        self.good = [before + more for before, more in zip(self.good, good, strict=True)]
        self.failed = [before + more for before, more in zip(self.failed, failed, strict=True)]
        self.cpu_s += drawn[-1]
        buckets = tuple(round(one + other) for one, other in zip(good, failed, strict=True))
        return Counted(round(sum(good) + sum(failed)), round(sum(failed)), buckets)

    def _chances(self, index: int) -> list[float]:
        """The random numbers of a tick, 0-1: always the same ones for this seed, pod and tick."""
        number, within = divmod(index, BLOCK)
        if self._block[0] != number:
            generator = Random(f"{self.seed}/{self.name}/{number}")
            self._block = number, [generator.random() for _ in range(BLOCK * DRAWS)]
        return self._block[1][within * DRAWS : (within + 1) * DRAWS]


@lru_cache(maxsize=1024)
def _expected(pieces: tuple[tuple[Load, float], ...]) -> tuple[tuple[float, ...], float]:
    """What is expected of a tick: good and failed requests by bucket, and CPU seconds."""
    good, failed, cpu_s = [0.0] * BUCKET_COUNT, [0.0] * BUCKET_COUNT, 0.0
    for load, seconds in pieces:
        cpu_s += load.behaviour.cpu * seconds
        for place, share in enumerate(_shares(load.behaviour.latency_s)):
            count = load.rate * seconds * share
            good[place] += count * (1 - load.behaviour.error_rate)
            failed[place] += count * load.behaviour.error_rate
    return (*good, *failed), cpu_s


@lru_cache(maxsize=256)
def _shares(median_s: float) -> tuple[float, ...]:
    """The share of requests in each bucket."""
    spread = NormalDist(math.log(median_s), SPREAD)
    below = [0.0, *(spread.cdf(math.log(bound)) if math.isfinite(bound) else 1.0 for bound in BOUNDS)]
    return tuple(upper - lower for lower, upper in pairwise(below))


@lru_cache(maxsize=4096)
def _poisson(mean: float) -> tuple[float, ...]:
    """How likely at most 0, 1, 2… events are where `mean` are expected: the place of a chance in it is a draw. It ends
    where what is left would be drawn once in a lifetime."""
    most = math.ceil(mean + 10 * math.sqrt(mean) + 10)
    if mean <= 0:
        return (1.0,)
    likely = (math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) for count in range(most))
    return tuple(accumulate(likely))
