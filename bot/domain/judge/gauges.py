"""Levels that pods show (CPU, queue lag): is the canary's higher than the baseline's, as a ratio?

The difference of mean log levels is compared with what pods differ among themselves (an effect of each pod that lasts)
and in time (noise of each pod, correlated from scrape to scrape), both learnt from the pods.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.judge.blocks import Moment
from bot.domain.judge.dispersion import A_PAIR, FEWEST_PODS, STUDENT_999, student_999
from bot.domain.judge.mixture import LARGEST_LOG
from bot.domain.judge.samples import Observation, Sample
from bot.domain.judge.settings import GaugeSignal

HARM: tuple[tuple[float, float], ...] = ((1.3, 0.25), (1.5, 0.25), (1.8, 0.2), (2.5, 0.2), (5.0, 0.1))
"""Ratios that are bet on, in multiples of the tolerance, and the weights of the bets."""

NO_HARM: tuple[tuple[float, float], ...] = ((0.0, 0.6), (-0.1, 0.2))
NEARLY, NEARLY_WEIGHT = 0.3, 0.2
"""Log ratios that are bet on against what is ruled out: none, 10 % less; and 30 % of the way to it."""

BASELINE_LOOKS, CANARY_LOOKS = 16, 8
"""Scrapes of a pod before it counts, and joint scrapes before anything is said."""

USUAL_SD, USUAL_WORTH = 0.06, 4.0
"""Pods differ by 6 % for good: taken as known beforehand, worth four degrees of freedom."""

STICKIEST = 0.97
"""Largest correlation from scrape to scrape that is believed."""


@dataclass(slots=True)
class PodNoise:
    """One pod's log level around the mean of its arm: scrapes, sum, sum of squares, and the last one."""

    looks: int = 0
    total: float = 0.0
    squares: float = 0.0
    last: float | None = None

    def add(self, residual: float) -> float | None:
        """One more; gives the step from the one before."""
        step = None if self.last is None else residual - self.last
        self.looks += 1
        self.total += residual
        self.squares += residual * residual
        self.last = residual
        return step

    @property
    def mean(self) -> float:
        """Of all scrapes."""
        return self.total / self.looks


