"""What bets on harm would have won against the baseline's own pods, where there is none.

The exact test of a block takes it that requests are slow or fast independently of one another. Where they come in
clumps (a garbage collector stops a pod, and a third of its scrape is slow), a healthy canary wins bets by every clump
that hits it. Dividing log ratios by the scatter of the pods does not mend that: it brings their variance right, yet a
rare large win has a larger exponential moment than a normal law of the same variance, so evidence grew under the null.

So at every scrape each bet is also laid on each pod of the baseline against all of them. If a healthy canary's pods
behave like these, the expected value of exp(min(ratio, cap)) on the canary is what these won on average. Divided by
that, where it is above 1, the factor has an expected value of at most 1, whatever the law of the clumps; that is all an
e-process needs. Cutting wins off at a cap is what makes the toll small: it is the likelihood ratio test against a null
of which a part may be anything (Huber 1965, "A robust version of the probability ratio test").

Without clumps no toll is due: by the inequality that Hoeffding 1963 proved in section 6, requests drawn without
replacement have at most the exponential moment that the binomial law gives them, so the pods win at most 1 on average.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.domain.judge.samples import Floats

CAPS = np.array([4.0, 3.0, 2.0, 1.5, 1.0, 0.5])
"""A block may multiply evidence by e^4 at most, for one strange scrape does not condemn a canary; with clumps less."""

WORTH = 1 / 16
"""The largest cap is chosen whose toll is at most this part of it."""

NOTHING_WON = 50.0
"""So many looks at a pod without win or loss are taken as seen beforehand."""

KNOWN_FROM = 100.0
"""Looks at pods from which on tolls are relied upon."""

DIGITS = 3
"""Of what was won: more would only make the state longer."""

LIMITS, WINS = CAPS[:, None] * WORTH, np.exp(CAPS)[:, None, None]


class Tolls:
    """The mean win of each bet under each cap, over all looks at all pods of the baseline, and what toll that asks."""

    def __init__(self, bets: int) -> None:
        self._won: Floats = np.zeros((CAPS.size, bets))
        self._looks = 0.0

    @property
    def are_known(self) -> bool:
        """Whether enough was seen to rely on them."""
        return self._looks >= KNOWN_FROM

    def see(self, log_ratios: Floats) -> None:
        """One scrape of the baseline: log ratios of all bets (columns) on each of its pods (rows)."""
        wins = np.exp(np.minimum(log_ratios, CAPS[0]))
        self._won = np.round(self._won + np.minimum(wins, WINS).sum(axis=1), DIGITS)
        self._looks += len(wins)

    def taken(self, log_ratios: Floats, canary_pods: int) -> Floats:
        """What remains of the canary's log ratios, one for each bet. Each of its pods has its own clumps, so the toll
        is due for each."""
        capped: Floats = np.minimum(log_ratios, CAPS[0])
        if (self._won[0] <= self._looks).all():
            return capped
        mean = (self._won + NOTHING_WON) / (self._looks + NOTHING_WON)
        tolls = canary_pods * np.log(np.maximum(mean, 1.0))
        is_cheap = tolls <= LIMITS
        is_cheap[-1] = True
        chosen = is_cheap.argmax(axis=0)
        left: Floats = np.minimum(capped, CAPS[chosen]) - tolls[chosen, np.arange(chosen.size)]
        return left

    def state(self) -> list[Any]:
        """Everything that must outlive the process: looks, and wins by cap and bet."""
        return [self._looks, self._won.tolist()]

    def restore(self, looks: float, won: Sequence[Sequence[float]]) -> None:
        """Go on where `state` was taken."""
        self._looks, self._won = looks, np.array(won)
