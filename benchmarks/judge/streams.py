"""Recorded canaries, made up from a seed: harmless ones with everything that happens in a day, and harmed ones.

A recording is what `replay.judge` takes: observations every 15 s, ten minutes of the baseline alone and then an hour
with the canary. Requests are Poisson, latencies log-normal, CPU is correlated in time; what a kind adds to that is
named by its fields. The same kind and seed give the same counters.
"""

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bot.domain.judge.samples import Floats

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, math.inf)
INTERVAL, HISTORY, HORIZON = 15.0, 600.0, 3600.0
MEDIAN, SIGMA = 0.06, 0.7
FEWEST_SCRAPED = 0.97
GRID = np.linspace(-8.0, 8.0, 4001)
NORMAL_CDF = np.array([0.5 * math.erfc(-z / math.sqrt(2.0)) for z in GRID])


@dataclass(frozen=True, slots=True)
class Harm:
    """What is wrong with the canary: error rate added, share of requests slowed and by which factor, CPU as a ratio;
    from `begins` seconds on."""

    errors: float = 0.0
    slowed: float = 1.0
    slower: float = 1.0
    cpu: float = 1.0
    begins: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of canary: requests a second, the canary's share of them, and what goes on around it."""

    name: str
    rate: float = 100.0
    share: float = 0.05
    errors: float = 1e-3
    pods: int = 6
    canary_pods: int = 1
    warmup: float = 0.0
    min_bake: float = 300.0
    nuisances: frozenset[str] = frozenset()
    harm: Harm = field(default_factory=Harm)

    def config(self) -> dict[str, Any]:
        """The configuration that goes with it."""
        return {
            "scrape_interval": INTERVAL,
            "horizon": HORIZON,
            "weight": self.share,
            "warmup": self.warmup,
            "bounds": list(BOUNDS),
            "alpha": 0.01,
            "beta": 0.05,
            "error_tolerance": 1.1,
            "error_ni": 2.0,
            "error_floor": 1e-4,
            "error_ni_floor": 5e-3,
            "latency_quantile": 0.95,
            "latency_tolerance": 1.05,
            "latency_ni": 1.25,
            "cpu_tolerance": 1.15,
            "cpu_ni": 1.5,
            "min_bake": self.min_bake,
            "slo_error": 0.01,
            "slo_latency": 0.5,
        }


DIGITS = 7
"""Rates are rounded before anything is drawn: the last bits of numpy's functions differ between its versions."""

NUISANCES = ("outage", "drift", "clumps", "pauses", "restarts", "unequal", "slow-start", "ramp")


def recording(kind: Kind, seed: int) -> list[dict[str, Any]]:
    """One canary of this kind."""
    digest = hashlib.sha256(f"{kind.name}:{seed}".encode()).digest()
    return _Studio(kind, np.random.RandomState(int.from_bytes(digest[:4], "big"))).observations()


