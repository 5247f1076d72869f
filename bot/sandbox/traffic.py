"""Requests to the pods of the sandbox: who gets which share, how each version answers, and what that adds up to."""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.ports.clock import Clock
from bot.sandbox.behaviour import Arm, Behaviour, Change, arm_of, of_tag, tag_of
from bot.sandbox.counting import Counted, Load, PodCounters
from bot.sandbox.endpoint import Endpoint

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
SECOND = timedelta(seconds=1)
REMEMBERED = 600
"""Ticks of history of each arm: ten minutes, where a tick is a second."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a sparkline: what an arm did in the tick that ended `at`. `p95_s` is `None` without requests."""

    at: datetime
    requests_per_s: float
    error_ratio: float
    p95_s: float | None


@dataclass(slots=True)
class _Pod:
    endpoint: Endpoint
    service: str
    counters: PodCounters
    served: Counted = field(default_factory=Counted)


class Traffic:
    """Told what happens (`route`, `answers`, `rate`, `ended`, `restarted`), it counts up to the present whenever
    somebody asks. The same seed and story give the same counts, however often and whenever it is asked.

    `rate` is in requests a second to each service; `usual` is how a version answers of which nobody says anything;
    `version_of` names the version that an image is, for `answers`: its tag, unless told otherwise. `noisy=False` counts
    exactly what is expected. Counters move once a `tick`, aligned to the epoch: longer ones make long stories cheap.

    A story is told in the order of time; what is told of a moment that is counted already holds from the last counted
    moment on.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int = 0,
        *,
        rate: float = 100.0,
        usual: Behaviour | None = None,
        version_of: Callable[[str], str] = tag_of,
        noisy: bool = True,
        tick: timedelta = SECOND,
    ) -> None:
        self._clock, self._seed, self._noisy = clock, seed, noisy
        self._rate, self._usual, self._version_of = rate, usual or Behaviour(), version_of
        self._rates: dict[tuple[str, str], float] = {}
        self._said: dict[str | Arm, Change] = {}
        self._pods: dict[tuple[str, str], _Pod] = {}
        self._history: dict[tuple[str, str, Arm], deque[tuple[datetime, Counted]]] = {}
        self._gone: dict[str, Counted] = {}
        self._story: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.tick = tick
        self._counted = EPOCH + (clock.now() - EPOCH) // tick * tick
        self._passed = self._counted
        self._before: list[Callable[[], None]] = []
        self._after: list[Callable[[datetime], None]] = []
        self._counting = False

    def before_counting(self, settle: Callable[[], None]) -> None:
        """`settle` is called before anything is counted: the cluster tells by then all that happened up to now."""
        self._before.append(settle)

    def after_tick(self, scrape: Callable[[datetime], None]) -> None:
        """`scrape` is called at the end of each tick, while `shown` tells that moment."""
        self._after.append(scrape)

    def route(self, at: datetime, *, service: str, namespace: str, endpoints: Iterable[Endpoint]) -> None:
        """From `at` on exactly these pods get the service's requests. A pod that is not among them any more idles until
        it has `ended`; one that is new begins to count now."""
        told = tuple(endpoints)
        self._tell(at, lambda: self._routed(service, namespace, told))

    def rate(self, requests_per_s: float, *, service: str, namespace: str, at: datetime | None = None) -> None:
        """From `at` (without it: from now) on the service gets so many requests, all its pods together; 0: none."""
        if requests_per_s < 0:
            raise ValueError(f"{requests_per_s} requests a second cannot be")
        self._tell(at, lambda: self._rates.__setitem__((namespace, service), requests_per_s))

    def ended(self, at: datetime, *, pod: str, namespace: str) -> None:
        """The pod is gone from `at` on: it is not scraped any more. Nothing happens when it is not there."""
        self._tell(at, lambda: self._removed(namespace, pod))

    def restarted(self, at: datetime, *, pod: str, namespace: str) -> None:
        """The pod's container begins anew at `at`. Nothing happens when it is not there."""
        self._tell(at, lambda: self._anew(namespace, pod))

    def answers(
        self,
        version: str | None = None,
        *,
        arm: Arm | str | None = None,
        error_rate: float | None = None,
        latency_s: float | None = None,
        cpu: float | None = None,
        at: datetime | None = None,
    ) -> None:
        """How a version, or every pod of an arm, behaves from `at` (without it: from now) on, until `forget`. What is
        said of an arm goes before what is said of a version. Raises ValueError."""
        if (version is None) == (arm is None):
            raise ValueError("name either a version or an arm")
        change = Change(error_rate, latency_s, cpu)
        change.over(self._usual)
        whom: str | Arm = Arm(arm) if arm is not None else version or ""
        self._tell(at, lambda: self._said.__setitem__(whom, change))

    def forget(self, version: str | None = None, *, arm: Arm | str | None = None) -> None:
        """From now on that version or arm behaves of itself; without either, all do."""
        if version is None and arm is None:
            self._tell(None, self._said.clear)
            return
        whom: str | Arm = Arm(arm) if arm is not None else version or ""
        self._tell(None, lambda: self._said.update({whom: Change()}))

    def endpoints(self, *, service: str, namespace: str) -> tuple[Endpoint, ...]:
        """The pods of a service as they were told last, those without a share among them."""
        self.catch_up()
        there = (one for one in self._pods.values() if (one.endpoint.namespace, one.service) == (namespace, service))
        return tuple(one.endpoint for one in there)

    def version_of(self, image: str) -> str:
        """The version that an image is."""
        return self._version_of(image)

    def behaviour(self, endpoint: Endpoint) -> Behaviour:
        """How a pod answers now."""
        self.catch_up()
        return self._behaviour(endpoint)

    def served(self) -> Mapping[str, Counted]:
        """Requests and failures so far by pod, also of pods that are gone."""
        self.catch_up()
        return {**self._gone, **{one.endpoint.pod: one.served for one in self._pods.values()}}

    def history(self, *, service: str, namespace: str, arm: Arm | str = Arm.STABLE) -> tuple[Moment, ...]:
        """The last 600 ticks of an arm in which one of its pods was there, oldest first."""
        self.catch_up()
        points = self._history.get((namespace, service, Arm(arm)), ())
        return tuple(_moment(at, counted, self.tick) for at, counted in points)

    def shown(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """Metric, labels and value of all series at the end of the last counted tick."""
        for (namespace, pod), one in self._pods.items():
            for metric, labels, value in one.counters.series():
                yield metric, {"namespace": namespace, "pod": pod, **labels}, value

    def catch_up(self) -> None:
        """Count every tick that has passed."""
        if self._counting:
            return
        self._counting = True
        try:
            for settle in self._before:
                settle()
            while self._counted + self.tick <= self._clock.now():
                self._tick(self._counted + self.tick)
            self._happens(self._clock.now(), included=True)
        finally:
            self._counting = False

    def _tell(self, at: datetime | None, change: Callable[[], None]) -> None:
        heapq.heappush(self._story, (at or self._clock.now(), next(self._numbers), change))

    def _tick(self, end: datetime) -> None:
        self._happens(end, included=False)
        self._pass_until(end)
        arms: dict[tuple[str, str, Arm], Counted] = {}
        for (namespace, name), one in self._pods.items():
            counted = one.counters.tick((end - EPOCH) // self.tick)
            one.served += counted
            key = namespace, one.service, arm_of(name)
            arms[key] = arms[key] + counted if key in arms else counted
        for key, counted in arms.items():
            self._history.setdefault(key, deque(maxlen=REMEMBERED)).append((end, counted))
        self._counted = end
        self._happens(end, included=True)
        for scrape in self._after:
            scrape(end)

    def _happens(self, until: datetime, *, included: bool) -> None:
        """What is told of moments before `until`, or at it."""
        while self._story and (self._story[0][0] < until or (included and self._story[0][0] == until)):
            at, _, change = heapq.heappop(self._story)
            self._pass_until(max(at, self._passed))
            change()
            self._reload()

    def _pass_until(self, moment: datetime) -> None:
        seconds = (moment - self._passed).total_seconds()
        for one in self._pods.values():
            one.counters.lives(seconds)
        self._passed = moment

    def _reload(self) -> None:
        for one in self._pods.values():
            rate = self._rates.get((one.endpoint.namespace, one.service), self._rate) * one.endpoint.share
            one.counters.load = Load(rate, self._behaviour(one.endpoint))

    def _routed(self, service: str, namespace: str, endpoints: tuple[Endpoint, ...]) -> None:
        for one in self._pods.values():
            if (one.endpoint.namespace, one.service) == (namespace, service):
                one.endpoint = replace(one.endpoint, share=0.0)
        for endpoint in endpoints:
            key = namespace, endpoint.pod
            if key in self._pods:
                self._pods[key].endpoint, self._pods[key].service = endpoint, service
                continue
            load = Load(0.0, self._behaviour(endpoint))
            counters = PodCounters(f"{namespace}/{endpoint.pod}", self._seed, self._noisy, load)
            self._pods[key] = _Pod(endpoint, service, counters)

    def _removed(self, namespace: str, pod: str) -> None:
        found = self._pods.pop((namespace, pod), None)
        if found:
            self._gone[pod] = found.served

    def _anew(self, namespace: str, pod: str) -> None:
        found = self._pods.get((namespace, pod))
        if found:
            found.counters.restarts()

    def _behaviour(self, endpoint: Endpoint) -> Behaviour:
        version = self._version_of(endpoint.image)
        own = of_tag(version, self._usual)
        told = self._said.get(version, Change()).over(own)
        return self._said.get(arm_of(endpoint.pod), Change()).over(told)


def _moment(at: datetime, counted: Counted, tick: timedelta) -> Moment:
    ratio = counted.failures / counted.requests if counted.requests else 0.0
    return Moment(at, counted.requests / tick.total_seconds(), ratio, counted.quantile_s(0.95))
