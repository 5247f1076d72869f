"""Betting on many alternatives and onsets at once."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.judge.mixture import Mixture, Prior

PRIOR = Prior((0.5, 0.3, 0.2), at_once=0.8, steps=10)


def test_it_begins_with_one() -> None:
    """Nothing seen is no evidence."""
    assert Mixture(PRIOR).value == 1.0


def test_nothing_is_won_or_lost_where_there_is_nothing_to_tell() -> None:
    """A likelihood ratio of 1 leaves the stake as it is, spent or not."""
    mixture = Mixture(PRIOR)
    for _ in range(30):
        mixture.step([0.0, 0.0, 0.0])
        assert mixture.value == pytest.approx(1.0)


@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=12), st.floats(0.02, 0.9))
def test_the_expected_wealth_does_not_grow(bets: list[float], chance: float) -> None:
    """With fair bets on a coin, the mean over both outcomes of a step is the value before it."""
    mixture = Mixture(Prior((1.0, 1.0), at_once=0.7, steps=20))
    for bet in bets:
        outcomes = []
        for won in (True, False):
            branch = Mixture(mixture.prior)
            branch.restore(mixture.state())
            branch.step([math.log((p if won else 1 - p) / (chance if won else 1 - chance)) for p in (bet, 1 - bet)])
            outcomes.append(branch)
        assert chance * outcomes[0].value + (1 - chance) * outcomes[1].value == pytest.approx(mixture.value)
        mixture = outcomes[0] if bet > chance else outcomes[1]


def test_harm_that_begins_late_still_finds_a_stake() -> None:
    """After long good times the early bets are lost, the later ones are not."""
    late, early = Mixture(PRIOR), Mixture(Prior(PRIOR.weights))
    for mixture in (late, early):
        for _ in range(8):
            mixture.step([-3.0] * 3)
        for _ in range(5):
            mixture.step([2.0] * 3)
    assert late.value > 100 > early.value


def test_wealth_has_an_end() -> None:
    """Overwhelming evidence is a number, and JSON can hold it."""
    mixture = Mixture(PRIOR)
    for _ in range(5):
        mixture.step([1e4] * 3)
    assert math.isfinite(mixture.value)
