"""What bets pay for what they would win where there is no harm."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judge.replay import judge, observation_of, settings_of
from benchmarks.judge.streams import HORIZON, Kind, harmless, recording
from bot.domain.judge.judge import Judge
from bot.domain.judge.latency_bets import LatencyBets, bets_for, shape_of
from bot.domain.judge.samples import Observation
from bot.domain.judge.settings import LatencySignal
from bot.domain.judge.tolls import CAPS, KNOWN_FROM, LIMITS, Tolls
from tests.domain.judge.canaries import BOUNDS, observations, some_settings

PODS = 6
JUMP, RARE = 6.0, 0.04
KINDS = {kind.name: kind for kind in harmless()}


def some_bets() -> LatencyBets:
    signal, cumulative = LatencySignal(BOUNDS), (5000.0, 8000.0, 9700.0, 9900.0, 10000.0)
    return LatencyBets(signal, shape_of(signal, cumulative), cumulative, 0.0)


def seen(tolls: Tolls, jumps: np.ndarray) -> Tolls:
    """One bet that wins by each clump and loses a little without."""
    for scrape in jumps:
        tolls.see(np.where(scrape, JUMP, -0.1)[:, None])
    return tolls


def rare_jumps(scrapes: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).random((scrapes, PODS)) < RARE


def test_without_clumps_there_is_no_toll() -> None:
    """Requests that are slow independently of one another: no slowdown wins on average."""
    rng, bets, tolls = np.random.default_rng(5), some_bets(), Tolls(11)
    for _ in range(200):
        rest = np.full((PODS, 1), 300)
        requests, slow = [], []
        for share in (0.01, 0.02, 0.17, 0.3):
            requests.append(rest)
            slow.append(rng.binomial(rest, share))
            rest = rest - slow[-1]
        tolls.see(bets.on_pods(np.hstack(requests), np.hstack(slow)))
    tamed = tolls.taken(np.full(11, 9.0), 1)
    assert tamed == pytest.approx(np.full(11, CAPS[0]), abs=0.3)
    assert tolls.taken(np.full(11, -9.0), 1).min() == pytest.approx(-9.0, abs=0.3)


def test_rare_large_wins_are_capped_or_charged_until_they_gain_nothing() -> None:
    """Whatever the clumps, the mean factor that is left under the same law is at most 1, but for what is not known."""
    tolls = seen(Tolls(1), rare_jumps(2000))
    left = [math.exp(tolls.taken(np.array([ratio]), 1)[0]) for ratio in (JUMP, -0.1)]
    assert RARE * left[0] + (1 - RARE) * left[1] <= 1.02
    assert 0 < math.log(left[0]) <= CAPS[1]


def test_each_pod_of_the_canary_pays() -> None:
    """Where nothing is cheap the smallest cap remains, and the toll grows with the pods."""
    often = seen(Tolls(1), np.ones((100, PODS), bool))
    one, three = (often.taken(np.array([JUMP]), pods)[0] for pods in (1, 3))
    assert one - three == pytest.approx(2 * (CAPS[-1] - one))
    assert (CAPS[-1] - one) > LIMITS[-1, 0]


def test_tolls_are_known_when_pods_were_seen_often_enough() -> None:
    """Before that, the scatter is what there is to go by."""
    tolls = Tolls(1)
    assert not tolls.are_known
    assert seen(tolls, rare_jumps(math.ceil(KNOWN_FROM / PODS))).are_known


def test_tolls_go_through_json() -> None:
    """What was written down is exactly what was known."""
    whole, again = seen(Tolls(1), rare_jumps(50)), Tolls(1)
    again.restore(*json.loads(json.dumps(whole.state())))
    assert again.state() == whole.state()
    assert again.taken(np.array([JUMP]), 1) == whole.taken(np.array([JUMP]), 1)


def test_a_state_from_before_there_were_tolls_is_read() -> None:
    """A canary that was under way when Sluice was upgraded goes on."""
    judge = Judge(some_settings())
    for each in observations(live=10):
        judge.see(each)
    state = json.loads(json.dumps(judge.state()))
    del state["flows"]["traffic"]["signals"]["latency"]["tolls"]
    assert Judge.restored(some_settings(), state).verdict() == judge.verdict()


def test_pods_are_compared_before_the_canary_has_traffic() -> None:
    """Ten minutes of history say what is usual; a quiet service is compared once it had requests enough."""
    for rate, is_known in ((100.0, True), (1.0, False)):
        kind = Kind("history", rate)
        judge = Judge(settings_of(kind.config()))
        for each in observations_before(kind):
            judge.see(each)
        looks = judge.state()["flows"]["traffic"]["signals"]["latency"]["tolls"][0]
        assert (looks >= KNOWN_FROM) is is_known


def observations_before(kind: Kind) -> list[Observation]:
    return [observation_of(each) for each in recording(kind, 1) if each["t"] < 0]


def test_bets_are_worked_out_once() -> None:
    """Every look restores the judge; its bets need not be foretold anew for that."""
    signal, cumulative = LatencySignal(BOUNDS), (50.0, 80.0, 97.0, 99.0, 100.0)
    shape = shape_of(signal, cumulative)
    assert bets_for(signal, shape, cumulative, 0.0) is bets_for(signal, shape, cumulative, 0.0)


@pytest.mark.parametrize("seed", [1072, 1144, 1177, 1194])
def test_pauses_that_hit_the_canary_are_forgiven(seed: int) -> None:
    """Garbage collection stops each pod now and then: canaries that were once rolled back for it, by chance."""
    kind = replace(KINDS["pauses, 100/s"], min_bake=HORIZON)
    assert judge(recording(kind, seed), kind.config())[0] != "FAIL"
