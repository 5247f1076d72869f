"""The exact test of one block: of so many bad ones on both arms together, how many fell on the canary?

Given the numbers of requests n_c and n_b and the number K of bad ones among them all, the number k on the canary
follows Fisher's non-central hypergeometric law, P(k) = psi^k / (k! (n_c - k)! (K - k)! (n_b - K + k)!) / Z(psi), whose
only parameter is the odds ratio psi between the arms. Whatever makes requests fail on both arms alike (an outage, a
drift) changes K and not this law.
"""

import math

import numpy as np

from bot.domain.judge.samples import Floats

WIDE_FROM = 16.0
"""Variance from which on Laplace's method is used: its relative error is then below 1e-5, and below 1e-6 from 64 on."""

REACH_SDS, REACH_MORE = 6.0, 6.0
"""How far from the peak terms are summed: so many standard deviations, and so many terms more for skewed laws."""

LOG_2PI = math.log(2.0 * math.pi)
GROWS = np.array([1.0, -1.0, -1.0, 1.0])
"""How the cells k, n_c - k, K - k and n_b - K + k change with k."""

SMALL_FACTORIALS = np.array([math.lgamma(n + 1.0) for n in range(16)])


def log_normalisers(counts: Floats, log_odds: Floats) -> Floats:
    """log Z(psi) for many tables and odds ratios at once.

    `counts` has the rows n_c, n_b and K, `log_odds` log psi for each of its columns; odds ratios are 0.5 or more. The
    log likelihood ratio of psi to psi0 is then `k (log psi - log psi0) - (log Z(psi) - log Z(psi0))`.
    """
    cells = _peak(counts, np.exp(log_odds))
    inverse = 1.0 / cells
    variance = 1.0 / inverse.sum(axis=0)
    values = _laplace(cells, inverse, variance, log_odds)
    narrow = variance < WIDE_FROM
    if narrow.any():
        few = np.flatnonzero(narrow)
        values[few] = _summed(counts[:, few], log_odds[few], cells[0, few])
    return values


def mean_on_canary(counts: Floats, log_odds: float) -> float:
    """The expected number of bad ones on the canary, for one table n_c, n_b, K."""
    cells = _peak(counts[:, None], np.exp([log_odds]))
    sd = math.sqrt(1.0 / float((1.0 / cells).sum()))
    first, growth = _growth(counts[:, None], np.array([log_odds]), cells[0], REACH_SDS * sd + REACH_MORE)
    logs = np.cumsum(np.log(np.maximum(growth[0], 1e-300)))
    weights = np.exp(np.append(0.0, logs) - max(0.0, logs.max(initial=0.0)))
    return float(first[0] + (weights * np.arange(weights.size)).sum() / weights.sum())


def _peak(counts: Floats, odds: Floats) -> Floats:
    """The four cells of the table, each plus a half, where the terms of Z are largest.

    In the form x! ~ sqrt(2 pi) ((x + 1/2)/e)^(x + 1/2) the terms are largest where the odds ratio of the cells plus a
    half is psi: a quadratic equation (Cornfield's, with halves).
    """
    n_c, n_b, bad = counts
    n, k, rest = n_c + 1.0, bad + 1.0, n_b - bad
    b = odds * (n + k) + rest
    twice = 2.0 * odds * n * k
    peak = twice / (b + np.sqrt(np.maximum(b * b - 2.0 * (odds - 1.0) * twice, 0.0)))
    return np.maximum((peak, n - peak, k - peak, rest + peak), 1e-9)


def _laplace(cells: Floats, inverse: Floats, variance: Floats, log_odds: Floats) -> Floats:
    """The sum as the integral of the bell around its peak, with the correction of the first order.

    With factorials in the form above the leading term alone is exact for binomial and Poisson sums, so little is left
    to correct.
    """
    squares = inverse * inverse
    third: Floats = GROWS @ squares
    fourth = -2.0 * (squares * inverse).sum(axis=0)
    logs = (cells * (1.0 - np.log(cells))).sum(axis=0)
    leading = (cells[0] - 0.5) * log_odds + logs + 0.5 * np.log(variance) - 1.5 * LOG_2PI
    bend = fourth / 8.0 + 5.0 / 24.0 * variance * third * third
    correction = 1.0 / (24.0 * variance) + variance * variance * bend
    total: Floats = leading + correction
    return total


def _summed(counts: Floats, log_odds: Floats, peak: Floats) -> Floats:
    """The sum, term by term, around the peak of a narrow law."""
    first, growth = _growth(counts, log_odds, peak, REACH_SDS * math.sqrt(WIDE_FROM) + REACH_MORE)
    n_c, n_b, bad = counts
    factorials = _log_factorial(np.array((first, n_c - first, bad - first, n_b - bad + first))).sum(axis=0)
    total: Floats = first * log_odds - factorials + np.log1p(np.cumprod(growth, axis=1).sum(axis=1))
    return total


def _growth(counts: Floats, log_odds: Floats, peak: Floats, reach: float) -> tuple[Floats, Floats]:
    """Where the sum begins, one row for each peak, and how many times the term before each further term is.

    It falls to 0 where the law ends, so what stands beyond need not be cut off.
    """
    n_c, n_b, bad = counts
    rest = n_b - bad
    first = np.maximum(np.maximum(0.0, -rest), np.floor(peak - reach))
    last = np.minimum(np.minimum(n_c, bad), np.ceil(peak + reach))
    u = first[:, None] + np.arange(int((last - first).max()))
    left = (n_c[:, None] - u) * (bad[:, None] - u)
    return first, left * np.exp(log_odds)[:, None] / ((u + 1.0) * (u + (rest + 1.0)[:, None]))


def _log_factorial(x: Floats) -> Floats:
    """log x! for whole numbers: from a table, then by Stirling's series in x + 1/2 (error below 1e-9)."""
    y = x + 0.5
    inverse = 1.0 / y
    series = y * np.log(y) - y + 0.5 * LOG_2PI - inverse * (1 / 24 - 7 / 2880 * inverse * inverse)
    small = x < SMALL_FACTORIALS.size
    series[small] = SMALL_FACTORIALS[x[small].astype(np.intp)]
    return series
