"""Latency: is the canary slower than the baseline, everywhere or in some requests?

The histogram is walked from its slowest edge down. At each edge the requests slower than it, among those that were not
slower than the edge before, are tested like bad ones out of all: a slowdown means a certain odds ratio at every edge,
and the product over the edges is the likelihood ratio of the whole histogram.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bot.domain.judge.bets import Bets, Question
from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.dispersion import A_PAIR, Dispersion, Scatter, scores
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
    edge of the tail those of what is ruled out and of the bets against it.

    An edge where no slowdown makes a difference does not tell (`tells`).
    """

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
        self.tells = (np.max(bets, axis=0) > null * NOTICEABLE).tolist()
        self.tail_odds_ratios = limits
        slices = np.array([null, *bets]).T.tolist()
        self.bets = Bets([*slices, *([limit, *less_bad(limit, 0.8)] for limit in limits)])

    def split(self, ratios: Floats) -> tuple[Floats, Floats]:
        """Log ratios of each slowdown, over all edges; and of the bets against what is ruled out, a row for each edge
        of the tail."""
        at_edges = len(self.tells) * (1 + len(SLOWDOWNS))
        harm = ratios[:at_edges].reshape(len(self.tells), -1)[self.tells, 1:].sum(axis=0)
        return harm, ratios[at_edges:].reshape(len(self.tail_odds_ratios), -1)[:, 1:]


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

    def ask(self, moment: Moment, block: Block | None) -> Question | None:
        """First half of a look: what it wants to know about the block, if anything."""
        if self._renewal.is_due(moment, block, float(self._cumulative[-1])):
            self._renew(moment.canary_pods)
        if block is None or self._bets is None or self._shape is None or moment.is_warm:
            return None
        return Question(self._bets.bets, *tables(block, self._shape))

    def judge(self, _moment: Moment, block: Block | None, ratios: Floats | None) -> None:
        """Second half, with the answer; `block` is `None` while there is too little to compare."""
        if block is not None:
            self._renewal.blocks += 1
        if ratios is None or self._bets is None:
            return
        harm, tails = self._bets.split(ratios)
        self._harm.step([min(LARGEST_STEP, ratio) for ratio in (harm / self._dispersion.phi).tolist()])
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
        shape, edges = self._shape, self._shape.edges.size
        requests, slow = walked(rows, shape)
        excess, variance = scores(requests, slow)
        weights = shape.weights
        self._dispersion.see(pods, excess[:, :edges] @ weights, variance[:, :edges] @ (weights * weights))
        squares = (excess[:, edges:] ** 2).sum(axis=0).tolist()
        for (_, scatter), *sums in zip(self._tails, squares, variance[:, edges:].sum(axis=0).tolist(), strict=True):
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


def walked(cumulative: Floats, shape: LatencyShape) -> tuple[Floats, Floats]:
    """Requests and slow ones at each edge, slowest first, among those not slower than the edge before; and then at each
    edge of the tail, among all. A row for each row of histograms."""
    everyone = cumulative[:, -1:]
    left = np.concatenate((everyone, cumulative[:, shape.edges]), axis=1)
    requests = np.concatenate((left[:, :-1], np.broadcast_to(everyone, (len(everyone), shape.tail.size))), axis=1)
    slow = np.concatenate((left[:, :-1] - left[:, 1:], everyone - cumulative[:, shape.tail]), axis=1)
    return requests, slow


def tables(block: Block, shape: LatencyShape) -> tuple[Floats, Floats]:
    """A block's tables (rows n_c, n_b, slow ones of both) and the slow ones on the canary, edge by edge."""
    requests, slow = walked(np.array((block.canary[FIRST_BUCKET:], block.baseline[FIRST_BUCKET:])), shape)
    return np.concatenate((requests, slow[:1] + slow[1:])), slow[0]
