"""Latency: is the canary slower than the baseline, everywhere or in some requests?

The histogram is walked from its slowest edge down. At each edge the requests slower than it, among those that were not
slower than the edge before, are tested like bad ones out of all: a slowdown means a certain odds ratio at every edge,
and the product over the edges is the likelihood ratio of the whole histogram.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.counts import log_normalisers
from bot.domain.judge.dispersion import Dispersion, Scatter
from bot.domain.judge.errors import AT_ONCE, LARGEST_STEP
from bot.domain.judge.latency_curve import LatencyCurve
from bot.domain.judge.mixture import Mixture, Prior
from bot.domain.judge.noninferiority import RATIO_PRIOR, less_bad
from bot.domain.judge.renewal import Renewal
from bot.domain.judge.samples import FIRST_BUCKET, Floats, Increments
from bot.domain.judge.settings import JudgeSettings, LatencySignal

SLOWDOWNS: tuple[tuple[float, float, float], ...] = (
    (1, 1.12, 0.10),
    (1, 1.2, 0.14),
    (1, 1.33, 0.16),
    (1, 1.55, 0.14),
    (1, 2.0, 0.12),
    (1, 3.0, 0.07),
    (1, 8.0, 0.05),
    (0.25, 1.6, 0.05),
    (0.15, 2.5, 0.07),
    (0.06, 4.0, 0.05),
    (0.02, 10.0, 0.05),
)
"""What is bet on: share of requests that is slower, by which factor, and the weight of the bet."""

USEFUL = (0.002, 0.95)
"""Shares of the baseline's requests beyond an edge for the edge to be walked over."""

TAIL = (0.015, 0.2)
"""The same for the edges that promotion looks at."""

UNIT_SLOWDOWN = 1.3
"""The slowdown by which pods are compared with one another."""

WIDEST = 1.0
"""Lasting differences between pods widen the tolerance by e at most."""

LEAST_TAIL_RATIO = 1.03
NOTICEABLE = 1.0001


class LatencyShape:
    """Which edges are looked at, and how much each counts when pods are compared. Fixed once the baseline had its first
    100 requests, so that scores of all scrapes mean the same."""

    def __init__(self, edges: Sequence[int], tail: Sequence[int], weights: Sequence[float], unit: float) -> None:
        self.edges, self.tail = np.array(edges, np.intp), np.array(tail, np.intp)
        self.weights, self.unit = np.array(weights), unit

    def state(self) -> list[Any]:
        """Everything that must outlive the process."""
        return [self.edges.tolist(), self.tail.tolist(), self.weights.tolist(), self.unit]


def shape_of(signal: LatencySignal, cumulative: Sequence[float]) -> LatencyShape:
    """The shape for a baseline's histogram."""
    beyond = [1 - count / cumulative[-1] for count in cumulative[:-1]]
    edges = [at for at, share in enumerate(beyond) if USEFUL[0] <= share <= USEFUL[1]]
    if not edges:
        edges = [min(range(len(beyond)), key=lambda at: abs(1 - beyond[at] - signal.quantile))]
    target = math.log(1 - signal.quantile)
    near = min(edges, key=lambda at: abs(math.log(max(beyond[at], 1e-4)) - target))
    tail = sorted({near} | {at for at in edges if TAIL[0] <= beyond[at] <= TAIL[1]})
    edges.reverse()
    logs = [math.log(signal.bounds[at]) for at in edges]
    apart = [math.log(ratio) for ratio in LatencyCurve(signal.bounds, cumulative).slice_odds_ratios(logs, 1, UNIT_SLOWDOWN)]
    most = max(apart) or 1.0
    return LatencyShape(edges, tail, [x / most for x in apart], most / math.log(UNIT_SLOWDOWN))


