"""Pods under traffic, as a function of time: what each has counted by then. Nothing is random."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from statistics import NormalDist

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
REQUESTS, BUCKETS, CPU = "http_requests_total", "http_request_duration_seconds_bucket", "process_cpu_seconds_total"
METRICS = (REQUESTS, BUCKETS, CPU)
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """What a pod does from some moment on: requests a second, the share of them that fails, their median duration in
    seconds (log-normal around it) and CPU in cores."""

    rate: float = 50.0
    error_rate: float = 0.0
    latency: float = 0.04
    cpu: float = 0.1

    def below(self, bound: float) -> float:
        """Requests a second that take no longer than `bound` seconds."""
        return self.rate * NormalDist(math.log(self.latency), SPREAD).cdf(math.log(bound))


@dataclass(slots=True)
class Pod:
    """One pod: its loads, each from a moment on, the moments at which its counters began anew, and its end."""

    loads: list[tuple[datetime, Load]]
    restarts: list[datetime] = field(default_factory=list)
    gone: datetime | None = None

    def is_there(self, at: datetime) -> bool:
        """Whether it can be scraped."""
        return self.loads[0][0] <= at and (self.gone is None or at < self.gone)

    def series(self, at: datetime) -> Iterator[tuple[str, dict[str, str], float]]:
        """Metric, labels and value of everything the pod shows. A code is not shown before its first request."""
        requests = math.floor(self._counted(at, lambda load: load.rate))
        failed = math.floor(self._counted(at, lambda load: load.rate * load.error_rate))
        for code, count in (("200", requests - failed), ("500", failed)):
            if count:
                yield REQUESTS, {"code": code}, count
        for bound in BOUNDS if requests else ():
            count = math.floor(self._counted(at, partial(Load.below, bound=bound)))
            yield BUCKETS, {"le": "+Inf" if math.isinf(bound) else f"{bound:g}"}, count
        yield CPU, {}, self._counted(at, lambda load: load.cpu)

    def _counted(self, at: datetime, per_second: Callable[[Load], float]) -> float:
        """What grew by `per_second` has reached since the pod began, or began anew."""
        born = max((restart for restart in self.restarts if restart <= at), default=self.loads[0][0])
        ends = [begin for begin, _ in self.loads[1:]] + [at]
        pieces = zip(self.loads, ends, strict=True)
        return sum(
            per_second(load) * max(0.0, (min(end, at) - max(begin, born)).total_seconds())
            for (begin, load), end in pieces
        )


class Streams:
    """All pods by name. `stopped` is when the metrics server stopped scraping: its last data stay and grow old."""

    def __init__(self) -> None:
        self.pods: dict[str, Pod] = {}
        self.stopped: datetime | None = None

    def load(self, pod: str, at: datetime, load: Load) -> None:
        """From `at` on the pod does this; the first load is its birth. Changes come in the order of time."""
        self.pods.setdefault(pod, Pod([])).loads.append((at, load))

    def restart(self, pod: str, at: datetime) -> None:
        """The pod's container starts anew at `at`: so do its counters."""
        self.pods[pod].restarts.append(at)

    def end(self, pod: str, at: datetime) -> None:
        """The pod is gone from `at` on."""
        self.pods[pod].gone = at

    def shown(self, at: datetime) -> Iterator[tuple[str, dict[str, str], float]]:
        """What a scrape at `at` sees: metric, labels with the pod's name, value."""
        for name, pod in self.pods.items():
            if pod.is_there(at):
                for metric, labels, value in pod.series(at):
                    yield metric, {"pod": name, **labels}, value
