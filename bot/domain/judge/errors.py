"""Bad ones out of all: is the canary's share of them larger than the baseline's, and large enough to matter?"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bot.domain.judge.bets import Bets, Question
from bot.domain.judge.blocks import Block, Moment
from bot.domain.judge.counts import mean_on_canary
from bot.domain.judge.dispersion import A_PAIR, Dispersion, scores
from bot.domain.judge.mixture import Mixture, Prior
from bot.domain.judge.noninferiority import Baseline, CountsClearance
from bot.domain.judge.renewal import Renewal
from bot.domain.judge.samples import ALL, BAD, Floats, Increments
from bot.domain.judge.settings import CountsSignal, JudgeSettings

AT_ONCE = 0.8
"""Part of the stake on harm that begins with the canary; the rest bets on harm that begins later."""

RATIO_STEPS = (1.25, 1.5, 1.8, 2.2, 2.7, 3.5, 5.0, 8.0, 14.0, 30.0, 80.0, 250.0)
RATIO_WEIGHTS = (0.05, 0.08, 0.10, 0.12, 0.12, 0.12, 0.11, 0.10, 0.08, 0.06, 0.04, 0.02)
"""Odds ratios that are bet on, in multiples of the tolerance."""

RATE_STEPS = (2.0, 4.0, 10.0, 30.0, 100.0, 400.0, 2000.0)
RATE_WEIGHTS = (0.10, 0.16, 0.20, 0.20, 0.16, 0.12, 0.06)
HIGHEST_RATE = 0.97
"""Rates that are bet on, in multiples of the floor."""

LARGEST_STEP = 4.0
"""A block may multiply evidence by e^4 at most: one strange scrape does not condemn a canary."""

CLUMPED_FROM = 1.5
"""From this dispersion on, bad ones come in clumps."""

WIDEST = 2.0
"""Lasting differences between pods widen the tolerance by e^2 at most."""


TOLERANCE, RULED_OUT = 0, 1 + len(RATIO_STEPS)
"""Where the nulls stand among the odds ratios; the bets on each follow it."""


class CountsJudge:
    """Evidence on one signal of bad ones out of all.

    Harm must be shown twice: relative to the baseline, and above the floor; the smaller evidence counts.
    """

    def __init__(self, signal: CountsSignal, settings: JudgeSettings) -> None:
        self.signal = signal
        self._relative = Mixture(Prior(RATIO_WEIGHTS, AT_ONCE, settings.scrapes))
        self._absolute = Mixture(Prior(RATE_WEIGHTS, AT_ONCE, settings.scrapes))
        self._clearance = CountsClearance(signal, settings)
        self._dispersion, self._baseline, self._renewal = Dispersion(), Baseline(), Renewal()
        self._seen_at: float | None = None
        floor = signal.floor
        self._rates = [min(HIGHEST_RATE, step * floor) for step in RATE_STEPS]
        self._rate_logs = [(math.log(rate / floor), math.log1p((floor - rate) / (1 - floor))) for rate in self._rates]
        self._set_tolerance(signal.tolerance)

    @property
    def evidence(self) -> float:
        """Of harm."""
        return min(self._relative.value, self._absolute.value)

    @property
    def clearance(self) -> float:
        """Evidence that the harm to be ruled out is not there."""
        return self._clearance.value

    @property
    def must_settle_ratio(self) -> bool:
        """Whether promotion asks for the ratio alone; else a ratio that large at a rate that small is ruled out too."""
        return bool(self._clearance.must_settle_ratio)

    @property
    def requests_to_go(self) -> float | None:
        """About how many more requests of the canary it takes until the harm is ruled out; `None` if unknown."""
        return self._clearance.requests_to_go(self._baseline, self._dispersion.phi)

    def _set_tolerance(self, odds_ratio: float) -> None:
        self._tolerance, ruled_out = odds_ratio, self.signal.ruled_out
        harm = [odds_ratio, *(odds_ratio * step for step in RATIO_STEPS)]
        self._bets = Bets([harm, [ruled_out, *self._clearance.odds_ratios]])

    def ask(self, moment: Moment, block: Block | None) -> Question | None:
        """First half of a look: what it wants to know about the block; `None` if nothing, or nothing that is exact."""
        if self._renewal.is_due(moment, block, self._baseline.requests):
            widened = math.exp(min(self._dispersion.margin(moment.canary_pods), WIDEST))
            self._set_tolerance(self.signal.tolerance * widened)
        if block is None or not block.bad or self._is_clumped:
            return None
        canary, bad_on_canary, baseline, _ = block.counts
        return Question(
            self._bets, np.array([[canary] * 2, [baseline] * 2, [block.bad] * 2]), np.full(2, bad_on_canary)
        )

    def judge(self, moment: Moment, block: Block | None, ratios: Floats | None) -> None:
        """Second half, with the answer; `block` is `None` while there is too little to compare."""
        if block is None:
            return
        self._renewal.blocks += 1
        canary, bad, baseline, _ = block.counts
        tempered = self._dispersion.phi
        if self._is_clumped:
            tempered = self._tempered(canary + baseline, block.bad)
            ratios = self._hoeffding(block) if block.bad else None
        against = None
        if ratios is not None:
            tamed = (ratios / tempered).tolist()
            self._relative.step([min(LARGEST_STEP, ratio) for ratio in tamed[TOLERANCE + 1 : RULED_OUT]])
            against = tamed[RULED_OUT + 1 :]
        self._absolute.step(self._rate_ratios(canary, bad))
        if not moment.is_warm:
            self._clearance.see(moment.at, (canary, bad), against, (self._baseline, self._dispersion.phi))

    @property
    def _is_clumped(self) -> bool:
        return self._dispersion.phi > CLUMPED_FROM

    def _tempered(self, requests: float, bad: float) -> float:
        """The dispersion of a block with clumps: the more it has above what is usual, the fewer clumps they are."""
        phi = self._dispersion.phi
        usual = self._baseline.bad / max(1.0, self._baseline.requests) * requests
        return min(bad or 1.0, max(phi, bad / (1.0 + 2.0 * usual / phi)))

    def _hoeffding(self, block: Block) -> Floats:
        """Log ratios with normalisers that hold for any law on 0 to K with the null's mean, not only for independent
        bad ones: no such law has a larger exponential moment than K trials all or nothing (Hoeffding 1963)."""
        canary, bad_on_canary, baseline, _ = block.counts
        counts, bets = np.array((canary, baseline, block.bad)), self._bets
        shares = {at: mean_on_canary(counts, bets.log_odds[at]) / block.bad for at in (TOLERANCE, RULED_OUT)}
        share = np.array([min(1.0, shares[at]) for at in bets.null.tolist()])
        ratios: Floats = bad_on_canary * bets.apart - block.bad * np.log1p(share * np.expm1(bets.apart))
        return ratios

    def _rate_ratios(self, canary: float, bad: float) -> list[float]:
        """Log likelihood ratios of rates to the floor. Of clumps it only counts whether there was one."""
        floor, rates = self.signal.floor, self._rates
        if not self._is_clumped:
            ratios = [bad * each_bad + (canary - bad) * each_good for each_bad, each_good in self._rate_logs]
        elif bad:
            ratios = [math.log(math.expm1(-canary * r) / math.expm1(-canary * floor)) for r in rates]
        else:
            ratios = [-canary * (r - floor) for r in rates]
        return [min(LARGEST_STEP, ratio) for ratio in ratios]

    def learn(self, at: float, increments: Increments) -> None:
        """Compare the baseline's pods with one another; always after the scrape was judged."""
        requests, bad = float(increments.total[ALL]), float(increments.total[BAD])
        self._baseline.requests += requests
        self._baseline.bad += bad
        if self._seen_at is not None:
            self._baseline.seconds += at - self._seen_at
        self._seen_at = at
        active = increments.rows[:, ALL] > 0
        if 0 < bad < requests and np.count_nonzero(active) >= A_PAIR:
            pods = [pod for pod, is_active in zip(increments.pods, active.tolist(), strict=True) if is_active]
            self._dispersion.see(pods, *scores(increments.rows[active, ALL], increments.rows[active, BAD]))

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        baseline = self._baseline
        return {
            "relative": self._relative.state(),
            "absolute": self._absolute.state(),
            "clearance": self._clearance.state(),
            "dispersion": self._dispersion.state(),
            "baseline": [baseline.requests, baseline.bad, baseline.seconds],
            "renewal": self._renewal.state(),
            "seen_at": self._seen_at,
            "tolerance": self._tolerance,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._relative.restore(state["relative"])
        self._absolute.restore(state["absolute"])
        self._clearance.restore(state["clearance"])
        self._dispersion.restore(*state["dispersion"])
        self._baseline = Baseline(*state["baseline"])
        self._renewal.restore(state["renewal"])
        self._seen_at = state["seen_at"]
        self._set_tolerance(state["tolerance"])
