"""The sandbox's traffic: who counts what."""

from datetime import timedelta

import pytest

from bot.sandbox.behaviour import Behaviour, of_tag, tag_of
from bot.sandbox.counting import Counted
from bot.sandbox.endpoint import Endpoint
from bot.sandbox.traffic import Traffic
from tests.fakes.clock import START, FakeClock

STABLE, CANARY = "api-7d9f8b6c5-bbbbb", "api-canary-7d9f8b6c5-ccccc"
API = {"service": "api", "namespace": "prod"}


def after(seconds: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=seconds)


def endpoint(pod: str, share: float, tag: str = "v1") -> Endpoint:
    """A pod behind the service."""
    return Endpoint(pod, "prod", f"ghcr.io/acme/api:{tag}", share)


def in_canary(clock: FakeClock, tag: str = "v2", **more: int) -> Traffic:
    """A canary with a fifth of the requests."""
    traffic = Traffic(clock, **more)
    traffic.route(START, **API, endpoints=[endpoint(STABLE, 0.8), endpoint(CANARY, 0.2, tag)])
    return traffic


def ratio(counted: Counted) -> float:
    """The share of failures."""
    return counted.failures / counted.requests


def test_requests_follow_the_shares() -> None:
    """A fifth of a hundred requests a second goes to the canary."""
    clock = FakeClock()
    traffic = in_canary(clock)
    clock.advance(after(300))
    served = traffic.served()
    assert served[STABLE].requests == pytest.approx(24_000, rel=0.03)
    assert served[CANARY].requests == pytest.approx(6_000, rel=0.05)


def test_the_same_seed_and_story_give_the_same_counts() -> None:
    """Whatever the moments at which somebody asks; another seed gives others."""
    told = []
    for seed, steps in ((1, [0.3] * 100), (1, [30.0]), (2, [30.0])):
        clock = FakeClock()
        traffic = in_canary(clock, seed=seed)
        traffic.route(START + after(11.4), **API, endpoints=[endpoint(STABLE, 0.5), endpoint(CANARY, 0.5, "v2")])
        for step in steps:
            clock.advance(after(step))
            traffic.catch_up()
        told.append((traffic.served(), list(traffic.shown()), traffic.history(**API, arm="canary")))
    assert told[0] == told[1]
    assert told[1] != told[2]


@pytest.mark.parametrize("whom", [{"version": "v2"}, {"arm": "canary"}])
def test_a_switch_breaks_the_canary_alone(whom: dict[str, str]) -> None:
    """From the moment on at which it is pressed, and until it is released."""
    clock = FakeClock()
    traffic = in_canary(clock)
    clock.advance(after(60))
    before = traffic.served()[CANARY]
    traffic.answers(**whom, error_rate=0.4, latency_s=0.9)
    clock.advance(after(60))
    broken = traffic.served()
    traffic.forget(**whom)
    clock.advance(after(60))
    healed = traffic.served()[CANARY]
    assert ratio(before) < 0.01
    assert (broken[CANARY].failures - before.failures) / 1200 == pytest.approx(0.4, rel=0.1)
    assert ratio(broken[STABLE]) < 0.01
    assert healed.failures - broken[CANARY].failures < 12


def test_an_arm_goes_before_a_version() -> None:
    """Who switches the canary's errors off does not care what its tag says."""
    clock = FakeClock()
    traffic = in_canary(clock, "v2-errors")
    traffic.answers(arm="canary", error_rate=0)
    clock.advance(after(30))
    assert traffic.served()[CANARY].failures == 0


@pytest.mark.parametrize(
    ("tag", "behaviour"),
    [
        ("v2", Behaviour()),
        ("v2-errors", Behaviour(error_rate=0.3)),
        ("v2-latency-cpu", Behaviour(latency_s=0.8, cpu=0.9)),
        ("terrors", Behaviour()),
    ],
)
def test_words_in_a_tag_make_its_version_bad(tag: str, behaviour: Behaviour) -> None:
    """The same words as on the rig, and whole ones alone."""
    assert of_tag(tag, Behaviour()) == behaviour


@pytest.mark.parametrize(
    ("image", "version"),
    [("ghcr.io/acme/api:v1", "v1"), ("localhost:5000/api@sha256:ab", "sha256:ab"), ("a/b:v1@sha256:ab", "v1")],
)
def test_a_version_is_the_tag_of_its_image(image: str, version: str) -> None:
    """Or its digest, where the image is named by that alone."""
    assert tag_of(image) == version