class _Studio:
    """Draws one recording. Arrays are scrapes by pods, the canary's pods first.

    `RandomState` draws the same numbers in every version of numpy (NEP 19); newer generators do not promise that.
    """

    def __init__(self, kind: Kind, rng: np.random.RandomState) -> None:
        self.kind, self.rng = kind, rng
        self.at = np.arange(-HISTORY, HORIZON + INTERVAL / 2, INTERVAL)
        self.live = (self.at > 0)[:, None]
        self.pods = kind.canary_pods + kind.pods
        self.is_canary = np.arange(self.pods) < kind.canary_pods
        self.harmed = self.is_canary & (self.at > kind.harm.begins)[:, None] & self.live

    def has(self, nuisance: str) -> bool:
        return nuisance in self.kind.nuisances

    def observations(self) -> list[dict[str, Any]]:
        requests = self.rng.poisson(self.loads())
        errors = self.errors(requests)
        buckets = np.cumsum(self.multinomial(requests, self.latencies()), axis=2)
        cpu = np.exp(self.log_cpu())
        counters = self.counters(np.concatenate((requests[..., None], errors[..., None], buckets), axis=2))
        return self.scraped(counters.tolist(), cpu.tolist())

    def multinomial(self, counts: Floats, shares: Floats) -> Floats:
        """Counts spread over the last axis of shares: a binomial draw of what is left, for each."""
        found, left, rest = np.zeros(shares.shape, np.int64), counts, np.ones(shares.shape[:2])
        for at in range(shares.shape[2] - 1):
            share = np.round(np.divide(shares[..., at], rest, out=np.ones_like(rest), where=rest > 1e-9), DIGITS)
            found[..., at] = self.rng.binomial(left, np.clip(share, 0.0, 1.0))
            left = left - found[..., at]
            rest = rest - shares[..., at]
        found[..., -1] = left
        return found

    def waves(self, size: float) -> Floats:
        """Something that comes and goes over the hour, for both arms alike."""
        phase, period = self.rng.uniform(0, 2 * math.pi), self.rng.uniform(1200, 5000)
        return np.exp(size * np.sin(2 * math.pi * self.at / period + phase))[:, None]

    def loads(self) -> Floats:
        kind = self.kind
        share = np.where(self.live, kind.share, 0.0)
        if self.has("ramp"):
            share = share * np.clip(0.2 + 0.8 * np.floor(self.at / 300)[:, None] / 6, 0.2, 1.0)
        each = np.where(self.is_canary, share / kind.canary_pods, (1 - share) / kind.pods)
        if self.has("unequal"):
            each = each * self.rng.uniform(0.5, 1.5, self.pods)
        if self.has("drift"):
            each = each * self.waves(0.5)
        return np.round(each * kind.rate * INTERVAL, DIGITS)

    def outage(self) -> Floats:
        """1 while something that both arms need is down."""
        down = np.zeros((self.at.size, 1))
        if self.has("outage"):
            for _ in range(2):
                begins = self.rng.uniform(0, HORIZON * 0.8)
                down[(self.at > begins) & (self.at <= begins + self.rng.uniform(30, 240))] = 1
        return down

    def errors(self, requests: Floats) -> Floats:
        rate = np.full((self.at.size, self.pods), self.kind.errors)
        if self.has("drift"):
            rate = rate * self.waves(0.7)
        if self.has("unequal"):
            rate = rate * np.exp(self.rng.normal(0, 0.3, self.pods))
        rate = rate + self.outage() * self.rng.uniform(0.05, 0.4) + self.harmed * self.kind.harm.errors
        rate = np.round(np.minimum(rate, 0.95), DIGITS)
        if not self.has("clumps"):
            return self.rng.binomial(requests, rate)
        clumps = self.rng.poisson(requests * rate / 8)
        return np.minimum(requests, clumps + self.rng.negative_binomial(np.maximum(clumps, 1), 1 / 8) * (clumps > 0))

    def latencies(self) -> Floats:
        """Shares of requests in each bucket."""
        shift = np.zeros((self.at.size, self.pods))
        if self.has("drift"):
            shift = shift + np.log(self.waves(0.2))
        if self.has("unequal"):
            shift = shift + self.rng.normal(0, 0.05, self.pods)
        if self.has("slow-start"):
            shift = shift + self.is_canary * self.live * np.log1p(2 * np.exp(-np.maximum(self.at, 0) / 40))[:, None]
        shift = shift + self.outage() * self.rng.uniform(0.2, 1.0)
        slowed, slower = np.where(self.harmed, self.kind.harm.slowed, 0.0), self.kind.harm.slower
        below = (1 - slowed)[..., None] * self.below(shift) + slowed[..., None] * self.below(shift + math.log(slower))
        if self.has("pauses"):
            paused = 0.3 * (self.rng.random_sample(shift.shape) < 0.04)[..., None]
            below = (1 - paused) * below + paused * self.below(shift + math.log(8))
        return np.diff(np.round(below, DIGITS), axis=2, prepend=0.0)

    def below(self, shift: Floats) -> Floats:
        edges = np.log(np.array(BOUNDS[:-1]) / MEDIAN)
        shares = np.interp((edges - shift[..., None]) / SIGMA, GRID, NORMAL_CDF)
        return np.concatenate((shares, np.ones((*shift.shape, 1))), axis=2)

    def log_cpu(self) -> Floats:
        noise = np.empty((self.at.size, self.pods))
        noise[0] = self.rng.normal(0, 0.1, self.pods)
        fresh = self.rng.normal(0, 0.1 * math.sqrt(1 - 0.7**2), noise.shape)
        for row in range(1, self.at.size):
            noise[row] = 0.7 * noise[row - 1] + fresh[row]
        level = math.log(0.4) + noise + self.rng.normal(0, 0.05, self.pods) + self.harmed * math.log(self.kind.harm.cpu)
        if self.has("drift"):
            level = level + np.log(self.waves(0.3))
        if self.has("slow-start"):
            level = level + self.is_canary * self.live * 0.7 * np.exp(-np.maximum(self.at, 0) / 40)[:, None]
        return level

    def counters(self, increments: Floats) -> Floats:
        total = np.cumsum(increments, axis=0)
        if self.has("restarts"):
            for row, pod in zip(*np.nonzero(self.rng.random_sample(total.shape[:2]) < 0.004), strict=True):
                total[row:, pod] -= total[row - 1, pod] if row else 0
        return total

    def scraped(self, counters: list[Any], cpu: list[Any]) -> list[dict[str, Any]]:
        lost = np.zeros((self.at.size, self.pods), bool)
        if self.has("restarts"):
            lost = self.rng.random_sample(lost.shape) > FEWEST_SCRAPED
            lost |= (self.rng.random_sample(self.at.size) > FEWEST_SCRAPED)[:, None]
        found = []
        for row, at in enumerate(self.at.tolist()):
            arms: dict[str, dict[str, Any]] = {"canary": {}, "baseline": {}}
            for pod in range(self.pods):
                if lost[row, pod] or (self.is_canary[pod] and at < 0):
                    continue
                shown = counters[row][pod]
                sample = {"requests": shown[0], "errors": shown[1], "buckets": shown[2:], "cpu": cpu[row][pod]}
                arms["canary" if self.is_canary[pod] else "baseline"][f"pod-{pod}"] = sample
            found.append({"t": at, **arms})
        return found


