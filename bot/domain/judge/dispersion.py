"""How much the baseline's own pods differ from one another: what is usual among pods is no evidence of harm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from bot.domain.judge.samples import Floats

STUDENT_999: tuple[tuple[float, float], ...] = (
    (1, 318.3), (2, 22.33), (3, 10.21), (4, 7.17), (5, 5.89), (6, 5.21), (7, 4.79), (8, 4.50), (9, 4.30), (10, 4.14),
    (12, 3.93), (15, 3.73), (19, 3.58), (30, 3.39), (60, 3.23), (1e9, 3.09),
)  # fmt: skip
"""Student's 99.9 % quantile by degrees of freedom; tables of the t distribution."""

NORMAL_99 = 2.33
FEWEST_PODS = 3
A_PAIR = 2
PRIOR = 4.0
"""Scatter that is taken as seen beforehand, in units of what chance gives: few scrapes prove little."""


def student_999(freedom: float) -> float:
    """Student's 99.9 % quantile, interpolated in the inverse of the degrees of freedom (1 or more)."""
    for (low, above), (high, below) in pairwise(STUDENT_999):
        if freedom <= high:
            part = (1 / freedom - 1 / low) / (1 / high - 1 / low)
            return above + part * (below - above)
    return STUDENT_999[-1][1]


def chi_square_quantile(freedom: float, z: float) -> float:
    """Quantile of chi-square at the normal quantile `z`, by Wilson and Hilferty's cube."""
    cube = 2 / (9 * freedom)
    return freedom * (1 - cube + z * math.sqrt(cube)) ** 3


@dataclass(slots=True)
class Scatter:
    """Squared scores of pods (seen minus expected) against the variance that chance alone gives them."""

    squares: float = PRIOR
    expected: float = PRIOR

    def add(self, squares: float, expected: float) -> None:
        """One more scrape, summed over its pods."""
        self.squares += squares
        self.expected += expected

    @property
    def phi(self) -> float:
        """How many times more than by chance the pods scatter; at least 1, half of it added for caution."""
        return max(1.0, 1.5 * self.squares / self.expected - 0.5)


@dataclass(slots=True)
class Dispersion(Scatter):
    """Scatter, and what lasts of it: some pods are always a little worse than others, for no fault of their version.

    `pods` has the sum of scores and of variances of each pod.
    """

    pods: dict[str, list[float]] = field(default_factory=dict)

    def see(self, pods: Sequence[str], scores: Floats, variances: Floats) -> None:
        """One more scrape of the baseline: each pod's score and the variance that chance alone gives it."""
        self.add(float(scores @ scores), float(variances.sum()))
        for pod, score, variance in zip(pods, scores.tolist(), variances.tolist(), strict=True):
            sums = self.pods.setdefault(pod, [0.0, 0.0])
            sums[0] += score
            sums[1] += variance

    @property
    def tau(self) -> float:
        """Standard deviation of the lasting differences; only as far as the pods prove it (99 %)."""
        information = sum(variance for _, variance in self.pods.values())
        if len(self.pods) < FEWEST_PODS or information <= 0:
            return 0.0
        seen = sum(score * score / variance for score, variance in self.pods.values() if variance > 0)
        by_chance = self.phi * chi_square_quantile(len(self.pods) - 1, NORMAL_99)
        return math.sqrt(max(0.0, seen - by_chance) / information)

    def margin(self, canary_pods: int) -> float:
        """How far a healthy canary of so many pods may lie off the baseline's mean (99.9 %), in units of the score."""
        count = len(self.pods)
        if count < FEWEST_PODS:
            return 0.0
        return student_999(count - 1) * self.tau * math.sqrt(1.0 / canary_pods + 1.0 / count)

    def state(self) -> list[object]:
        """Both sums, and those of the pods."""
        return [self.squares, self.expected, {pod: list(sums) for pod, sums in self.pods.items()}]

    def restore(self, squares: float, expected: float, pods: Mapping[str, Sequence[float]]) -> None:
        """Go on where `state` was taken."""
        self.squares, self.expected = squares, expected
        self.pods = {pod: list(sums) for pod, sums in pods.items()}


def scores(requests: Floats, bad: Floats) -> tuple[Floats, Floats]:
    """Per pod (first axis): bad ones more than its part of all, and the variance of that by chance, as when the bad
    ones are drawn from all without replacement."""
    total = requests.sum(axis=0)
    rate = bad.sum(axis=0) / np.maximum(total, 1.0)
    spread = rate * (1 - rate) * total / np.maximum(total - 1, 1.0)
    return bad - requests * rate, requests * spread * (1 - requests / np.maximum(total, 1.0))
