"""The arithmetic of error budgets, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import PAIRS, Counted


@pytest.mark.parametrize(
    ("requests", "failures", "allowed", "rate", "left"),
    [
        (1_000_000, 0, 0.001, 0.0, 1.0),
        (1_000_000, 280, 0.001, 0.28, 0.72),
        (1_000_000, 1_000, 0.001, 1.0, 0.0),
        (1_000_000, 2_500, 0.001, 2.5, -1.5),
        (1_000, 1_000, 0.001, 1_000.0, -999.0),
        (1_000, 144, 0.01, 14.4, -13.4),
        (200, 1, 0.05, 0.1, 0.9),
        (1, 0, 0.001, 0.0, 1.0),
        (0, 0, 0.001, None, None),
    ],
)
def test_rates_and_what_is_left(
    requests: float, failures: float, allowed: float, rate: float | None, left: float | None
) -> None:
    """A rate of 1 spends the budget in just its window; without requests there is neither."""
    counted = Counted(requests, failures)
    assert counted.burn_rate(allowed) == (None if rate is None else pytest.approx(rate))
    assert counted.left(allowed) == (None if left is None else pytest.approx(left))


def test_the_pairs_are_those_of_the_workbook() -> None:
    """2 % of the budget of 30 days in an hour, 5 % in six; the short window is a twelfth of the long one."""
    assert [pair.limit * pair.long.total_seconds() / (30 * 86_400) for pair in PAIRS] == [
        pytest.approx(0.02),
        pytest.approx(0.05),
    ]
    assert [pair.long / pair.short for pair in PAIRS] == [12.0, 12.0]


@pytest.mark.parametrize(
    ("requests", "failures", "said"),
    [
        (10, 10, ""),
        (0, 0, ""),
        (math.nan, 0, "what was counted is no number"),
        (10, math.nan, "what was counted is no number"),
        (math.inf, 0, "what was counted is no number"),
        (-1, 0, "fewer than no requests were counted (-1, 0 failed)"),
        (10, -3, "fewer than no requests were counted (10, -3 failed)"),
        (10, 12, "more requests failed (12) than there were (10)"),
        (0, 1, "more requests failed (1) than there were (0)"),
    ],
)
def test_what_nobody_can_have_counted_is_nonsense(requests: float, failures: float, said: str) -> None:
    """Each with what is wrong."""
    assert Counted(requests, failures).nonsense() == said


@pytest.mark.parametrize(
    ("longer", "shorter", "lacks"),
    [
        (Counted(100, 5), Counted(100, 5), False),
        (Counted(95, 5), Counted(100, 5), False),
        (Counted(79, 5), Counted(100, 5), True),
        (Counted(200, 5), Counted(100, 10), True),
        (Counted(200, 0), Counted(100, 1), False),
        (Counted(0, 0), Counted(0, 0), False),
    ],
)
def test_a_longer_window_has_what_a_shorter_one_has(longer: Counted, shorter: Counted, *, lacks: bool) -> None:
    """But for a little, as sums are extended to the ends of each."""
    assert longer.lacks_of(shorter) is lacks


@given(st.integers(1, 10**12), st.data(), st.floats(1e-6, 0.06))
def test_what_is_left_is_what_is_not_burnt(requests: int, data: st.DataObject, allowed: float) -> None:
    """More failures never leave more, and none leave all."""
    failures = data.draw(st.integers(0, requests))
    some, more = Counted(requests, failures), Counted(requests, min(requests, failures + 1))
    left, less = some.left(allowed), more.left(allowed)
    assert left is not None
    assert less is not None
    assert less <= left <= 1
    assert (left == 1) is (failures == 0)