def harmless() -> list[Kind]:
    """35 kinds of canaries with which nothing is wrong."""
    rates = (0.2, 1.0, 10.0, 100.0, 1000.0)
    plain = [Kind(f"no change, {rate:g}/s, {share:.0%}", rate, share) for rate in rates for share in (0.05, 0.5)]
    nuisances = [
        Kind(f"{nuisance}, {rate:g}/s", rate, nuisances=frozenset({nuisance}), warmup=warmup_for(nuisance))
        for nuisance in NUISANCES
        for rate in (10.0, 100.0, 1000.0)
    ]
    everything = Kind("everything at once", nuisances=frozenset(NUISANCES), warmup=180.0)
    return [*plain, *nuisances, everything]


def warmup_for(nuisance: str) -> float:
    """A service that starts slowly says so in its settings."""
    return 180.0 if nuisance == "slow-start" else 0.0


def harmed() -> list[Kind]:
    """79 kinds of canaries with which something is wrong. Those that go wrong late are meant to bake all the hour."""
    harms = {
        "errors 0.1 to 20 %": Harm(errors=0.199),
        "errors 0.1 to 5 %": Harm(errors=0.049),
        "errors 0.1 to 1 %": Harm(errors=0.009),
        "errors 0.1 to 0.5 %": Harm(errors=0.004),
        "latency x 1.3": Harm(slower=1.3),
        "latency x 2": Harm(slower=2.0),
        "15 % of requests x 3": Harm(slowed=0.15, slower=3.0),
        "cpu x 2": Harm(cpu=2.0),
    }
    plain = [
        Kind(f"{name}, {rate:g}/s, {share:.0%}", rate, share, harm=harm)
        for name, harm in harms.items()
        for rate in (1.0, 10.0, 100.0, 1000.0)
        for share in (0.05, 0.5)
    ]
    late = [
        replace(kind, name=f"{kind.name}, after 20 min", harm=replace(kind.harm, begins=1200.0), min_bake=HORIZON)
        for kind in plain
        if kind.share < 0.5 and kind.rate == 100.0
    ]
    hidden = [
        replace(kind, name=f"{kind.name}, everything at once", nuisances=frozenset(NUISANCES), warmup=180.0)
        for kind in plain
        if kind.share < 0.5 and kind.rate == 100.0 and kind.harm.cpu == 1
    ]
    return [*plain, *late, *hidden]
