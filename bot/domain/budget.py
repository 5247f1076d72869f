"""The error budget of a promise, and how fast it burns. Pure arithmetic on counts.

A promise such as "99.9 % of the requests of 30 days succeed" allows 0.1 % of them to fail: the budget. A burn rate of 1
spends it in just that time. Source: Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs", section
"Multiwindow, Multi-Burn-Rate Alerts", for 30 days: 14.4 over an hour is 2 % of the budget, 6 over six hours 5 %; the
short window, a twelfth of the long one, tells whether it still burns.
"""

import math
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Pair:
    """Two windows over both of which the budget must not burn faster than `limit`."""

    long: timedelta
    short: timedelta
    limit: float


PAIRS = (
    Pair(timedelta(hours=1), timedelta(minutes=5), 14.4),
    Pair(timedelta(hours=6), timedelta(minutes=30), 6.0),
)

SHRUNK = 0.8
"""A longer window may seem to have a little less than a shorter one within it, as sums are extended to the ends of each
window; with less than this share of it, something is missing."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests and the failed ones of them, in a window."""

    requests: float
    failures: float

    def nonsense(self) -> str:
        """Why nobody can have counted this, as a clause; empty: it makes sense."""
        if not (math.isfinite(self.requests) and math.isfinite(self.failures)):
            return "what was counted is no number"
        if self.requests < 0 or self.failures < 0:
            return f"fewer than no requests were counted ({self.requests:,.0f}, {self.failures:,.0f} failed)"
        if self.failures > self.requests * (1 + 1e-9):
            return f"more requests failed ({self.failures:,.0f}) than there were ({self.requests:,.0f})"
        return ""

    def lacks_of(self, shorter: "Counted") -> bool:
        """Whether this window has so much less than a shorter one within it that something is missing."""
        return self.requests < SHRUNK * shorter.requests or self.failures < SHRUNK * shorter.failures - 1

    def burn_rate(self, allowed: float) -> float | None:
        """How many times as fast as the promise allows requests failed; `allowed` is the share that may fail, above 0
        and below 1. `None`: nobody asked anything, so nobody knows."""
        return self.failures / (allowed * self.requests) if self.requests > 0 else None

    def left(self, allowed: float) -> float | None:
        """The share of the budget of these requests that is left, at most 1; below 0: more than all is spent. `None`:
        nobody asked anything, so there is none."""
        rate = self.burn_rate(allowed)
        return None if rate is None else 1 - rate
