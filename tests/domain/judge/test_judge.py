"""The judge of one canary, scrape by scrape."""

import json
import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import UnreadableError
from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation, Sample
from bot.domain.judge.settings import CountsSignal, GaugeSignal
from bot.domain.judge.verdict import Call, Verdict
from tests.domain.judge.canaries import BASELINE, CANARY, INTERVAL, Arm, judged, observations, some_settings

SLOW = (0.3, 0.6, 0.85, 0.95, 1.0)


def test_a_canary_like_the_baseline_is_promoted() -> None:
    """Not before its time, and then as soon as harm is ruled out."""
    verdict = judged(Judge(some_settings()), observations())
    assert verdict.call is Call.PASS
    assert verdict.at is not None
    assert 300 <= verdict.at <= 500


def test_failing_requests_roll_back() -> None:
    """Ten times the errors are seen within a minute."""
    verdict = judged(Judge(some_settings()), observations(replace(CANARY, errors=10)))
    assert (verdict.call, verdict.at) == (Call.FAIL, 30.0)
    assert {signal.name: signal.call for signal in verdict.signals}["errors"] is Call.FAIL


def test_slow_requests_roll_back() -> None:
    """A slowdown is seen without a single error."""
    verdict = judged(Judge(some_settings()), observations(replace(CANARY, shares=SLOW)))
    assert verdict.call is Call.FAIL
    assert verdict.signals[1].call is Call.FAIL
    assert verdict.signals[0].call is not Call.FAIL


def test_burning_cpu_rolls_back() -> None:
    """Three times the CPU for the same requests is harm."""
    assert judged(Judge(some_settings()), observations(replace(CANARY, cpu=1.5))).call is Call.FAIL


def test_an_outage_of_both_is_no_harm() -> None:
    """What makes requests fail on both arms alike says nothing about the canary."""
    canary, baseline = replace(CANARY, errors=40), replace(BASELINE, errors=40)
    assert judged(Judge(some_settings()), observations(canary, baseline)).call is Call.PASS


def test_failed_jobs_and_queue_lag_are_signals_too() -> None:
    """A worker without requests is judged by counts and gauges of its own."""
    jobs, lag = CountsSignal("job failures", of="jobs", weight=0.5), GaugeSignal("lag", weight=0.5, offset=10.0)
    configured = some_settings(errors=None, latency=None, counts=(jobs,), gauges=(lag,))

    def worker(done: int, failed: int, waiting: float) -> Sample:
        return Sample(gauges={"lag": waiting}, counts={"job failures": (done, failed)})

    def seen(failing: int, waiting: float) -> list[Observation]:
        return [
            Observation(
                number * INTERVAL,
                {"canary": worker(50 * number, failing * number, waiting)} if number > 0 else {},
                {f"stable-{pod}": worker(50 * (number + 20), number + 20, number % 2) for pod in range(5)},
            )
            for number in range(-20, 60)
        ]

    assert judged(Judge(configured), seen(1, 1.0)).call is Call.PASS
    assert judged(Judge(configured), seen(20, 1.0)).signals[0].call is Call.FAIL
    assert judged(Judge(configured), seen(1, 500.0)).signals[1].call is Call.FAIL


def test_no_data_is_never_promoted() -> None:
    """A canary that shows nothing is blind while it lasts and inconclusive in the end."""
    judge = Judge(some_settings())
    calls = {judge.see(replace(each, canary={})).call for each in observations(live=200)}
    assert calls == {Call.CONTINUE, Call.BLIND}
    assert judge.silent_arm == "canary"
    assert judge.ended().call is Call.INCONCLUSIVE


def test_a_canary_without_requests_is_never_promoted() -> None:
    """Pods that answer scrapes but no requests have proven nothing."""
    idle = Arm(("canary-0",), requests=0, cpu=None)
    judge = Judge(some_settings())
    assert judged(judge, observations(idle, live=200)).call is Call.BLIND
    assert judge.ended().call is Call.INCONCLUSIVE


def test_a_gauge_alone_never_promotes_what_it_does_not_see() -> None:
    """Where no signal can be compared, nothing is asked and nothing is granted."""
    judge = Judge(some_settings(errors=None, latency=None))
    assert judged(judge, observations(baseline=Arm(("a", "b")), live=100)).call is Call.CONTINUE


def test_a_provider_that_does_not_answer_is_blindness() -> None:
    """Neither promoted nor rolled back; the evidence stays what it was and sight comes back."""
    judge = Judge(some_settings())
    seen = observations()
    before = [judge.see(each) for each in seen[:30]][-1]
    blind = judge.see(None)
    assert (blind.call, blind.evidence) == (Call.BLIND, before.evidence)
    assert judge.ended().call is Call.BLIND
    assert judge.see(seen[30]).call is Call.CONTINUE


def test_a_failure_stays_one() -> None:
    """Evidence may fall again after the rollback was decided; the decision stands."""
    judge = Judge(some_settings())
    assert judged(judge, observations(replace(CANARY, errors=10))).call is Call.FAIL
    assert {judge.see(each).call for each in observations()[25:]} == {Call.FAIL}
    assert judge.ended().call is Call.FAIL


def test_a_scrape_seen_twice_counts_once() -> None:
    """A pass that is repeated after a crash changes nothing."""
    once, twice = Judge(some_settings()), Judge(some_settings())
    for each in observations(replace(CANARY, errors=3), live=10):
        assert once.see(each) == [twice.see(each), twice.see(each)][-1]


