"""Levels of pods."""

import json
from dataclasses import replace

import pytest

from bot.domain.judge.blocks import Moment
from bot.domain.judge.explain import explained
from bot.domain.judge.gauges import GaugeJudge
from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation
from bot.domain.judge.settings import GaugeSignal
from bot.domain.judge.verdict import Call
from tests.domain.judge.canaries import BASELINE, CANARY, Arm, observations, some_settings


def judged(seen: list[Observation], signal: GaugeSignal | None = None) -> GaugeJudge:
    judge = GaugeJudge(signal or GaugeSignal())
    for each in seen:
        judge.see(Moment(each.at, is_warm=False, canary_pods=1), each)
    return judge


def test_the_same_level_is_no_harm() -> None:
    """And soon 1.5 times the level is ruled out."""
    judge = judged(observations())
    assert judge.evidence < 1
    assert (judge.clearance or 0) > 20


def test_a_higher_level_is_harm() -> None:
    """Twice the CPU."""
    judge = judged(observations(replace(CANARY, cpu=1.0)))
    assert judge.evidence > 100
    assert (judge.clearance or 0) < 1


def test_two_baseline_pods_say_nothing() -> None:
    """Then the gauge is silent, and promotion does not wait for it."""
    judge = judged(observations(replace(CANARY, cpu=5.0), replace(BASELINE, pods=("a", "b"))))
    assert (judge.evidence, judge.clearance) == (1.0, None)


def test_a_canary_that_does_not_tell_its_level_is_not_let_on() -> None:
    """The baseline shows it: the new version must, too, and what is missing is named."""
    judge = Judge(some_settings(gauges=(GaugeSignal(),)))
    for each in observations():
        silent = {pod: replace(sample, gauges={}) for pod, sample in each.canary.items()}
        verdict = judge.see(replace(each, canary=silent))
        assert verdict.call is not Call.PASS
    ended = judge.ended()
    assert ended.call is Call.INCONCLUSIVE
    assert "(no pod of the canary shows its cpu)" in explained(judge, ended)


def test_pods_that_differ_for_good_make_it_careful() -> None:
    """Where baseline pods lie far apart, a canary that lies as far is no surprise."""

    def with_spread(seen: list[Observation], spread: float) -> list[Observation]:
        return [
            replace(
                each,
                baseline={
                    pod: replace(sample, gauges={"cpu": sample.gauges["cpu"] * (1 + spread * (number - 2.5))})
                    for number, (pod, sample) in enumerate(each.baseline.items())
                },
            )
            for each in seen
        ]

    seen = observations(replace(CANARY, cpu=0.8))
    assert judged(with_spread(seen, 0.2)).evidence < 10 < judged(with_spread(seen, 0.0)).evidence


def test_nothing_is_said_before_eight_joint_scrapes() -> None:
    """One spike is no level."""
    assert judged(observations(replace(CANARY, cpu=9.0), live=7)).evidence == 1.0


def test_zero_is_left_out_unless_it_has_a_meaning() -> None:
    """A lag of nothing counts when an offset says what is as good as nothing."""
    idle = Arm(CANARY.pods, cpu=0.0), replace(BASELINE, cpu=0.0)
    assert judged(observations(*idle)).looks == 0
    assert judged(observations(*idle), GaugeSignal(offset=1.0)).looks == 40


def test_it_survives_a_restart_of_ours() -> None:
    """State goes through JSON."""
    seen = observations(replace(CANARY, cpu=0.7))
    whole, first = judged(seen), judged(seen[:40])
    restored = GaugeJudge(GaugeSignal())
    restored.restore(json.loads(json.dumps(first.state())))
    for each in seen[40:]:
        restored.see(Moment(each.at, is_warm=False, canary_pods=1), each)
    assert restored.evidence == pytest.approx(whole.evidence, rel=1e-12)
