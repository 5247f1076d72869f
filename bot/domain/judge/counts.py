"""The exact test of one block: of so many bad ones on both arms together, how many fell on the canary?

Given the numbers of requests n_c and n_b and the number K of bad ones among them all, the number k on the canary follows
Fisher's non-central hypergeometric law, P(k) = psi^k / (k! (n_c - k)! (K - k)! (n_b - K + k)!) / Z(psi), whose only
parameter is the odds ratio psi between the arms. Whatever makes requests fail on both arms alike (an outage, a drift)
changes K and not this law.
"""

import math

import numpy as np
import numpy.typing as npt

from bot.domain.judge.samples import Floats

WIDE_FROM = 16.0
"""Variance from which on Laplace's method is used: its relative error is then below 1e-5 (and below 1e-6 from 64 on)."""

FEW_SDS, FEW_MORE = 6.0, 6.0
"""How far from the peak terms are summed: so many standard deviations, and so many terms more for skewed laws."""

LOG_2PI = math.log(2.0 * math.pi)
SMALL_FACTORIALS = np.array([math.lgamma(n + 1.0) for n in range(32)])

Counts = float | Floats


def log_normalisers(canary: Counts, baseline: Counts, bad: Counts, log_odds: npt.ArrayLike) -> Floats:
    """log Z(psi) for every log odds ratio, up to nothing: values for the same counts may be subtracted.

    Counts are n_c, n_b and K of this module's text, all broadcast against `log_odds`; odds ratios are 0.5 or more. The
    log likelihood ratio of psi to psi0 is then `k (log psi - log psi0) - (log Z(psi) - log Z(psi0))`.
    """
    n_c, n_b, k_all, theta = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (canary, baseline, bad, log_odds)))
    cells, variance = _peak(n_c, n_b, k_all, theta)
    values = _laplace(cells, variance, theta)
    narrow = variance < WIDE_FROM
    if narrow.any():
        values[narrow] = _summed(n_c[narrow], n_b[narrow], k_all[narrow], theta[narrow], cells[0][narrow])
    return values


def mean_on_canary(canary: float, baseline: float, bad: float, odds: float) -> float:
    """The expected number of bad ones on the canary."""
    counts = [np.array([x]) for x in (canary, baseline, bad, math.log(odds))]
    cells, variance = _peak(*counts)
    first, logs = _terms(*counts, cells[0], np.sqrt(variance))
    weights = np.exp(logs[0] - logs[0].max())
    return float(first[0] + (weights * np.arange(weights.size)).sum() / weights.sum())


def _peak(n_c: Floats, n_b: Floats, k_all: Floats, theta: Floats) -> tuple[tuple[Floats, ...], Floats]:
    """Where the terms are largest: the four cells of the table there, each plus a half, and the variance around it.

    The terms' product form x! ~ sqrt(2 pi) ((x + 1/2)/e)^(x + 1/2) is largest where the odds ratio of the cells plus a
    half is psi: a quadratic equation (Cornfield's, with halves).
    """
    psi = np.exp(theta)
    n, k = n_c + 1.0, k_all + 1.0
    rest = n_b - k_all
    b = psi * (n + k) + rest
    bad_c = 2.0 * psi * n * k / (b + np.sqrt(np.maximum(b * b - 4.0 * (psi - 1.0) * psi * n * k, 0.0)))
    cells = (bad_c, *(np.maximum(cell, 1e-9) for cell in (n - bad_c, k - bad_c, rest + bad_c)))
    return cells, 1.0 / (1.0 / cells[0] + 1.0 / cells[1] + 1.0 / cells[2] + 1.0 / cells[3])


def _laplace(cells: tuple[Floats, ...], variance: Floats, theta: Floats) -> Floats:
    """The sum as the integral of the bell around its peak, with the correction of the first order.

    With factorials in the form above the leading term alone is exact for binomial and Poisson sums, so little is left
    to correct.
    """
    a, b, c, d = cells
    level = (a - 0.5) * theta + 0.5 * np.log(variance) - 1.5 * LOG_2PI
    third = 1 / (a * a) - 1 / (b * b) - 1 / (c * c) + 1 / (d * d)
    fourth = -2.0 * (1 / a**3 + 1 / b**3 + 1 / c**3 + 1 / d**3)
    for cell in cells:
        level -= cell * np.log(cell) - cell
    spread2 = variance * variance
    return level + 1.0 / (24.0 * variance) + spread2 * (fourth / 8.0 + 5.0 * variance * third * third / 24.0)


def _summed(n_c: Floats, n_b: Floats, k_all: Floats, theta: Floats, peak: Floats) -> Floats:
    """The sum, term by term."""
    _, logs = _terms(n_c, n_b, k_all, theta, peak, np.full_like(peak, math.sqrt(WIDE_FROM)))
    top = logs.max(axis=1)
    total: Floats = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
    return total


def _terms(
    n_c: Floats, n_b: Floats, k_all: Floats, theta: Floats, peak: Floats, sd: Floats
) -> tuple[Floats, Floats]:
    """Logs of the terms around each peak, one row each, -inf beyond its end; and the count each row begins with."""
    reach = FEW_SDS * sd + FEW_MORE
    rest = n_b - k_all
    first = np.maximum(np.maximum(0.0, -rest), np.floor(peak - reach))
    last = np.minimum(np.minimum(n_c, k_all), np.ceil(peak + reach))
    u = first[:, None] + np.arange(int((last - first).max()))
    left_c, left_k = n_c[:, None] - u, k_all[:, None] - u
    growth = np.maximum(left_c * left_k, 1e-300) / ((u + 1.0) * (rest[:, None] + u + 1.0))
    logs = np.empty((u.shape[0], u.shape[1] + 1))
    logs[:, 0] = first * theta - sum(_log_factorial(x) for x in (first, n_c - first, k_all - first, rest + first))
    logs[:, 1:] = np.log(growth) + theta[:, None]
    np.cumsum(logs, axis=1, out=logs)
    logs[:, 1:][u >= last[:, None]] = -np.inf
    return first, logs


def _log_factorial(x: Floats) -> Floats:
    """log x! for whole numbers: from a table, then by Stirling's series in x + 1/2 (error below 1e-12)."""
    y = x + 0.5
    series = y * np.log(y) - y + 0.5 * LOG_2PI - 1 / (24 * y) + 7 / (2880 * y**3) - 31 / (40320 * y**5)
    small = SMALL_FACTORIALS[np.minimum(x, SMALL_FACTORIALS.size - 1).astype(np.intp)]
    return np.where(x < SMALL_FACTORIALS.size, small, series)
