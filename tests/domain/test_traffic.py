"""Routes, and how many pods a share of the traffic needs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.domain.json import canonical
from bot.domain.traffic import Route, Router, canary_pods, canary_pods_by_ratio, share_of, stable_pods_needed
from tests.builders import a_plan

ROUTE = Route(Router.GATEWAY_API, a_plan().workload, "api", "api")
FRESH = replace(ROUTE, fresh_baseline=True)
SEALED_BEFORE = (
    '{"name":"api","router":"gateway-api","rule":"","service":"api",'
    '"workload":{"cluster":"main","container":null,"kind":"deployment","name":"api","namespace":"prod"}}'
)
"""A route as it stood in plans before there were fresh baselines."""


def test_what_was_sealed_before_keeps_its_seal() -> None:
    """It reads back as a route without a fresh baseline, which is written as it was."""
    route = TypeAdapter(Route).validate_json(SEALED_BEFORE)
    assert route == ROUTE
    assert canonical(route) == SEALED_BEFORE


def test_a_fresh_baseline_is_under_the_seal() -> None:
    """A plan that wants one is another plan, and still is when it has been stored."""
    assert a_plan(traffic=FRESH).sha256 != a_plan(traffic=ROUTE).sha256
    stored = TypeAdapter(Route).dump_json(FRESH)
    assert TypeAdapter(Route).validate_json(stored) == FRESH


def test_what_is_beside_a_workload_is_called_after_it() -> None:
    """Container and all else are the workload's."""
    workload = replace(ROUTE.workload, container="web")
    route = replace(ROUTE, workload=workload)
    assert route.canary == replace(workload, name="api-canary")
    assert route.baseline == replace(workload, name="api-baseline")


def test_behind_a_router_pods_follow_the_share() -> None:
    """As many as carry it as stable pods do, at least one, at most as many as there are."""
    assert [canary_pods(8, weight) for weight in (0, 1, 25, 26, 100)] == [0, 1, 2, 3, 8]
    assert [stable_pods_needed(8, weight) for weight in (0, 1, 25, 26, 100)] == [8, 8, 6, 6, 0]


def test_without_a_router_pods_are_the_share() -> None:
    """Stable keeps its own; with a fresh baseline as many pods as the canary has stand on stable's side."""
    assert [canary_pods_by_ratio(4, weight) for weight in (0, 1, 20, 50, 75)] == [0, 1, 1, 4, 12]
    assert [canary_pods_by_ratio(4, weight, fresh_baseline=True) for weight in (0, 1, 25, 33, 40)] == [0, 1, 2, 4, 8]
    assert [share_of(canary, 4 + canary) for canary in (0, 1, 2, 4, 8)] == [0, 17, 25, 33, 40]


def test_a_share_that_no_number_of_pods_gives_is_refused() -> None:
    """All of it; with a fresh baseline also half."""
    with pytest.raises(ValueError, match="a share of 100 % needs a router: stable pods always take theirs"):
        canary_pods_by_ratio(4, 100)
    with pytest.raises(ValueError, match="a share of 50 % beside fresh baseline pods needs a router"):
        canary_pods_by_ratio(4, 50, fresh_baseline=True)


@given(stable=st.integers(1, 500), weight=st.integers(1, 49))
def test_a_share_is_as_near_as_whole_pods_allow(stable: int, weight: int) -> None:
    """One pod more or fewer is not nearer; and once they are there, dividing anew changes nothing."""
    pods = canary_pods_by_ratio(stable, weight, fresh_baseline=True)

    def missed(many: int) -> float:
        return abs(many - weight / 100 * (2 * many + stable))

    assert pods == 1 or missed(pods) <= missed(pods - 1) + 1e-9
    assert missed(pods) <= missed(pods + 1) + 1e-9
    assert canary_pods_by_ratio(stable + pods, weight) == pods
