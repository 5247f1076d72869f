"""What both arms did, gathered until there is something to compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.domain.judge.samples import ALL, BAD, FIRST_BUCKET, Counters, Floats, Increments

ENOUGH_ON_CANARY, ENOUGH_ON_BASELINE = 3, 10
LONGEST = 45.0
"""Seconds after which a block closes with one request on each arm."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a look is taken: seconds since the first traffic, whether the canary is still warming up, and on how many
    pods it runs."""

    at: float
    is_warm: bool
    canary_pods: int


@dataclass(slots=True)
class Block:
    """Sums of both arms since `since`: all, bad, buckets."""

    canary: Floats
    baseline: Floats
    since: float

    @property
    def counts(self) -> tuple[float, float, float, float]:
        """Canary and bad on the canary, baseline and bad on the baseline."""
        return (
            float(self.canary[ALL]),
            float(self.canary[BAD]),
            float(self.baseline[ALL]),
            float(self.baseline[BAD]),
        )

    @property
    def bad(self) -> float:
        """Bad ones on both."""
        return float(self.canary[BAD] + self.baseline[BAD])

    def is_full(self, at: float) -> bool:
        """Blocks close on traffic alone, never on what was bad: that keeps the tests of them exact."""
        canary, baseline = self.canary[ALL], self.baseline[ALL]
        if canary >= ENOUGH_ON_CANARY and baseline >= ENOUGH_ON_BASELINE:
            return True
        return bool(at - self.since >= LONGEST and canary >= 1 and baseline >= 1)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one scrape brought: the block, when it filled it; what the baseline's pods did; and whether canary and
    baseline counted anything."""

    block: Block | None
    baseline: Increments
    heard: tuple[bool, bool]


class Gathering:
    """Counters of both arms, and the block they fill."""

    def __init__(self, buckets: int) -> None:
        width = FIRST_BUCKET + buckets
        self._canary, self._baseline = Counters(width), Counters(width)
        self._block: Block | None = None
        self._was_warm = True
        self.totals = np.zeros((2, width))
        """Sums of canary and baseline since the canary has traffic, for people to read."""

    def see(
        self, moment: Moment, canary: Mapping[str, Sequence[float]], baseline: Mapping[str, Sequence[float]]
    ) -> Gathered:
        """Take over one scrape. Raises UnreadableError, and takes nothing over, where counters do not fit."""
        self._canary.check(canary)
        self._baseline.check(baseline)
        on_canary, on_baseline = self._canary.increments(canary), self._baseline.increments(baseline)
        sums = on_canary.total, on_baseline.total
        heard = bool(sums[0][ALL] > 0), bool(sums[1][ALL] > 0)
        full = self._fill(moment, *sums) if moment.at > 0 else None
        return Gathered(full, on_baseline, heard)

    def _fill(self, moment: Moment, canary: Floats, baseline: Floats) -> Block | None:
        if self._was_warm and not moment.is_warm:
            self._block = None  # a slow start is not mixed with what follows
        self._was_warm = moment.is_warm
        self.totals[0] += canary
        self.totals[1] += baseline
        if self._block is None:
            self._block = Block(canary, baseline, moment.at)
        else:
            self._block.canary += canary
            self._block.baseline += baseline
        if not self._block.is_full(moment.at):
            return None
        full, self._block = self._block, None
        return full

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        block = self._block
        return {
            "canary": self._canary.state(),
            "baseline": self._baseline.state(),
            "block": block and [block.canary.tolist(), block.baseline.tolist(), block.since],
            "was_warm": self._was_warm,
            "totals": self.totals.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._canary.restore(state["canary"])
        self._baseline.restore(state["baseline"])
        block = state["block"]
        self._block = block and Block(np.array(block[0]), np.array(block[1]), block[2])
        self._was_warm = state["was_warm"]
        self.totals = np.array(state["totals"])
