"""What all `Canaries` promise where a canary is compared with fresh baseline pods."""

from dataclasses import replace
from itertools import groupby

import pytest

from bot.domain.errors import FencedError, RefusedError
from bot.domain.traffic import Router, canary_pods_by_ratio
from tests.contracts.canary_steps import NEW, brought, every, remove, shift
from tests.contracts.clusters import change, changed, fence, image
from tests.contracts.route_worlds import WORLDS
from tests.contracts.routes import Worlds, firmly, ready


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


@every
async def test_a_fresh_baseline_is_brought_with_the_canary(worlds: Worlds, router: Router) -> None:
    """As many pods, of what stable runs; stable stays as it is and is counted without them."""
    async with worlds() as world:
        route = await world.route(router, pods=4, fresh=True)
        found, before = await world.canaries.survey(route), await world.stable(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        state = await ready(world, route)
        after = await world.stable(route)
    assert (found.problems, found.risks) == ((), ())
    assert state.canary is not None
    assert state.baseline is not None
    assert (state.baseline.image, state.baseline.desired, state.baseline.ready) == (image("v1"), 1, 1)
    assert (state.canary.image, state.canary.desired, state.canary.ready) == (NEW, 1, 1)
    assert (state.stable.desired, state.stable.ready, state.stable_before) == (4, 4, 4)
    assert (state.run, state.edited) == ("api-staging-7", "")
    assert state.weight == (17 if router is Router.REPLICAS else 0)
    assert after == before


@every
async def test_both_grow_and_shrink_together(worlds: Worlds, router: Router) -> None:
    """As many of one as of the other, whatever is asked for; the same twice is written once."""
    async with worlds() as world:
        route = await brought(world, router, fresh=True)
        for pods in (4, 2):
            await firmly(world, lambda many=pods: world.canaries.bring(route, NEW, many, fence()))
            state = await ready(world, route)
            assert state.canary is not None
            assert state.baseline is not None
            assert (state.canary.ready, state.baseline.ready, state.edited) == (pods, pods, "")
        before = await world.written(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 2, fence(token=2)))
        assert await world.written(route) == before


async def test_without_a_router_it_counts_to_stables_share(worlds: Worlds) -> None:
    """Two canary pods among eight are 25 %; more of the share is more canary pods beside the baseline's as they are."""
    async with worlds() as world:
        route = await world.route(Router.REPLICAS, fresh=True)
        pods = canary_pods_by_ratio(4, 25, fresh_baseline=True)
        await firmly(world, lambda: world.canaries.bring(route, NEW, pods, fence()))
        before, seen = await world.written(route), []
        for weight in (25, 40, 0):
            await shift(world, route, weight)
            state = await ready(world, route)
            assert state.canary is not None
            assert state.baseline is not None
            seen.append((state.weight, state.canary.desired, state.baseline.desired, state.edited))
            if weight == 25:
                assert await world.written(route) == before
    assert seen == [(25, 2, 2, ""), (40, 4, 2, ""), (0, 0, 2, "")]


@every
async def test_it_outlives_the_canarys_requests(worlds: Worlds, router: Router) -> None:
    """Taking these away leaves it as harmless as it was: it answers as stable does. It goes last of all."""
    async with worlds() as world:
        route = await brought(world, router, fresh=True)
        await shift(world, route, 20)
        await shift(world, route, 0)
        state, seen, done = await ready(world, route), [["deployment", "baseline"]], False
        while not done:
            done = await firmly(world, lambda: world.canaries.remove(route, fence()))
            seen.append([part for part in ("deployment", "baseline") if part in await world.leftovers(route)])
        after, left = await world.canaries.observe(route), await world.leftovers(route)
    assert state.baseline is not None
    assert (state.baseline.ready, state.edited) == (1, "")
    assert [parts for parts, _ in groupby(seen)] == [["deployment", "baseline"], ["baseline"], []]
    assert (left, after.baseline, after.canary, after.run) == ([], None, None, "")


@every
async def test_a_baseline_scaled_or_deleted_by_hand_is_put_right(worlds: Worlds, router: Router) -> None:
    """It is noticed, and bringing the canary again asks for the pods that were wanted."""
    async with worlds() as world:
        route = await brought(world, router, fresh=True)
        await world.scale(route.baseline, 3)
        state = await world.canaries.observe(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        mended = await world.canaries.observe(route)
        await world.delete(route.baseline)
        gone = await world.canaries.observe(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        again = await ready(world, route)
    assert state.edited == "api-baseline is scaled to 3, and Sluice asked for 1"
    assert (mended.edited, gone.edited, gone.baseline) == ("", "", None)
    assert again.baseline is not None
    assert (again.baseline.ready, again.run) == (1, "api-staging-7")


@every
async def test_a_baseline_of_what_stable_ran_once_is_no_baseline(worlds: Worlds, router: Router) -> None:
    """Somebody has changed stable meanwhile: refused, and nothing is written; it can be removed."""
    async with worlds() as world:
        route = await brought(world, router, fresh=True)
        await changed(world, route.workload, change("v1b"), fence())
        before = await world.written(route)
        with pytest.raises(RefusedError, match=r"api-baseline in .* runs `.*:v1@.*`, and stable `.*:v1b@.*` by now"):
            await world.canaries.bring(route, NEW, 2, fence())
        assert await world.written(route) == before
        await remove(world, route)
        assert await world.leftovers(route) == []


@every
async def test_what_others_have_in_its_place_is_left_alone(worlds: Worlds, router: Router) -> None:
    """A survey says so and nothing is made; a canary without a fresh baseline is not hindered, nor is its removal."""
    async with worlds() as world:
        wanted = await world.route(router, pods=1, fresh=True)
        await world.squat(wanted.baseline)
        (said,) = (await world.canaries.survey(wanted)).problems
        with pytest.raises(RefusedError, match=r"deployment/api-baseline in .* was not made by Sluice"):
            await world.canaries.bring(wanted, NEW, 1, fence())
        route = replace(wanted, fresh_baseline=False)
        assert await world.leftovers(route) == ["baseline"]
        assert (await world.canaries.survey(route)).problems == ()
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        state = await world.canaries.observe(route)
        await remove(world, wanted)
        assert await world.leftovers(route) == ["baseline"]
    assert said.endswith("stands where Sluice would make its own; rename or delete it")
    assert (state.baseline, state.run, state.weight) == (None, "api-staging-7", 50 if router is Router.REPLICAS else 0)


@every
async def test_it_is_fenced_as_the_canary_is(worlds: Worlds, router: Router) -> None:
    """A former owner, another run; the next run may remove it, also where its own plan wants none."""
    async with worlds() as world:
        route = await world.route(router, fresh=True)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence(token=5)))
        while "deployment" in await world.leftovers(route):
            await firmly(world, lambda: world.canaries.remove(route, fence(token=5)))
        left, state = await world.leftovers(route), await world.canaries.observe(route)
        with pytest.raises(FencedError, match=r"deployment/api-baseline .* newer owner of api-staging-7"):
            await world.canaries.remove(route, fence(token=4))
        plain = replace(route, fresh_baseline=False)
        for other in (route, plain):
            with pytest.raises(RefusedError, match=r"canary of api-staging-7; .*delete .*deployment/api-baseline`"):
                await world.canaries.bring(other, image("v3"), 1, fence("api-staging-8", after="api-staging-7"))
        done = await firmly(world, lambda: world.canaries.remove(plain, fence("api-staging-8", after="api-staging-7")))
        assert await world.leftovers(route) == []
    assert (left, state.run, done) == (["baseline"], "api-staging-7", True)
