"""The tests the other way round."""

import math

import pytest

from bot.domain.judge.noninferiority import (
    Baseline,
    CountsClearance,
    evidence_per_bad_one,
    evidence_per_request,
    less_bad,
    soonest,
)
from bot.domain.judge.settings import CountsSignal
from tests.domain.judge.canaries import some_settings


def cleared(blocks: int, baseline: Baseline, *, bad: int = 0) -> CountsClearance:
    clearance = CountsClearance(CountsSignal(), some_settings())
    for number in range(blocks):
        clearance.see(15.0 * number, (100.0, float(bad)), None, (baseline, 1.0))
    return clearance


def test_it_begins_without_any() -> None:
    """No data is no evidence, hence no promotion."""
    assert CountsClearance(CountsSignal(), some_settings()).value == 0.0


def test_requests_without_errors_rule_out_a_rate() -> None:
    """Where the baseline has so few errors that a ratio cannot be settled in time."""
    rare = Baseline(requests=1e5, bad=1, seconds=600)
    assert cleared(5, rare).value < 20 < cleared(15, rare).value
    assert cleared(5, rare).must_settle_ratio is False
    assert cleared(15, rare, bad=3).value < 1


def test_where_a_ratio_can_be_settled_it_must_be() -> None:
    """A low rate is no excuse for twice the errors of the baseline."""
    often = Baseline(requests=1e6, bad=2000, seconds=600)
    assert cleared(15, often).must_settle_ratio is True
    assert cleared(15, often).value == 1.0


def test_after_its_patience_the_rate_may_settle_it() -> None:
    """What has not been settled in 30 minutes is not asked for ever."""
    often = Baseline(requests=1e6, bad=2000, seconds=600)
    assert cleared(120, often).value == 1.0
    assert cleared(121, often).value > 20


def test_how_much_longer_is_what_is_missing_over_what_a_request_brings() -> None:
    """The soonest of several ways; nothing can be said without one."""
    assert soonest(20.0, [(1.0, 0.01)]) == pytest.approx(math.log(20) / 0.01)
    assert soonest(20.0, [(1.0, 0.01), (10.0, 0.01), (0.0, 1.0)]) == pytest.approx(math.log(2) / 0.01)
    assert soonest(20.0, [(40.0, 0.01)]) == 0.0
    assert soonest(20.0, [(1.0, 0.0)]) is None


def test_evidence_grows_with_the_difference() -> None:
    """None where there is no difference."""
    assert evidence_per_bad_one(0.05, 1.0) == pytest.approx(0.0)
    assert evidence_per_bad_one(0.05, 3.0) > evidence_per_bad_one(0.05, 2.0) > 0
    assert evidence_per_request(0.001, 0.005) > 0
    assert evidence_per_request(0.01, 0.005) == 0.0
    assert less_bad(2.0, 0.7) == (1.0, 0.7, 1.3)
