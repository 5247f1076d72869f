"""The tests the other way round: that the canary is *not* much worse. Promotion waits for them.

The null is now that the canary is at least so much worse; evidence against it is gathered by betting on less. Without
traffic there are no bets, hence no promotion.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.judge.mixture import Mixture, Prior
from bot.domain.judge.settings import CountsSignal, JudgeSettings

RATIO_PRIOR = Prior((0.6, 0.2, 0.2))
"""Weights of: equal, better than the baseline, a little worse (see `less_bad`)."""

RATE_SHARES = (0.02, 0.2, 0.5)
RATE_PRIOR = Prior((0.1, 0.15, 0.15, 0.6))
"""Weights of rates that are such shares of the one to be ruled out, and of the rate that the baseline has."""

HIGHEST_USUAL = 0.8
"""The baseline's rate is no bet against a rate below this share of the one to be ruled out."""

RATE_PART = 0.85
RATE_SEEN_FOR = 60.0
"""Seconds of baseline after which it is decided what is asked: ratio, or ratio and rate."""

SAFETY = 1.3
"""So many times the expected evidence must be in reach before only a ratio is accepted."""

RATIO_ONLY_UNTIL = 1.5
"""In units of patience: what has not been settled by then, may be settled by the rate."""


def less_bad(ruled_out: float, better: float) -> tuple[float, float, float]:
    """Odds ratios to bet on against `ruled_out`: none, `better` (below 1), and 30 % of the way to it."""
    return 1.0, better, 1.0 + 0.3 * (ruled_out - 1.0)


def evidence_per_bad_one(share: float, odds_ratio: float) -> float:
    """Expected log evidence (nats) of one bad request against `odds_ratio` when there is no difference: the divergence
    of the canary's part of the bad ones, `share` as of all requests, from what it would be."""
    worse = odds_ratio * share / (odds_ratio * share + 1 - share)
    return share * math.log(share / worse) + (1 - share) * math.log((1 - share) / (1 - worse))


@dataclass(slots=True)
class Baseline:
    """What the baseline did all in all: requests, bad ones, seconds watched."""

    requests: float = 0.0
    bad: float = 0.0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Share of bad ones, never 0: half a bad one is added."""
        return (self.bad + 0.5) / (self.requests + 1.0)


def evidence_per_request(rate: float, limit: float) -> float:
    """Expected log evidence of one request against a rate of `limit` when it is `rate`; 0 from the limit on."""
    if rate >= limit:
        return 0.0
    return rate * math.log(rate / limit) + (1 - rate) * math.log((1 - rate) / (1 - limit))


def soonest(needed: float, ways: Sequence[tuple[float, float]]) -> float | None:
    """After how many requests the first of several e-values reaches `needed`; each as it stands, with the log evidence
    that a request is expected to add."""
    found = [math.log(needed / value) / nats for value, nats in ways if value > 0 and nats > 0]
    return max(0.0, min(found)) if found else None


class CountsClearance:
    """Evidence that bad ones are not much more frequent on the canary: neither the odds ratio nor, where that cannot
    be settled in time, the rate."""

    def __init__(self, signal: CountsSignal, settings: JudgeSettings) -> None:
        self._signal, self._settings = signal, settings
        self._ratio, self._rate = Mixture(RATIO_PRIOR), Mixture(RATE_PRIOR)
        self.must_settle_ratio: bool | None = None
        self.value = 0.0

    @property
    def odds_ratios(self) -> tuple[float, ...]:
        """What `see` needs likelihood ratios for, to `ruled_out`."""
        return less_bad(self._signal.ruled_out, 0.7)

    def see(
        self, at: float, canary: tuple[float, float], ratio: Sequence[float] | None, usual: tuple[Baseline, float]
    ) -> None:
        """One block: `canary` has all and bad ones, `ratio` the log likelihood ratios of `odds_ratios` (already
        divided by the dispersion; `None` without bad ones), `usual` the baseline and the dispersion of its pods."""
        baseline, phi = usual
        if ratio is not None:
            self._ratio.step(ratio)
        self._rate.step([x / phi for x in self._rate_ratios(*canary, baseline)])
        if self.must_settle_ratio is None and baseline.seconds >= RATE_SEEN_FOR:
            self.must_settle_ratio = self._ratio_is_in_reach(baseline, phi)
        if self.must_settle_ratio and at < RATIO_ONLY_UNTIL * self._settings.patience:
            self.value = self._ratio.value
        else:
            self.value = (1 - RATE_PART) * self._ratio.value + RATE_PART * self._rate.value

    def requests_to_go(self, baseline: Baseline, phi: float) -> float | None:
        """About how many more requests of a canary like the baseline it takes; `None` when that cannot be told."""
        per_ratio = (
            baseline.rate / self._settings.share * evidence_per_bad_one(self._settings.share, self._signal.ruled_out)
        )
        ways = [(self._ratio.value * (1.0 if self.must_settle_ratio else 1 - RATE_PART), per_ratio)]
        if not self.must_settle_ratio:
            ways.append(
                (self._rate.value * RATE_PART, evidence_per_request(baseline.rate, self._signal.ruled_out_rate))
            )
        return soonest(1 / self._settings.beta, [(value, nats / phi) for value, nats in ways])

    def _rate_ratios(self, requests: float, bad: float, baseline: Baseline) -> list[float]:
        limit = self._signal.ruled_out_rate
        rates = (*(share * limit for share in RATE_SHARES), min(HIGHEST_USUAL * limit, baseline.rate))
        return [
            bad * math.log(rate / limit) + (requests - bad) * math.log1p((limit - rate) / (1 - limit)) for rate in rates
        ]

    def _ratio_is_in_reach(self, baseline: Baseline, phi: float) -> bool:
        """Does the traffic carry enough bad ones to settle the ratio within the patience?"""
        share = self._settings.share
        per_second = baseline.bad / max(baseline.seconds, 1.0) / (1.0 - share)
        nats = per_second / phi * evidence_per_bad_one(share, self._signal.ruled_out)
        return nats * self._settings.patience >= SAFETY * math.log(1 / self._settings.beta)

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        return {
            "ratio": self._ratio.state(),
            "rate": self._rate.state(),
            "must_settle_ratio": self.must_settle_ratio,
            "value": self.value,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._ratio.restore(state["ratio"])
        self._rate.restore(state["rate"])
        self.must_settle_ratio, self.value = state["must_settle_ratio"], state["value"]
