"""Absolute limits beside the judge."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.judge.guards import (
    Breach,
    Guard,
    Guards,
    GuardSettings,
    LatencyGuard,
    LevelGuard,
    RateGuard,
    binomial_tail,
)
from bot.domain.judge.samples import Sample

BOUNDS = (0.1, 0.3, 1.0, math.inf)
ALL_GUARDS = (RateGuard(0.01), LatencyGuard(0.95, 0.3), LevelGuard("cpu", 0.8, "cores"))
SETTINGS = GuardSettings(ALL_GUARDS, bounds=BOUNDS)


def breaches(scrapes: list[tuple[int, int, int, float]], settings: GuardSettings = SETTINGS) -> tuple[Breach, ...]:
    """After scrapes every 15 s of one pod: requests, errors, requests slower than 300 ms, CPU."""
    guards, total, found = Guards(settings), np.zeros(3, int), ()
    for number, (*counts, cpu) in enumerate([(0, 0, 0, 0.1), *scrapes]):
        total = total + np.array(counts)
        requests, errors, slow = (int(count) for count in total)
        buckets = (requests - slow, requests - slow, requests, requests)
        found = guards.see(15.0 * number, {"pod": Sample(requests, errors, buckets, {"cpu": cpu})})
    return found


def test_a_guard_reads_as_it_is_written() -> None:
    """One text for one guard."""
    assert [str(guard) for guard in ALL_GUARDS] == ["error_rate < 1%", "p95 < 300ms", "cpu < 0.8 cores"]


def test_a_latency_that_the_histogram_cannot_show_is_refused() -> None:
    """A guard that could never ring would be a false comfort."""
    with pytest.raises(UsageError, match="p95 < 5000ms cannot be seen in a histogram that ends at 1000 ms"):
        GuardSettings((LatencyGuard(0.95, 5.0),), bounds=BOUNDS)


def test_within_the_limits_nothing_rings() -> None:
    """Exactly at the limit is not above it."""
    assert breaches([(1000, 10, 50, 0.8)] * 8) == ()


def test_a_breach_means_what_it_says() -> None:
    """Each guard rings for its own reason and shows the numbers of the window."""
    assert [each.line for each in breaches([(100, 5, 0, 0.1)] * 4)] == [
        "error_rate < 1%: 5.00% (20 of 400 requests failed)"
    ]
    assert [each.line for each in breaches([(100, 0, 20, 0.1)] * 4)] == [
        "p95 < 300ms: 20.00% (80 of 400) took longer than 300 ms"
    ]
    assert [each.line for each in breaches([(100, 0, 0, 0.9)] * 8)] == ["cpu < 0.8 cores: 0.9 over 8 scrapes"]


def test_one_unlucky_scrape_never_rings() -> None:
    """However bad it was: without it the window is within the limits."""
    assert breaches([(20, 0, 0, 0.1)] * 6 + [(20, 20, 20, 5.0)]) == ()
    assert breaches([(1000, 0, 0, 0.1)] * 6 + [(1000, 1000, 1000, 9.0)]) == ()


def test_few_requests_prove_nothing() -> None:
    """Below the minimum of the window nothing rings; above it chance is left room."""
    assert breaches([(5, 5, 5, 0.1)] * 4) == ()
    assert breaches([(10, 1, 0, 0.1), (10, 1, 0, 0.1), (40, 0, 0, 0.1)]) == ()


def test_what_is_long_ago_is_forgotten() -> None:
    """Only the window counts."""
    assert breaches([(100, 50, 50, 2.0)] * 4 + [(100, 0, 0, 0.1)] * 9) == ()


def test_guards_survive_a_restart_of_ours() -> None:
    """Restored before every scrape they say the same; a scrape seen twice counts once."""
    whole, text = Guards(SETTINGS), json.dumps(Guards(SETTINGS).state())
    for number in range(12):
        requests = 100 * number
        pods = {"pod": Sample(requests, 3 * number, (requests,) * 4, {"cpu": 0.9})}
        restored = Guards.restored(SETTINGS, json.loads(text))
        assert restored.see(15.0 * number, pods) == whole.see(15.0 * number, pods) == whole.see(15.0 * number, pods)
        text = json.dumps(restored.state())


def test_a_service_at_its_limit_seldom_rings() -> None:
    """An hour at exactly 1 % errors rings falsely in fewer than 2.4 % of 400 services; at half of it never."""
    rng = np.random.default_rng(7)
    only_errors = GuardSettings((RateGuard(0.01),))

    def rings(rate: float) -> bool:
        guards, errors = Guards(only_errors), 0
        for number in range(241):
            errors += int(rng.binomial(60, rate))
            if guards.see(15.0 * number, {"pod": Sample(60 * (number + 1), errors)}):
                return True
        return False

    assert sum(rings(0.01) for _ in range(400)) <= 10
    assert sum(rings(0.005) for _ in range(100)) == 0


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.001, 0.5))
def test_the_tail_is_binomial(requests: int, more: int, share: float) -> None:
    """The probability of at least so many, from the mean up."""
    bad = min(requests, math.ceil(share * requests) + more)
    exact = math.fsum(
        math.comb(requests, k) * share**k * (1 - share) ** (requests - k) for k in range(bad, requests + 1)
    )
    assert binomial_tail(bad, requests, share) == pytest.approx(exact, rel=1e-6, abs=1e-200)


def test_every_kind_of_guard_has_a_name() -> None:
    """For settings and messages."""
    kinds: tuple[Guard, ...] = ALL_GUARDS
    assert [guard.name for guard in kinds] == ["error_rate", "p95", "cpu"]
