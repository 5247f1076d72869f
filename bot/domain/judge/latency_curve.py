"""How a slowdown would look in the histogram, foretold from the baseline's own latencies."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from statistics import NormalDist

NORMAL = NormalDist()
SQRT2 = math.sqrt(2.0)
EXTREME = 1e-5
"""An edge with fewer requests than this share on one side says too little about the curve."""

LINE = 2
"""So many points make one."""

LONE_Z = 2.0
"""All requests in one bucket: its edges are taken as two standard deviations from the middle."""

SMALLEST, APART = 1e-7, 1e-9


class LatencyCurve:
    """The baseline's latencies as a bent normal curve: the normal quantile of the share of requests below a latency is
    taken as linear in the logarithm of the latency, from one edge of the histogram to the next, and beyond the last."""

    def __init__(self, bounds: Sequence[float], cumulative: Sequence[float]) -> None:
        """`bounds` are upper edges in seconds, the last one infinite; `cumulative` counts of requests up to each."""
        below = [count / cumulative[-1] for count in cumulative[:-1]]
        knots = [
            (math.log(bound), NORMAL.inv_cdf(share))
            for bound, share in zip(bounds, below, strict=False)
            if EXTREME < share < 1 - EXTREME
        ]
        if len(knots) < LINE:
            last = len(bounds) - 2
            upper = next((i for i, share in enumerate(below) if share > EXTREME), last)
            upper = min(max(upper, 1), last)
            knots = [(math.log(bounds[upper - 1]), -LONE_Z), (math.log(bounds[upper]), LONE_Z)]
        self._knots = knots
        self._bends = [x for x, _ in knots[1:-1]]

    def below(self, log_latency: float) -> float:
        """The share of requests that are not slower than this."""
        at = bisect_left(self._bends, log_latency)
        (x0, z0), (x1, z1) = self._knots[at : at + 2]
        z = z0 + (z1 - z0) * (log_latency - x0) / (x1 - x0)
        return 0.5 * (1.0 + math.erf(z / SQRT2))

    def below_if(self, log_latency: float, share: float, factor: float) -> float:
        """The same, were this share of requests slower by this factor."""
        slowed = self.below(log_latency - math.log(factor))
        return slowed if share == 1 else (1 - share) * self.below(log_latency) + share * slowed

    def slice_odds_ratios(self, edges: Sequence[float], share: float, factor: float) -> list[float]:
        """What such a slowdown does to each slice of the histogram: the odds ratio, at least 1, of being slower than an
        edge among the requests that are not slower than the edge above. `edges` are log latencies, slowest first."""
        usual = slice_odds([self.below(edge) for edge in edges])
        slowed = slice_odds([self.below_if(edge, share, factor) for edge in edges])
        return [max(1.0, new / old) for new, old in zip(slowed, usual, strict=True)]

    def tail_odds_ratio(self, log_latency: float, factor: float) -> float:
        """The odds ratio of being slower than this when all are slower by this factor."""
        usual, slowed = 1 - self.below(log_latency), 1 - self.below(log_latency - math.log(factor))
        return odds(slowed) / odds(usual)


def slice_odds(below: Sequence[float]) -> list[float]:
    """Odds of lying above each edge among what lies below the edge before it. Edges fall."""
    found, upper = [], 1.0
    for share in below:
        lower = min(max(share, SMALLEST), upper - APART)
        found.append((upper - lower) / lower)
        upper = lower
    return found


def odds(share: float) -> float:
    """Odds of a share, kept off 0 and 1."""
    kept = min(1 - SMALLEST, max(SMALLEST, share))
    return kept / (1 - kept)
