"""Latency: is the canary slower than the baseline, everywhere or in some requests?

The histogram is walked from its slowest edge down. At each edge the requests slower than it, among those that were not
slower than the edge before, are tested like bad ones out of all: a slowdown means a certain odds ratio at every edge,
and the product over the edges is the likelihood ratio of the whole histogram.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.counts import log_normalisers
from bot.domain.judge.dispersion import A_PAIR, Dispersion, Scatter
from bot.domain.judge.errors import AT_ONCE, LARGEST_STEP
from bot.domain.judge.latency_curve import LatencyCurve
from bot.domain.judge.mixture import Mixture, Prior
from bot.domain.judge.noninferiority import evidence_per_bad_one, less_bad, soonest
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

TAIL_PRIOR = Prior((0.7, 0.15, 0.15))
"""Weights of: equal, better than the baseline, a little worse (see `less_bad`)."""

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
    apart = [
        math.log(ratio) for ratio in LatencyCurve(signal.bounds, cumulative).slice_odds_ratios(logs, 1, UNIT_SLOWDOWN)
    ]
    most = max(apart) or 1.0
    return LatencyShape(edges, tail, [x / most for x in apart], most / math.log(UNIT_SLOWDOWN))


class LatencyBets:
    """Odds ratios foretold from the baseline: at each edge those of the tolerance and of every slowdown bet on, at each
    edge of the tail those of what is ruled out and of the bets against it. Each row begins with its null."""

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
        limits = [
            max(LEAST_TAIL_RATIO, curve.tail_odds_ratio(math.log(signal.bounds[at]), signal.ruled_out))
            for at in shape.tail.tolist()
        ]
        self._tells = np.max(bets, axis=0) > null * NOTICEABLE
        slices, tails = np.array([null, *bets]).T, np.array([[limit, *less_bad(limit, 0.8)] for limit in limits])
        self.tail_odds_ratios: list[float] = limits
        self._shapes = slices.shape, tails.shape
        self._log_odds = np.log(np.concatenate((slices.ravel(), tails.ravel())))
        widths = np.repeat([slices.shape[1], tails.shape[1]], [len(slices), len(tails)])
        self._table = np.repeat(np.arange(widths.size), widths)
        self._null = np.repeat(np.cumsum(widths) - widths, widths)
        self._apart = self._log_odds - self._log_odds[self._null]

    def ratios(self, counts: Floats, on_canary: Floats) -> tuple[Floats, Floats]:
        """Log likelihood ratios of the bets to their nulls: on each slowdown, over all edges; and against what is ruled
        out, a row for each edge of the tail.

        `counts` has the rows n_c, n_b and slow ones of both; its columns are first the edges and then those of the
        tail. `on_canary` are the slow ones on the canary.
        """
        norms = log_normalisers(counts[:, self._table], self._log_odds)
        ratios = on_canary[self._table] * self._apart - (norms - norms[self._null])
        slices, tails = self._shapes
        split = slices[0] * slices[1]
        at_edges = ratios[:split].reshape(slices)[self._tells, 1:]
        return at_edges.sum(axis=0), ratios[split:].reshape(tails)[:, 1:]


class LatencyJudge:
    """Evidence on latency: of harm, over all edges at once; against harm, at the edges around the quantile."""

    def __init__(self, signal: LatencySignal, settings: JudgeSettings) -> None:
        self.signal, self._settings = signal, settings
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

    @property
    def requests_to_go(self) -> float | None:
        """About how many more requests of the canary it takes until the slowdown is ruled out; `None` if unknown."""
        if self._bets is None or self._shape is None:
            return None
        share, everyone = self._settings.share, self._cumulative[-1]
        beyond = (1 - self._cumulative[self._shape.tail] / everyone).tolist()
        ways = [
            (mixture.value / len(beyond), rate / share * evidence_per_bad_one(share, limit) / scatter.phi)
            for (mixture, scatter), rate, limit in zip(self._tails, beyond, self._bets.tail_odds_ratios, strict=True)
        ]
        return soonest(1 / self._settings.beta, ways)

    def judge(self, moment: Moment, block: Block | None) -> None:
        """One look; `block` is `None` while there is too little to compare."""
        if self._renewal.is_due(moment, block, float(self._cumulative[-1])):
            self._renew(moment.canary_pods)
        if block is None:
            return
        self._renewal.blocks += 1
        if self._bets is None or self._shape is None or moment.is_warm:
            return
        harm, tails = self._bets.ratios(*tables(block, self._shape))
        self._harm.step(np.minimum(harm / self._dispersion.phi, LARGEST_STEP).tolist())
        for (mixture, scatter), row in zip(self._tails, tails, strict=True):
            mixture.step((row / scatter.phi).tolist())
        self.clearance = math.fsum(mixture.value for mixture, _ in self._tails) / len(self._tails)

    def _renew(self, canary_pods: int) -> None:
        cumulative = self._cumulative.tolist()
        if self._shape is None:
            self._shape = shape_of(self.signal, cumulative)
            self._tails = [(Mixture(TAIL_PRIOR), Scatter()) for _ in self._shape.tail]
        self._bets_from = cumulative, self._dispersion.margin(canary_pods) / self._shape.unit
        self._bets = LatencyBets(self.signal, self._shape, *self._bets_from)

    def learn(self, _at: float, increments: Increments) -> None:
        """Compare the baseline's pods with one another; always after the scrape was judged."""
        rows = increments.rows[:, FIRST_BUCKET:]
        self._cumulative += rows.sum(axis=0)
        active = rows[:, -1] > 0
        if self._shape is None or np.count_nonzero(active) < A_PAIR:
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
            mixture = Mixture(TAIL_PRIOR)
            mixture.restore(wealth)
            self._tails.append((mixture, Scatter(squares, expected)))


def tables(block: Block, shape: LatencyShape) -> tuple[Floats, Floats]:
    """The tables of `LatencyBets.ratios` for one block."""
    both = np.array((block.canary[FIRST_BUCKET:], block.baseline[FIRST_BUCKET:]))
    everyone = both[:, -1:]
    left = np.concatenate((everyone, both[:, shape.edges]), axis=1)
    slow = np.concatenate((left[:, :-1] - left[:, 1:], everyone - both[:, shape.tail]), axis=1)
    counts = np.empty((3, slow.shape[1]))
    counts[:2, : shape.edges.size] = left[:, :-1]
    counts[:2, shape.edges.size :] = everyone
    counts[2] = slow[0] + slow[1]
    return counts, slow[0]


def pod_scores(requests: Floats, slow: Floats) -> tuple[Floats, Floats]:
    """For each pod (row) and edge (column): slow ones more than its part of all, and the variance of that by chance."""
    total = requests.sum(axis=0)
    slow_total = slow.sum(axis=0)
    tells = (slow_total > 0) & (slow_total < total)
    rate = np.divide(slow_total, total, out=np.zeros_like(slow_total), where=tells)
    spread = np.divide(rate * (1 - rate) * total, total - 1, out=np.zeros_like(rate), where=tells & (total > 1))
    excess = (slow - requests * rate) * tells
    return excess, requests * spread * (1 - requests / np.maximum(total, 1.0))
