"""The exact test of one block."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.judge.counts import log_normalisers, mean_on_canary


def terms(n_c: int, n_b: int, bad: int, log_odds: float) -> list[float]:
    """Logs of the law's terms, straight from its definition."""
    counts = range(max(0, bad - n_b), min(bad, n_c) + 1)
    return [k * log_odds - sum(math.lgamma(cell + 1) for cell in (k, n_c - k, bad - k, n_b - bad + k)) for k in counts]


def log_sum(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(math.fsum(math.exp(x - top) for x in logs))


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int]:
    n_c, n_b = draw(st.integers(1, 1500)), draw(st.integers(1, 20000))
    return n_c, n_b, draw(st.integers(0, min(n_c + n_b, 3000)))


@given(tables(), st.floats(-0.69, 5.6))
def test_normalisers_are_the_sums_of_their_terms(table: tuple[int, int, int], log_odds: float) -> None:
    """Closed form and product agree with the definition, for narrow and wide laws, to 2e-5."""
    found = log_normalisers(np.array(table, float)[:, None], np.array([log_odds]))
    assert found[0] == pytest.approx(log_sum(terms(*table, log_odds)), abs=2e-5)


@given(st.integers(1, 60), st.integers(1, 400), st.integers(1, 80), st.floats(1.2, 50))
def test_a_block_is_a_fair_bet(n_c: int, n_b: int, bad: int, times: float) -> None:
    """Under the null the expected likelihood ratio is 1: nobody grows rich by betting on harm that is not there."""
    bad = min(bad, n_c + n_b)
    null, bet = math.log(1.1), math.log(1.1 * times)
    chances = [math.exp(x - log_sum(terms(n_c, n_b, bad, null))) for x in terms(n_c, n_b, bad, null)]
    logs = log_normalisers(np.array([[n_c] * 2, [n_b] * 2, [bad] * 2], float), np.array([null, bet]))
    first = max(0, bad - n_b)
    ratios = [math.exp((first + at) * (bet - null) - (logs[1] - logs[0])) for at in range(len(chances))]
    assert math.fsum(p * r for p, r in zip(chances, ratios, strict=True)) == pytest.approx(1.0, abs=1e-4)


@given(tables(), st.floats(-0.69, 3.0))
def test_the_mean_is_that_of_the_law(table: tuple[int, int, int], log_odds: float) -> None:
    """The expected number of bad ones on the canary."""
    _, n_b, bad = table
    logs = terms(*table, log_odds)
    whole = log_sum(logs)
    expected = math.fsum((max(0, bad - n_b) + at) * math.exp(x - whole) for at, x in enumerate(logs))
    assert mean_on_canary(np.array(table, float), log_odds) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_worse_odds_have_larger_sums() -> None:
    """Where both methods meet there is no step backwards."""
    odds = np.linspace(0, 5, 200)
    found = log_normalisers(np.repeat([[300.0], [3000.0], [150.0]], odds.size, axis=1), odds)
    slopes = [(b - a) / (odds[1] - odds[0]) for a, b in pairwise(found.tolist())]
    assert all(later >= sooner - 1e-3 for sooner, later in pairwise(slopes))
