"""What is bet on when latencies are judged, and the tables that answer it.

The histogram is walked from its slowest edge down. At each edge the requests slower than it, among those that were not
slower than the edge before, are tested like bad ones out of all: a slowdown means a certain odds ratio at every edge,
and the product over the edges is the likelihood ratio of the whole histogram.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bot.domain.judge.bets import Bets
from bot.domain.judge.blocks import Block
from bot.domain.judge.latency_curve import LatencyCurve
from bot.domain.judge.noninferiority import less_bad
from bot.domain.judge.samples import FIRST_BUCKET, Floats
from bot.domain.judge.settings import LatencySignal

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


@dataclass(frozen=True, slots=True)
class LatencyShape:
    """Which edges are looked at, slowest first, and how much each counts when pods are compared (`unit`: how far a log
    slowdown moves the score). Fixed before pods are compared, so that scores of all scrapes mean the same."""

    edges: tuple[int, ...]
    tail: tuple[int, ...]
    weights: tuple[float, ...]
    unit: float

    def state(self) -> list[Any]:
        """Everything that must outlive the process."""
        return [list(self.edges), list(self.tail), list(self.weights), self.unit]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> "LatencyShape":
        """The shape that wrote `state`."""
        edges, tail, weights, unit = state
        return cls(tuple(edges), tuple(tail), tuple(weights), unit)


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
    return LatencyShape(tuple(edges), tuple(tail), tuple(x / most for x in apart), most / math.log(UNIT_SLOWDOWN))


class LatencyBets:
    """Odds ratios foretold from the baseline: at each edge those of the tolerance and of every slowdown bet on, at each
    edge of the tail those of what is ruled out and of the bets against it.

    An edge where no slowdown makes a difference does not tell (`tells`). Nothing in it ever changes.
    """

    def __init__(self, signal: LatencySignal, shape: LatencyShape, cumulative: Sequence[float], margin: float) -> None:
        """`margin` is the log slowdown that is usual among pods; it widens the tolerance."""
        curve = LatencyCurve(signal.bounds, cumulative)
        logs = [math.log(signal.bounds[at]) for at in shape.edges]
        wider = math.exp(min(margin, WIDEST))
        null = np.array(curve.slice_odds_ratios(logs, 1, signal.tolerance * wider))
        bets = [
            np.maximum(null, curve.slice_odds_ratios(logs, share, factor * (wider if share == 1 else 1)))
            for share, factor, _ in SLOWDOWNS
        ]
        limits = [
            max(LEAST_TAIL_RATIO, curve.tail_odds_ratio(math.log(signal.bounds[at]), signal.ruled_out))
            for at in shape.tail
        ]
        self.tells = (np.max(bets, axis=0) > null * NOTICEABLE).tolist()
        self.tail_odds_ratios = limits
        slices = np.array([null, *bets]).T.tolist()
        self.bets = Bets([*slices, *([limit, *less_bad(limit, 0.8)] for limit in limits)])
        self.tail, self.weights = np.array(shape.tail, np.intp), np.array(shape.weights)
        everyone = len(signal.bounds) - 1
        self.upper = np.array([everyone, *shape.edges[:-1], *[everyone] * len(shape.tail)], np.intp)
        self.lower = np.array([*shape.edges, *shape.tail], np.intp)
        self._apart: Floats = np.log(np.array(bets) / null).T
        self._gained: Floats = np.expm1(self._apart)

    def split(self, ratios: Floats) -> tuple[Floats, Floats]:
        """Log ratios of each slowdown, over all edges; and of the bets against what is ruled out, a row for each edge
        of the tail."""
        at_edges = len(self.tells) * (1 + len(SLOWDOWNS))
        harm = ratios[:at_edges].reshape(len(self.tells), -1)[self.tells, 1:].sum(axis=0)
        return harm, ratios[at_edges:].reshape(len(self.tail_odds_ratios), -1)[:, 1:]

    def on_pods(self, requests: Floats, slow: Floats) -> Floats:
        """Log ratios of each slowdown on each pod (rows), from what it had at each edge, to what all of them had: as
        though each were a canary, with the binomial law's normaliser, which is never below the exact one."""
        rates = slow.sum(axis=0) / np.maximum(requests.sum(axis=0), 1.0)
        ratios: Floats = slow @ self._apart - requests @ np.log1p(rates[:, None] * self._gained)
        return ratios


@lru_cache(maxsize=1024)
def bets_for(signal: LatencySignal, shape: LatencyShape, cumulative: tuple[float, ...], margin: float) -> LatencyBets:
    """The same bets for the same arguments: a judge is restored at every look, and its bets are new every 20 blocks."""
    return LatencyBets(signal, shape, cumulative, margin)


def walked(cumulative: Floats, bets: LatencyBets) -> tuple[Floats, Floats]:
    """Requests and slow ones at each edge, slowest first, among those not slower than the edge before; and then at each
    edge of the tail, among all. A row for each row of histograms."""
    requests = cumulative[:, bets.upper]
    return requests, requests - cumulative[:, bets.lower]


def tables(block: Block, bets: LatencyBets) -> tuple[Floats, Floats]:
    """A block's tables (rows n_c, n_b, slow ones of both) and the slow ones on the canary, edge by edge."""
    requests, slow = walked(np.array((block.canary[FIRST_BUCKET:], block.baseline[FIRST_BUCKET:])), bets)
    return np.concatenate((requests, slow[:1] + slow[1:])), slow[0]