def test_an_image_by_digest_may_have_a_name() -> None:
    """Sluice sets images by digest; somebody else knows which tag that is."""
    clock = FakeClock()
    traffic = Traffic(clock, version_of=lambda image: "v2-errors")
    traffic.route(START, **API, endpoints=[endpoint(CANARY, 1.0)])
    clock.advance(after(30))
    assert ratio(traffic.served()[CANARY]) > 0.2


def test_a_pod_without_a_share_idles() -> None:
    """It is shown on, and counts nothing but its idle CPU."""
    clock = FakeClock()
    traffic = in_canary(clock)
    clock.advance(after(10))
    before = traffic.served()[CANARY]
    traffic.route(clock.now(), **API, endpoints=[endpoint(STABLE, 1.0)])
    clock.advance(after(10))
    assert traffic.served()[CANARY] == before
    assert CANARY in {labels["pod"] for _, labels, _ in traffic.shown()}


def test_a_restarted_container_counts_anew() -> None:
    """What it served stays served."""
    clock = FakeClock()
    traffic = in_canary(clock)
    clock.advance(after(10))
    before = traffic.served()[CANARY].requests
    traffic.restarted(clock.now(), pod=CANARY, namespace="prod")
    clock.advance(after(1))
    served = traffic.served()[CANARY].requests
    shown = sum(
        value for metric, labels, value in traffic.shown() if (metric, labels["pod"]) == ("http_requests_total", CANARY)
    )
    assert 0 < shown == served - before


def test_a_pod_that_has_ended_is_not_shown() -> None:
    """Its requests stay in the totals."""
    clock = FakeClock()
    traffic = in_canary(clock)
    traffic.ended(START + after(5), pod=CANARY, namespace="prod")
    clock.advance(after(10))
    assert traffic.served()[CANARY].requests == pytest.approx(100, rel=0.3)
    assert CANARY not in {labels["pod"] for _, labels, _ in traffic.shown()}


def test_no_traffic_is_no_requests() -> None:
    """A rate of 0 is allowed."""
    clock = FakeClock()
    traffic = in_canary(clock)
    traffic.rate(0, **API)
    clock.advance(after(10))
    assert {counted.requests for counted in traffic.served().values()} == {0}


def test_history_tells_each_second_of_an_arm() -> None:
    """Requests, errors and the 95th percentile, as a sparkline wants them."""
    clock = FakeClock()
    traffic = in_canary(clock, "v2-errors-latency")
    clock.advance(after(20))
    canary, stable = (traffic.history(**API, arm=arm) for arm in ("canary", "stable"))
    assert [one.at for one in canary] == [START + after(second) for second in range(1, 21)]
    assert sum(one.requests_per_s for one in canary) / 20 == pytest.approx(20, rel=0.3)
    assert sum(one.error_ratio for one in canary) / 20 == pytest.approx(0.3, rel=0.4)
    assert min(one.p95_s or 0 for one in canary) > max(one.p95_s or 0 for one in stable)


def test_a_long_tick_counts_as_much() -> None:
    """At fewer moments."""
    clock = FakeClock()
    traffic = Traffic(clock, tick=after(15))
    traffic.route(START + after(20), **API, endpoints=[endpoint(STABLE, 1.0)])
    clock.advance(after(130))
    history = traffic.history(**API)
    assert [one.at for one in history] == [START + after(second) for second in range(30, 121, 15)]
    assert traffic.served()[STABLE].requests == pytest.approx(10_000, rel=0.05)
    assert history[-1].requests_per_s == pytest.approx(100, rel=0.1)


def test_the_cluster_speaks_before_anything_is_counted() -> None:
    """What it finds out late, it may still tell of earlier moments."""
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.before_counting(lambda: traffic.route(START + after(5), **API, endpoints=[endpoint(STABLE, 1.0)]))
    clock.advance(after(10))
    assert traffic.served()[STABLE].requests == pytest.approx(500, rel=0.2)


@pytest.mark.parametrize("told", [{}, {"version": "v1", "arm": "canary"}, {"version": "v1", "error_rate": 2}])
def test_nonsense_is_refused(told: dict[str, object]) -> None:
    """At once, and not when it is counted."""
    with pytest.raises(ValueError, match=r"name either|nobody can behave"):
        Traffic(FakeClock()).answers(**told)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot be"):
        Traffic(FakeClock()).rate(-1, **API)
