"""Latency: is the canary slower than the baseline, everywhere or in some requests?"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bot.domain.judge.bets import Question
from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.dispersion import A_PAIR, Dispersion, Scatter, scores
from bot.domain.judge.errors import AT_ONCE
from bot.domain.judge.latency_bets import SLOWDOWNS, LatencyBets, LatencyShape, bets_for, shape_of, tables, walked
from bot.domain.judge.mixture import Mixture, Prior
from bot.domain.judge.noninferiority import evidence_per_bad_one, soonest
from bot.domain.judge.renewal import Renewal
from bot.domain.judge.samples import FIRST_BUCKET, Floats, Increments
from bot.domain.judge.settings import JudgeSettings, LatencySignal
from bot.domain.judge.tolls import Tolls

COMPARED_FROM = 2000
"""Requests of the baseline from which on its pods are compared: four are then beyond the slowest useful edge."""

TAIL_PRIOR = Prior((0.7, 0.15, 0.15))
"""Weights of: equal, better than the baseline, a little worse (see `less_bad`)."""


class LatencyJudge:
    """Evidence on latency: of harm, over all edges at once; against harm, at the edges around the quantile."""

    def __init__(self, signal: LatencySignal, settings: JudgeSettings) -> None:
        self.signal, self._settings = signal, settings
        self._harm = Mixture(Prior([weight for *_, weight in SLOWDOWNS], AT_ONCE, settings.scrapes))
        self._renewal, self._dispersion, self._tolls = Renewal(), Dispersion(), Tolls(len(SLOWDOWNS))
        self._cumulative: Floats = np.zeros(len(signal.bounds))
        self._shape: LatencyShape | None = None
        self._bets: LatencyBets | None = None
        self._bets_from: tuple[tuple[float, ...], float] = ((), 0.0)
        self._tails: list[tuple[Mixture, Scatter]] = []
        self.clearance = 0.0

    @property
    def evidence(self) -> float:
        """Of harm."""
        return self._harm.value

    @property
    def requests_to_go(self) -> float | None:
        """About how many more requests of the canary it takes until the slowdown is ruled out; `None` if unknown."""
        if self._bets is None:
            return None
        share, everyone = self._settings.share, self._cumulative[-1]
        beyond = (1 - self._cumulative[self._bets.tail] / everyone).tolist()
        ways = [
            (mixture.value / len(beyond), rate / share * evidence_per_bad_one(share, limit) / scatter.phi)
            for (mixture, scatter), rate, limit in zip(self._tails, beyond, self._bets.tail_odds_ratios, strict=True)
        ]
        return soonest(1 / self._settings.beta, ways)

    def ask(self, moment: Moment, block: Block | None) -> Question | None:
        """First half of a look: what it wants to know about the block, if anything."""
        if self._renewal.is_due(moment, block, float(self._cumulative[-1])):
            self._renew(moment.canary_pods)
        if block is None or self._bets is None or moment.is_warm:
            return None
        return Question(self._bets.bets, *tables(block, self._bets))

    def judge(self, moment: Moment, block: Block | None, ratios: Floats | None) -> None:
        """Second half, with the answer; `block` is `None` while there is too little to compare."""
        if block is not None:
            self._renewal.blocks += 1
        if ratios is None or self._bets is None:
            return
        harm, tails = self._bets.split(ratios)
        if not self._tolls.are_known:
            harm = harm / self._dispersion.phi
        self._harm.step(self._tolls.taken(harm, moment.canary_pods).tolist())
        for (mixture, scatter), row in zip(self._tails, tails, strict=True):
            mixture.step((row / scatter.phi).tolist())
        self.clearance = math.fsum(mixture.value for mixture, _ in self._tails) / len(self._tails)

    def _renew(self, canary_pods: int) -> None:
        cumulative = tuple(self._cumulative.tolist())
        if self._shape is None:
            self._shape = shape_of(self.signal, cumulative)
            self._tails = [(Mixture(TAIL_PRIOR), Scatter()) for _ in self._shape.tail]
        self._bets_from = cumulative, self._dispersion.margin(canary_pods) / self._shape.unit
        self._bets = bets_for(self.signal, self._shape, *self._bets_from)

    def learn(self, _at: float, increments: Increments) -> None:
        """Compare the baseline's pods with one another; always after the scrape was judged. That begins before the
        canary has traffic, as it takes rare clumps long to show."""
        rows = increments.rows[:, FIRST_BUCKET:]
        self._cumulative += rows.sum(axis=0)
        if self._bets is None and self._cumulative[-1] >= COMPARED_FROM:
            self._renew(canary_pods=1)
        active = rows[:, -1] > 0
        if self._bets is None or np.count_nonzero(active) < A_PAIR:
            return
        if not active.all():
            rows = rows[active]
        pods = [pod for pod, is_active in zip(increments.pods, active.tolist(), strict=True) if is_active]
        bets, edges = self._bets, self._bets.weights.size
        requests, slow = walked(rows, bets)
        excess, variance = scores(requests, slow)
        self._dispersion.see(pods, excess[:, :edges] @ bets.weights, variance[:, :edges] @ (bets.weights**2))
        self._tolls.see(bets.on_pods(requests[:, :edges], slow[:, :edges]))
        squares = (excess[:, edges:] ** 2).sum(axis=0).tolist()
        for (_, scatter), *sums in zip(self._tails, squares, variance[:, edges:].sum(axis=0).tolist(), strict=True):
            scatter.add(*sums)

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        return {
            "harm": self._harm.state(),
            "renewal": self._renewal.state(),
            "dispersion": self._dispersion.state(),
            "tolls": self._tolls.state(),
            "cumulative": self._cumulative.tolist(),
            "shape": self._shape and self._shape.state(),
            "bets_from": [list(self._bets_from[0]), self._bets_from[1]],
            "tails": [[mixture.state(), scatter.squares, scatter.expected] for mixture, scatter in self._tails],
            "clearance": self.clearance,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._harm.restore(state["harm"])
        self._renewal.restore(state["renewal"])
        self._dispersion.restore(*state["dispersion"])
        if "tolls" in state:  # states that were written before there were tolls have none
            self._tolls.restore(*state["tolls"])
        self._cumulative = np.array(state["cumulative"])
        self.clearance = state["clearance"]
        if state["shape"] is None:
            return
        self._shape = LatencyShape.restored(state["shape"])
        cumulative, margin = state["bets_from"]
        self._bets_from = tuple(cumulative), margin
        self._bets = bets_for(self.signal, self._shape, *self._bets_from)
        self._tails = []
        for wealth, squares, expected in state["tails"]:
            mixture = Mixture(TAIL_PRIOR)
            mixture.restore(wealth)
            self._tails.append((mixture, Scatter(squares, expected)))