def test_other_buckets_than_configured_are_refused() -> None:
    """A histogram with other bounds cannot be read, and says so."""
    judge = Judge(some_settings())
    with pytest.raises(UnreadableError, match="pod canary-0 shows 2 buckets; 5 are configured"):
        judged(judge, observations(replace(CANARY, shares=(0.5, 1.0))))
    assert judge.at == -INTERVAL


def test_a_state_of_another_version_is_refused() -> None:
    """Better to begin anew than to misread."""
    state = Judge(some_settings()).state() | {"version": 0}
    with pytest.raises(UnreadableError, match="version 0, not 1"):
        Judge.restored(some_settings(), state)


def test_a_slow_start_is_forgiven_while_it_lasts() -> None:
    """Latency and CPU are not judged during the warm-up; errors are."""
    slow, failing = replace(CANARY, shares=SLOW, cpu=3.0), replace(CANARY, errors=30)
    warming = some_settings(warmup=600.0)
    assert judged(Judge(warming), observations(slow)).evidence <= 1.5
    assert judged(Judge(warming), observations(failing)).call is Call.FAIL


def test_missed_scrapes_change_little() -> None:
    """Every other scrape missing delays a rollback, and does not prevent it."""
    seen = observations(replace(CANARY, errors=10))
    verdict = judged(Judge(some_settings()), [each for number, each in enumerate(seen) if number % 2])
    assert verdict.call is Call.FAIL


def shuffled(pods: dict[str, Sample], order: random.Random) -> dict[str, Sample]:
    names = list(pods)
    order.shuffle(names)
    return {name: pods[name] for name in names}


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_the_order_of_pods_does_not_matter(seed: int) -> None:
    """Providers list pods as they like."""
    order = random.Random(seed)
    straight, mixed = Judge(some_settings()), Judge(some_settings())
    for each in observations(Arm(("c1", "c2"), errors=2), live=15):
        other = Observation(each.at, shuffled(dict(each.canary), order), shuffled(dict(each.baseline), order))
        assert mixed.see(other).evidence == pytest.approx(straight.see(each).evidence, rel=1e-9)


@settings(max_examples=10)
@given(st.integers(1, 6), st.sampled_from([0, 1, 4]), st.sampled_from([None, 0.5]))
def test_a_judge_restored_before_every_look_says_the_same(pods: int, errors: int, cpu: float | None) -> None:
    """Its state goes through JSON between any two looks."""
    configured = some_settings(warmup=60.0)
    canary = Arm(tuple(f"c{number}" for number in range(pods)), errors=errors, cpu=cpu)
    whole, text = Judge(configured), json.dumps(Judge(configured).state())
    for each in observations(canary, live=25):
        restored = Judge.restored(configured, json.loads(text))
        assert restored.see(each) == whole.see(each)
        text = json.dumps(restored.state())
    assert len(text) < 20_000


COUNTS = st.integers(0, 10**6)
NONSENSE = st.builds(
    lambda requests, errors, buckets, cpu: Sample(requests, errors, tuple(buckets), {"cpu": cpu}),
    COUNTS,
    COUNTS,
    st.lists(COUNTS, min_size=5, max_size=5),
    st.floats(0, 1e9),
)
PODS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), NONSENSE, max_size=4)


@settings(max_examples=60)
@given(st.lists(st.tuples(PODS, PODS), min_size=2, max_size=8))
def test_nonsense_is_survived(scrapes: list[tuple[dict[str, Sample], dict[str, Sample]]]) -> None:
    """Counters that make no sense give no exception and no evidence that is no number."""
    judge = Judge(some_settings())
    for each in observations(live=0):
        judge.see(each)
    for number, (canary, baseline) in enumerate(scrapes):
        verdict = judge.see(Observation(INTERVAL * (number + 1), canary, baseline))
        assert 0 <= verdict.evidence < math.inf
    json.dumps(judge.state(), allow_nan=False)


def test_more_traffic_decides_sooner() -> None:
    """The same shares on ten times the requests are ten times the evidence."""

    def verdict(times: int) -> Verdict:
        canary = replace(CANARY, requests=100 * times, errors=3 * times)
        baseline = replace(BASELINE, requests=100 * times, errors=times)
        return judged(Judge(some_settings()), observations(canary, baseline))

    ends = [verdict(times) for times in (1, 10, 100)]
    assert {end.call for end in ends[1:]} == {Call.FAIL}
    assert all((later.at or 0) <= (sooner.at or 0) for sooner, later in pairwise(ends))


def test_errors_alone_are_enough_to_judge() -> None:
    """Without a histogram and gauges all the weight is on errors."""
    alone = some_settings(latency=None, gauges=())
    assert (
        judged(Judge(alone), observations(replace(CANARY, shares=()), replace(BASELINE, shares=()))).call is Call.PASS
    )


def test_a_baseline_beyond_all_useful_edges_is_judged_at_the_nearest() -> None:
    """Where no edge has requests on both sides, the one nearest to the quantile is looked at."""
    fast = (1.0, 1.0, 1.0, 1.0, 1.0)
    slower = replace(CANARY, shares=(0.2, 0.9, 1.0, 1.0, 1.0))
    assert judged(Judge(some_settings()), observations(slower, replace(BASELINE, shares=fast))).call is Call.FAIL
    assert judged(Judge(some_settings()), observations(replace(CANARY, shares=fast), replace(BASELINE, shares=fast)))