class LatencyBets:
    """Log odds ratios at each edge, foretold from the baseline: of the tolerance and of every slowdown bet on (`slices`,
    tolerance first, a row for each edge), and of what is ruled out and the bets against it (`tails`)."""

    def __init__(self, signal: LatencySignal, shape: LatencyShape, cumulative: Sequence[float], margin: float) -> None:
        """`margin` is the log slowdown that is usual among pods; it widens the tolerance."""
        curve = LatencyCurve(signal.bounds, cumulative)
        logs = [math.log(signal.bounds[at]) for at in shape.edges.tolist()]
        wider = math.exp(min(margin, WIDEST))
        null = np.array(curve.slice_odds_ratios(logs, 1, signal.tolerance * wider))
        bets = [
            np.maximum(null, curve.slice_odds_ratios(logs, share, factor * (wider if share == 1 else 1)))
            for share, factor, _ in SLOWDOWNS
        ]
        self.slices: Floats = np.log(np.array([null, *bets])).T
        self.matters = np.max(bets, axis=0) > null * NOTICEABLE
        limits = [
            max(LEAST_TAIL_RATIO, curve.tail_odds_ratio(math.log(signal.bounds[at]), signal.ruled_out))
            for at in shape.tail.tolist()
        ]
        self.tails: Floats = np.log([[limit, *less_bad(limit, 0.8)] for limit in limits])


