"""The judge in words."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.domain.judge.explain import all_figures, explained, signal_line
from bot.domain.judge.figures import clock, number, percent, quantile, rounded
from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation
from tests.domain.judge.canaries import BASELINE, BOUNDS, CANARY, observations, some_settings


def told(seen: list[Observation | None]) -> str:
    judge = Judge(some_settings())
    verdict = judge.verdict()
    for each in seen:
        verdict = judge.see(each)
    return explained(judge, verdict)


def test_before_the_canary_there_is_nothing_to_say() -> None:
    """History is no evidence."""
    assert told(observations()[:10]) == snapshot("the canary has no traffic yet")


def test_while_all_is_well_it_says_what_it_waits_for() -> None:
    """What must be ruled out, and at about how many requests that is."""
    assert told(observations(live=8)) == snapshot(
        "no harm seen; promotes when a doubling of errors is ruled out, at about 1,300 requests (800 so far)"
    )


def test_what_is_ruled_out_early_waits_for_its_time() -> None:
    """Evidence is there; the time to bake is not over."""
    fast = replace(CANARY, requests=2000, errors=20)
    assert told(observations(fast, live=12)) == snapshot("no harm seen; promotes after 5 min (3 min so far)")


def test_a_suspicion_shows_its_figures() -> None:
    """Both arms, and how far the evidence is."""
    assert told(observations(replace(CANARY, errors=4), live=3)) == snapshot(
        "errors 4.0 % vs 1.0 % (12 of 300 vs 18 of 1,800): evidence 30, rolls back at 100"
    )


def test_a_rollback_says_why() -> None:
    """The signal that spoke loudest."""
    assert told(observations(replace(CANARY, errors=10), live=3)) == snapshot(
        "errors 10 % vs 1.0 % (30 of 300 vs 18 of 1,800): evidence 53,414, above the limit of 100"
    )


def test_a_promotion_says_what_was_ruled_out() -> None:
    """And shows all figures."""
    assert told(observations(live=40)) == snapshot(
        "no harm seen, and a doubling of errors, a tail 1.25 times as slow and 1.5 times the cpu are ruled out: "
        "errors 1.0 % vs 1.0 % (40 of 4,000 vs 240 of 24,000) · p95 465 vs 465 ms · cpu +0 %"
    )


def test_blindness_has_its_reason() -> None:
    """The provider, or an arm that shows nothing."""
    assert told([*observations(live=3), None]) == snapshot("nothing to see: the metrics provider does not answer")
    assert told([replace(each, canary={}) for each in observations(live=20)]) == snapshot(
        "nothing to see: nothing from the canary for 5 min"
    )


def test_an_end_without_decision_says_what_was_missing() -> None:
    """So that people know what they would be deciding."""
    judge = Judge(some_settings())
    for each in observations(live=8):
        judge.see(each)
    assert explained(judge, judge.ended()) == snapshot(
        "too little to tell: no harm seen, but a doubling of errors is not ruled out, "
        "at about 1,300 requests (800 so far)"
    )


@pytest.mark.parametrize("name", ["errors", "latency", "cpu"])
def test_every_signal_has_a_line(name: str) -> None:
    """Figures, part of the evidence, and what promotion asks of it."""
    judge = Judge(some_settings())
    for each in observations(live=12):
        judge.see(each)
    assert (
        signal_line(judge, name)
        == snapshot(
            {
                "errors": "errors 1.0 % vs 1.0 % (12 of 1,200 vs 72 of 7,200): evidence 0.1 of 100, "
                "a doubling of errors is not ruled out yet, at about 1,400 requests (1,200 so far)",
                "latency": "p95 465 vs 465 ms: evidence 0.1 of 100, a tail 1.25 times as slow is ruled out",
                "cpu": "cpu +0 %: evidence 0.0 of 100, 1.5 times the cpu is ruled out",
            }
        )[name]
    )


def test_a_signal_that_pods_do_not_show_says_so() -> None:
    """Promotion does not wait for it."""
    judge = Judge(some_settings())
    for each in observations(replace(CANARY, cpu=None), replace(BASELINE, cpu=None), live=12):
        judge.see(each)
    assert signal_line(judge, "cpu") == "cpu not compared: too few pods show it"
    assert "cpu" not in all_figures(judge)


def test_a_slow_signal_tells_how_far_it_is() -> None:
    """Where latency is what promotion waits for, and where the quantile lies beyond the last bucket."""
    rare, endless = replace(CANARY, requests=8, errors=0), (0.2, 0.3, 0.5, 0.8, 1.0)
    quiet = replace(BASELINE, requests=80, errors=0)
    assert told(observations(rare, quiet, live=10)) == snapshot(
        "no harm seen; promotes when a doubling of errors to 0.5 % or more is ruled out, "
        "at about 670 requests (80 so far)"
    )
    slow = observations(replace(rare, shares=endless), replace(quiet, shares=endless), live=10)
    judge = Judge(some_settings())
    for each in slow:
        judge.see(each)
    assert signal_line(judge, "latency") == snapshot(
        "p95 over 1,000 ms vs over 1,000 ms: evidence 0.3 of 100, "
        "a tail 1.25 times as slow is not ruled out yet, at about 240 requests (80 so far)"
    )


def test_a_canary_that_nobody_compares_waits_for_pods() -> None:
    """A gauge alone, on too few pods."""
    judge = Judge(some_settings(errors=None, latency=None))
    for each in observations(baseline=replace(BASELINE, pods=("a", "b")), live=10):
        verdict = judge.see(each)
    assert explained(judge, verdict) == "no harm seen; promotes when enough pods show the signals"


def test_a_suspicion_remains_one_in_the_end() -> None:
    """People are shown what is suspected rather than what was still to be ruled out."""
    judge = Judge(some_settings())
    for each in observations(replace(CANARY, errors=4), live=3):
        judge.see(each)
    assert explained(judge, judge.ended()) == snapshot(
        "too little to tell: errors 4.0 % vs 1.0 % (12 of 300 vs 18 of 1,800): evidence 30, rolls back at 100"
    )


def test_before_the_baseline_is_known_nothing_is_foretold() -> None:
    """It takes a hundred requests to know how slow is usual."""
    judge = Judge(some_settings(errors=None, gauges=()))
    quiet = replace(BASELINE, requests=2, errors=0)
    for each in observations(replace(CANARY, requests=2, errors=0), quiet, history=0, live=4):
        verdict = judge.see(each)
    assert explained(judge, verdict) == snapshot(
        "no harm seen; promotes when a tail 1.25 times as slow is ruled out (8 requests so far)"
    )


def test_a_gauge_may_be_what_promotion_waits_for() -> None:
    """It needs scrapes rather than requests."""
    judge = Judge(some_settings(errors=None, latency=None))
    for each in observations(live=5):
        verdict = judge.see(each)
    assert explained(judge, verdict) == "no harm seen; promotes when 1.5 times the cpu is ruled out"


def test_numbers_are_as_coarse_as_they_are_known() -> None:
    """Two digits say it."""
    assert [percent(share) for share in (0, 0.0011, 0.0123, 0.5)] == ["0 %", "0.11 %", "1.2 %", "50 %"]
    assert [number(value) for value in (0.21, 41.3, 1234, 1e9)] == ["0.2", "41", "1,234", "over a million"]
    assert [rounded(value) for value in (7, 312, 3986)] == ["7", "320", "4,000"]
    assert [clock(seconds) for seconds in (0, 45, 300, 190)] == ["0 s", "45 s", "5 min", "3 min 10 s"]


def test_a_quantile_lies_within_its_bucket() -> None:
    """Linear, as Prometheus has it; endless beyond the last edge, unknown without requests."""
    assert quantile(BOUNDS, [50, 80, 97, 99, 100], 0.8) == pytest.approx(0.2)
    assert quantile(BOUNDS, [50, 80, 97, 99, 100], 0.25) == pytest.approx(0.05)
    assert quantile(BOUNDS, [0, 0, 0, 0, 100], 0.5) == float("inf")
    assert quantile(BOUNDS, [0] * 5, 0.5) is None
