"""The baseline's latencies as a curve."""

import math

import pytest

from bot.domain.judge.latency_curve import LatencyCurve, odds, slice_odds

BOUNDS = (0.05, 0.1, 0.2, 0.4, math.inf)


def test_it_goes_through_the_edges() -> None:
    """At an edge the curve says what the histogram says."""
    curve = LatencyCurve(BOUNDS, [20, 50, 80, 97, 100])
    assert [curve.below(math.log(bound)) for bound in BOUNDS[:-1]] == pytest.approx([0.2, 0.5, 0.8, 0.97])


def test_a_slowdown_moves_it_along_the_latency() -> None:
    """Twice as slow: as many are below 200 ms as were below 100 ms; half of them slowed: half of the way."""
    curve = LatencyCurve(BOUNDS, [20, 50, 80, 97, 100])
    assert curve.below_if(math.log(0.2), 1, 2.0) == pytest.approx(0.5)
    assert curve.below_if(math.log(0.2), 0.5, 2.0) == pytest.approx(0.65)


def test_odds_ratios_never_speak_for_the_canary() -> None:
    """A slowdown makes no slice less likely than it was."""
    curve = LatencyCurve(BOUNDS, [20, 50, 80, 97, 100])
    edges = [math.log(bound) for bound in BOUNDS[-2::-1]]
    ratios = curve.slice_odds_ratios(edges, 1, 1.3)
    assert min(ratios) >= 1.0
    assert curve.tail_odds_ratio(edges[1], 1.3) > 1.5
    assert curve.slice_odds_ratios(edges, 1, 1.0) == [1.0] * 4


@pytest.mark.parametrize("counts", [[100] * 5, [0, 0, 0, 0, 100], [0, 0, 100, 100, 100]])
def test_one_bucket_is_a_curve_too(counts: list[float]) -> None:
    """A histogram whose edges tell nothing is taken as a narrow curve around the bucket that holds all."""
    curve = LatencyCurve(BOUNDS, counts)
    shares = [curve.below(math.log(bound)) for bound in BOUNDS[:-1]]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)


def test_odds_are_kept_off_their_ends() -> None:
    """Shares of nothing and all have odds one can calculate with."""
    assert odds(0.5) == 1.0
    assert math.isfinite(odds(1.0))
    assert odds(0.0) > 0
    assert slice_odds([0.5, 0.25]) == [1.0, 1.0]
