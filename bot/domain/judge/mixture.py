"""One e-process out of many: mixed over how bad it may be, and over when it may have begun."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

LARGEST = 1e280
LARGEST_LOG = 300.0


@dataclass(frozen=True, slots=True)
class Prior:
    """How the stake is spread: `weights` over the alternatives (their sum does not matter), and over the time of the
    onset: `at_once` of it from the first step on, the rest evenly over the next `steps`."""

    weights: Sequence[float]
    at_once: float = 1.0
    steps: int = 1


@dataclass(slots=True)
class Mixture:
    """Wealth of a gambler who bets against the null, at fair odds.

    For each alternative, a step multiplies what is staked by the likelihood ratio of what was seen. What is not yet
    staked is kept. A mixture of e-processes is one itself, so the expected `value` is at most 1 under the null.
    """

    prior: Prior
    wealth: list[float] = field(init=False)
    unspent: float = 1.0
    value: float = 1.0

    def __post_init__(self) -> None:
        self.wealth = [0.0] * len(self.prior.weights)

    def step(self, log_ratios: Iterable[float]) -> None:
        """One block was seen; `log_ratios` has the log likelihood ratio of each alternative to the null."""
        prior = self.prior
        drip = (1.0 - prior.at_once) / prior.steps
        first = self.unspent == 1.0
        staked = min(self.unspent, drip + (prior.at_once if first else 0.0))
        self.unspent -= staked
        self.wealth = [
            min(LARGEST, (won + staked) * math.exp(min(ratio, LARGEST_LOG)))
            for won, ratio in zip(self.wealth, log_ratios, strict=True)
        ]
        total = sum(prior.weights)
        won = sum(weight * won for weight, won in zip(prior.weights, self.wealth, strict=True))
        self.value = won / total + self.unspent

    def state(self) -> list[float]:
        """Unspent stake, value, and the wealth of each alternative."""
        return [self.unspent, self.value, *self.wealth]

    def restore(self, state: Sequence[float]) -> None:
        """Go on where `state` was taken."""
        self.unspent, self.value, *self.wealth = (float(number) for number in state)