class LatencyJudge:
    """Evidence on latency: of harm, over all edges at once; against harm, at the edges around the quantile."""

    def __init__(self, signal: LatencySignal, settings: JudgeSettings) -> None:
        self.signal = signal
        self._harm = Mixture(Prior([weight for *_, weight in SLOWDOWNS], AT_ONCE, settings.scrapes))
        self._renewal, self._dispersion = Renewal(), Dispersion()
        self._cumulative: Floats = np.zeros(len(signal.bounds))
        self._shape: LatencyShape | None = None
        self._bets: LatencyBets | None = None
        self._bets_from: tuple[list[float], float] = ([], 0.0)
        self._tails: list[tuple[Mixture, Scatter]] = []
        self.clearance = 0.0

    @property
    def evidence(self) -> float:
        """Of harm."""
        return self._harm.value

    def judge(self, moment: Moment, block: Block | None) -> None:
        """One look; `block` is `None` while there is too little to compare."""
        if self._renewal.is_due(moment, block, float(self._cumulative[-1])):
            self._renew(moment.canary_pods)
        if block is None:
            return
        self._renewal.blocks += 1
        if self._bets is None or self._shape is None or moment.is_warm:
            return
        canary, baseline = block.canary[FIRST_BUCKET:], block.baseline[FIRST_BUCKET:]
        self._look_for_harm(self._shape, self._bets, canary, baseline)
        self._rule_out_harm(self._shape, self._bets, canary, baseline)

    def _renew(self, canary_pods: int) -> None:
        cumulative = self._cumulative.tolist()
        if self._shape is None:
            self._shape = shape_of(self.signal, cumulative)
            self._tails = [(Mixture(RATIO_PRIOR), Scatter()) for _ in self._shape.tail]
        self._bets_from = cumulative, self._dispersion.margin(canary_pods) / self._shape.unit
        self._bets = LatencyBets(self.signal, self._shape, *self._bets_from)

    def _look_for_harm(self, shape: LatencyShape, bets: LatencyBets, canary: Floats, baseline: Floats) -> None:
        left_c, left_b = slices(canary, shape.edges), slices(baseline, shape.edges)
        slow_c, slow_b = -np.diff(left_c), -np.diff(left_b)
        left_c, left_b, slow = left_c[:-1], left_b[:-1], slow_c + slow_b
        tells = bets.matters & (left_c > 0) & (left_b > 0) & (slow > 0) & (slow < left_c + left_b)
        counts = left_c[tells, None], left_b[tells, None], slow[tells, None]
        ratios = log_ratios(slow_c[tells, None], counts, bets.slices[tells]).sum(axis=0) / self._dispersion.phi
        self._harm.step(np.minimum(ratios, LARGEST_STEP).tolist())

    def _rule_out_harm(self, shape: LatencyShape, bets: LatencyBets, canary: Floats, baseline: Floats) -> None:
        all_c, all_b = canary[-1], baseline[-1]
        slow_c, slow_b = all_c - canary[shape.tail], all_b - baseline[shape.tail]
        slow = slow_c + slow_b
        tells = (slow > 0) & (slow < all_c + all_b)
        ratios = log_ratios(slow_c[:, None], (all_c, all_b, slow[:, None]), bets.tails)
        for (mixture, scatter), row, told in zip(self._tails, ratios, tells.tolist(), strict=True):
            if told:
                mixture.step((row / scatter.phi).tolist())
        self.clearance = math.fsum(mixture.value for mixture, _ in self._tails) / len(self._tails)

    def learn(self, _at: float, increments: Increments) -> None:
        """Compare the baseline's pods with one another; always after the scrape was judged."""
        rows = increments.rows[:, FIRST_BUCKET:]
        self._cumulative += rows.sum(axis=0)
        active = rows[:, -1] > 0
        if self._shape is None or np.count_nonzero(active) < 2:
            return
        if not active.all():
            rows = rows[active]
        pods = [pod for pod, is_active in zip(increments.pods, active.tolist(), strict=True) if is_active]
        left = np.column_stack((rows[:, -1:], rows[:, self._shape.edges]))
        weights = self._shape.weights
        excess, variance = pod_scores(left[:, :-1], left[:, :-1] - left[:, 1:])
        self._dispersion.see(pods, excess @ weights, variance @ (weights * weights))
        excess, variance = pod_scores(rows[:, -1:], rows[:, -1:] - rows[:, self._shape.tail])
        squares, expected = (excess * excess).sum(axis=0).tolist(), variance.sum(axis=0).tolist()
        for (_, scatter), *sums in zip(self._tails, squares, expected, strict=True):
            scatter.add(*sums)

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        return {
            "harm": self._harm.state(),
            "renewal": self._renewal.state(),
            "dispersion": self._dispersion.state(),
            "cumulative": self._cumulative.tolist(),
            "shape": self._shape and self._shape.state(),
            "bets_from": list(self._bets_from),
            "tails": [[mixture.state(), scatter.squares, scatter.expected] for mixture, scatter in self._tails],
            "clearance": self.clearance,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._harm.restore(state["harm"])
        self._renewal.restore(state["renewal"])
        self._dispersion.restore(*state["dispersion"])
        self._cumulative = np.array(state["cumulative"])
        self.clearance = state["clearance"]
        if state["shape"] is None:
            return
        self._shape = LatencyShape(*state["shape"])
        cumulative, margin = state["bets_from"]
        self._bets_from = cumulative, margin
        self._bets = LatencyBets(self.signal, self._shape, cumulative, margin)
        self._tails = []
        for wealth, squares, expected in state["tails"]:
            mixture = Mixture(RATIO_PRIOR)
            mixture.restore(wealth)
            self._tails.append((mixture, Scatter(squares, expected)))


def slices(cumulative: Floats, edges: npt.NDArray[np.intp]) -> Floats:
    """All requests, and those not slower than each edge."""
    return np.concatenate((cumulative[-1:], cumulative[edges]))


def log_ratios(on_canary: Floats, counts: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike], log_odds: Floats) -> Floats:
    """Log likelihood ratios of the bets of each row to its first one."""
    apart = log_odds[:, 1:] - log_odds[:, :1]
    norms = log_normalisers(*counts, log_odds)
    ratios: Floats = on_canary * apart - (norms[:, 1:] - norms[:, :1])
    return ratios


def pod_scores(requests: Floats, slow: Floats) -> tuple[Floats, Floats]:
    """For each pod (row) and edge (column): slow ones more than its part of all, and the variance of that by chance."""
    total = requests.sum(axis=0)
    slow_total = slow.sum(axis=0)
    tells = (0 < slow_total) & (slow_total < total)
    rate = np.divide(slow_total, total, out=np.zeros_like(slow_total), where=tells)
    spread = np.divide(rate * (1 - rate) * total, total - 1, out=np.zeros_like(rate), where=tells & (total > 1))
    excess = (slow - requests * rate) * tells
    return excess, requests * spread * (1 - requests / np.maximum(total, 1.0))