class GaugeJudge:
    """Evidence on one gauge. Silent, and no condition for promotion, with fewer than three baseline pods that show it.

    `clearance` is `None` until they show it: then promotion waits for the canary's pods to show it, too, as a version
    that no longer tells its level is none that was judged.
    """

    def __init__(self, signal: GaugeSignal) -> None:
        self.signal = signal
        self.evidence = 1.0
        self.clearance: float | None = None
        self._baseline: dict[str, PodNoise] = {}
        self._canary: dict[str, PodNoise] = {}
        self._steps, self._squared_steps = 0, 0.0
        self.looks, self.apart, self.level = 0, 0.0, 0.0
        """Joint scrapes; over them, sums of the difference of mean log levels and of the baseline's mean log level."""

    def see(self, moment: Moment, observation: Observation) -> tuple[bool, bool]:
        """Judge one scrape. Says whether canary and baseline showed the gauge."""
        baseline, canary = self._logs(observation.baseline), self._logs(observation.canary)
        if len(baseline) >= FEWEST_PODS:
            self._compare(moment, baseline, canary)
        return bool(canary), bool(baseline)

    def _compare(self, moment: Moment, baseline: Mapping[str, float], canary: Mapping[str, float]) -> None:
        if moment.at > 0 and self.clearance is None:
            self.clearance = 0.0
        mean = math.fsum(baseline.values()) / len(baseline)
        for pod, level in baseline.items():
            step = self._baseline.setdefault(pod, PodNoise()).add(level - mean)
            if step is not None:
                self._steps += 1
                self._squared_steps += step * step
        if moment.at <= 0 or moment.is_warm or not canary:
            return
        on_canary = math.fsum(canary.values()) / len(canary)
        for pod, level in canary.items():
            self._canary.setdefault(pod, PodNoise()).add(level - on_canary)
        self.looks += 1
        self.apart += on_canary - mean
        self.level += mean
        self._weigh(len(canary))

    def _logs(self, pods: Mapping[str, Sample]) -> dict[str, float]:
        name, offset = self.signal.name, self.signal.offset
        levels = {pod: sample.gauges[name] + offset for pod, sample in pods.items() if name in sample.gauges}
        return {pod: math.log(level) for pod, level in levels.items() if 0 < level < math.inf}

    def _weigh(self, canary_pods: int) -> None:
        """Likelihood ratios of a normal mean, anew from all that was seen."""
        known = [pod for pod in self._baseline.values() if pod.looks >= BASELINE_LOOKS]
        if len(known) < FEWEST_PODS or self.looks < CANARY_LOOKS:
            return
        variance = self._variance(known, canary_pods)
        seen = self.apart / self.looks
        harm = math.log(self.signal.tolerance)
        bets = [(harm + math.log(step), weight) for step, weight in HARM]
        self.evidence = _mixed(bets, harm, seen, variance)
        limit = math.log(self.signal.ruled_out)
        self.clearance = _mixed([*NO_HARM, (NEARLY * limit, NEARLY_WEIGHT)], limit, seen, variance)

    def _variance(self, known: list[PodNoise], canary_pods: int) -> float:
        """Of the mean difference of a healthy canary."""
        count = len(known)
        grown = count / (count - 1)  # residuals from a mean of so few scatter less than the pods themselves
        freedom = sum(pod.looks - 1 for pod in known)
        noise = grown * math.fsum(pod.squares - pod.total**2 / pod.looks for pod in known) / freedom
        jumps = grown * self._squared_steps / max(1, self._steps) / 2
        sticky = min(STICKIEST, max(0.0, 1 - jumps / max(noise, 1e-12)))
        slower = (1 + sticky) / (1 - sticky)  # so many scrapes of correlated noise tell as much as one without
        squares, worth = USUAL_WORTH * USUAL_SD**2, USUAL_WORTH
        for pods in (known, [pod for pod in self._canary.values() if pod.looks >= CANARY_LOOKS]):
            lasting, freedom = _lasting(pods, noise * slower, slower)
            squares += lasting
            worth += freedom
        of_one = squares / worth + noise * slower / max(self.looks, slower)
        caution = student_999(worth) / STUDENT_999[-1][1]
        return of_one * (1 / canary_pods + 1 / count) * caution**2

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        return {
            "evidence": self.evidence,
            "clearance": self.clearance,
            "baseline": {name: [pod.looks, pod.total, pod.squares, pod.last] for name, pod in self._baseline.items()},
            "canary": {name: [pod.looks, pod.total, pod.squares, pod.last] for name, pod in self._canary.items()},
            "steps": [self._steps, self._squared_steps],
            "joint": [self.looks, self.apart, self.level],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.evidence, self.clearance = state["evidence"], state["clearance"]
        self._baseline = {name: PodNoise(*pod) for name, pod in state["baseline"].items()}
        self._canary = {name: PodNoise(*pod) for name, pod in state["canary"].items()}
        self._steps, self._squared_steps = state["steps"]
        self.looks, self.apart, self.level = state["joint"]


def _lasting(pods: list[PodNoise], noise: float, slower: float) -> tuple[float, int]:
    """Squared lasting differences between pods of one arm, without what noise explains; and degrees of freedom."""
    if len(pods) < A_PAIR:
        return 0.0, 0
    means = [pod.mean for pod in pods]
    middle = math.fsum(means) / len(means)
    looks = sum(pod.looks for pod in pods) / len(pods)
    freedom = len(pods) - 1
    return max(0.0, math.fsum((mean - middle) ** 2 for mean in means) - freedom * noise / max(looks, slower)), freedom


def _mixed(bets: list[tuple[float, float]], null: float, seen: float, variance: float) -> float:
    """Weighted likelihood ratios of normal means to the null's."""
    return math.fsum(
        weight * math.exp(min(LARGEST_LOG, (bet - null) * (seen - 0.5 * (bet + null)) / variance))
        for bet, weight in bets
    )
