"""What is compared, how much worse is too much, and how sure one wants to be."""

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from bot.domain.errors import UsageError

FEWEST_BOUNDS = 3


@dataclass(frozen=True, slots=True)
class CountsSignal:
    """Bad ones out of all: failed requests, failed jobs.

    `of` is what is counted, for people. `weight` is the signal's part of the whole evidence, relative to the other
    signals. Harm is an odds ratio above `tolerance` together with a rate above `floor` (three times almost nothing is
    no harm). Promotion asks that an odds ratio of `ruled_out` be ruled out or, where traffic cannot settle a ratio, a
    rate of `ruled_out_rate`.
    """

    name: str = "errors"
    of: str = "requests"
    weight: float = 0.5
    tolerance: float = 1.1
    floor: float = 1e-4
    ruled_out: float = 2.0
    ruled_out_rate: float = 5e-3


@dataclass(frozen=True, slots=True)
class LatencySignal:
    """A cumulative histogram of durations. `bounds` are its upper edges in seconds, rising, the last one infinite.

    Harm is a slowdown by more than `tolerance`; promotion asks that a slowdown of the tail around `quantile` by
    `ruled_out` be ruled out. Both are ratios of latencies.
    """

    bounds: tuple[float, ...]
    name: str = "latency"
    weight: float = 0.4
    quantile: float = 0.95
    tolerance: float = 1.05
    ruled_out: float = 1.25


@dataclass(frozen=True, slots=True)
class GaugeSignal:
    """A level that each pod shows, where more is worse: CPU in cores, queue lag in messages.

    Levels are compared as ratios. `offset` is added to every level first: it says what is as good as nothing where
    zero is usual (a lag of 10 messages). Without it a pod that shows zero is left out.
    """

    name: str = "cpu"
    weight: float = 0.1
    tolerance: float = 1.15
    ruled_out: float = 1.5
    offset: float = 0.0


Signal = CountsSignal | LatencySignal | GaugeSignal


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Everything the judge needs to know beforehand. Times are in seconds.

    A healthy canary is rolled back with probability at most `alpha`; one that is as bad as the signals' `ruled_out` is
    promoted with probability at most `beta`. `share` is the canary's part of the traffic, 0 to 1; `horizon` the
    longest the canary may last: harm may begin at any time until then. For `warmup` only errors are judged. Nothing is
    promoted before `min_bake`, nor while the evidence of harm is at least `suspicion`. After `blind_after` without
    anything from one of the arms the judge says that it sees nothing. `patience` is how long traffic may need to
    settle a ratio of error rates before the rate itself is asked about.

    A signal that is `None` or not listed is not judged; the weights of the others then count for more, as only their
    proportions matter. `counts` and `gauges` hold any further signals.
    """

    scrape_interval: float
    horizon: float
    share: float
    errors: CountsSignal | None = field(default_factory=CountsSignal)
    latency: LatencySignal | None = None
    counts: tuple[CountsSignal, ...] = ()
    gauges: tuple[GaugeSignal, ...] = (GaugeSignal(),)
    warmup: float = 0.0
    alpha: float = 0.01
    beta: float = 0.05
    min_bake: float = 300.0
    suspicion: float = 3.0
    blind_after: float = 180.0
    patience: float = 1200.0

    def __post_init__(self) -> None:
        """Raises UsageError with all faults at once."""
        if found := [*_own_faults(self), *(fault for signal in self.signals for fault in _faults(signal))]:
            raise UsageError("The judge cannot work like this: " + "; ".join(found) + ".")

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All that is judged, in the order in which it is told."""
        first = tuple(signal for signal in (self.errors, self.latency) if signal is not None)
        return (*first, *self.counts, *self.gauges)

    @property
    def weights(self) -> dict[str, float]:
        """The part of each signal in the whole evidence; they sum to 1."""
        total = math.fsum(signal.weight for signal in self.signals)
        return {signal.name: signal.weight / total for signal in self.signals}

    @property
    def scrapes(self) -> int:
        """How many scrapes the longest canary has."""
        return max(1, int(self.horizon / self.scrape_interval))


def _own_faults(settings: JudgeSettings) -> list[str]:
    names = Counter(signal.name for signal in settings.signals)
    checks = {
        "there is no signal to judge": not names,
        "two signals have the same name": any(count > 1 for count in names.values()),
        "scrape_interval must be above 0 s": not settings.scrape_interval > 0,
        "horizon must be at least one scrape_interval": not settings.horizon >= settings.scrape_interval,
        "share must be between 0 and 1, as in 0.05": not 0 < settings.share < 1,
        "alpha must be between 0 and 1, as in 0.01": not 0 < settings.alpha < 1,
        "beta must be between 0 and 1, as in 0.05": not 0 < settings.beta < 1,
        "suspicion must be between 1 and 1/alpha": settings.suspicion <= 1 or settings.suspicion * settings.alpha > 1,
        "times must not be negative": min(settings.warmup, settings.min_bake, settings.blind_after) < 0,
        "patience must be above 0 s": not settings.patience > 0,
    }
    return [fault for fault, wrong in checks.items() if wrong]


def _faults(signal: Signal) -> list[str]:
    found = [] if signal.weight > 0 else [f"{signal.name}: weight must be above 0; leave the signal out instead"]
    if not 1 <= signal.tolerance < signal.ruled_out:
        found.append(f"{signal.name}: tolerance must be at least 1 and below ruled_out")
    match signal:
        case CountsSignal() if not 0 < signal.floor < signal.ruled_out_rate < 1:
            found.append(f"{signal.name}: it must be that 0 < floor < ruled_out_rate < 1")
        case LatencySignal():
            found += _latency_faults(signal)
        case GaugeSignal() if not signal.offset >= 0:
            found.append(f"{signal.name}: offset must not be negative")
    return found


def _latency_faults(signal: LatencySignal) -> list[str]:
    bounds = signal.bounds
    checks = {
        f"at least {FEWEST_BOUNDS} bounds are needed, the last one infinite": len(bounds) < FEWEST_BOUNDS
        or bounds[-1] != math.inf,
        "bounds must be above 0 s and rise": any(low >= high for low, high in pairwise((0.0, *bounds))),
        "quantile must be between 0 and 1, as in 0.95": not 0 < signal.quantile < 1,
    }
    return [f"{signal.name}: {fault}" for fault, wrong in checks.items() if wrong]
