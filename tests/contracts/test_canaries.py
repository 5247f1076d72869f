"""What all `Canaries` promise."""

import pytest

from bot.domain.errors import NotFoundError, RefusedError
from bot.domain.traffic import Router
from tests.contracts.canary_steps import NEW, brought, every, every_routed, remove, shift
from tests.contracts.clusters import fence, image
from tests.contracts.route_worlds import WORLDS
from tests.contracts.routes import Worlds, firmly, ready


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


@every
async def test_a_way_without_obstacles_is_surveyed(worlds: Worlds, router: Router) -> None:
    """No problem, no risk, and the pods there are."""
    async with worlds() as world:
        found = await world.canaries.survey(await world.route(router, pods=4))
    assert (found.problems, found.risks) == ((), ())
    assert found.stable_pods == 4


@every
async def test_without_a_canary_stable_has_all(worlds: Worlds, router: Router) -> None:
    """Nobody's canary, nothing edited."""
    async with worlds() as world:
        state = await world.canaries.observe(await world.route(router, pods=4))
    assert (state.weight, state.canary, state.run, state.edited) == (0, None, "", "")
    assert (state.stable.image, state.stable.desired, state.stable.ready, state.stable.settled) == (
        image("v1"),
        4,
        4,
        True,
    )


@every
async def test_a_canary_is_brought_without_requests(worlds: Worlds, router: Router) -> None:
    """Its pods become ready beside the stable ones, which stay as they are; only without a router they take a share."""
    async with worlds() as world:
        route = await world.route(router, pods=4)
        before = await world.stable(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        state = await ready(world, route)
        after = await world.stable(route)
    assert state.canary is not None
    assert (state.canary.image, state.canary.desired, state.canary.ready) == (NEW, 1, 1)
    assert (state.run, state.edited, state.stable.ready) == ("api-staging-7", "", 4)
    assert state.weight == (20 if router is Router.REPLICAS else 0)
    assert after == before


@every
async def test_a_canary_that_does_not_come_up_says_why(worlds: Worlds, router: Router) -> None:
    """As a workload does; stable has no fault."""
    if worlds.__name__ == "memory_world":
        pytest.skip("no kubelet there")
    async with worlds() as world:
        route = await world.route(router, pods=1)
        await firmly(world, lambda: world.canaries.bring(route, image("v2-badpull"), 1, fence()))
        state = await world.until(lambda: world.canaries.observe(route), lambda seen: bool(seen.canary.faults))
    assert state.canary is not None
    assert (state.canary.ready, state.canary.faults[0].kind) == (0, "ImagePullBackOff")
    assert state.stable.faults == ()


@every_routed
async def test_weights_are_divided_in_hundred(worlds: Worlds, router: Router) -> None:
    """Up, further up, all of it, and back to none; the rest of the object stays."""
    async with worlds() as world:
        route = await brought(world, router)
        before, seen = await world.stable(route), [await world.weights(route)]
        for weight in (5, 20, 100, 0):
            await shift(world, route, weight)
            state = await world.canaries.observe(route)
            assert (state.weight, state.edited) == (weight, "")
            seen.append(await world.weights(route))
        assert await world.stable(route) == before
    assert seen == [[(100, 0)], [(95, 5)], [(80, 20)], [(0, 100)], [(100, 0)]]


async def test_without_a_router_pods_divide(worlds: Worlds) -> None:
    """One beside four is 20 %, four are 50 %, none is nothing; all of it cannot be had."""
    async with worlds() as world:
        route = await brought(world, Router.REPLICAS)
        seen = []
        for weight in (20, 50, 0):
            await shift(world, route, weight)
            state = await ready(world, route)
            assert state.canary is not None
            seen.append((state.weight, state.canary.desired, state.canary.ready, state.edited))
        with pytest.raises(RefusedError, match="100 % cannot be shifted"):
            await world.canaries.shift(route, 100, fence())
    assert seen == [(20, 1, 1, ""), (50, 4, 4, ""), (0, 0, 0, "")]


@every
async def test_the_same_twice_is_written_once(worlds: Worlds, router: Router) -> None:
    """A repeated pass, also one of a newer owner, finds its effect."""
    async with worlds() as world:
        route = await brought(world, router)
        await shift(world, route, 20)
        before = await world.written(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence(token=2)))
        await firmly(world, lambda: world.canaries.shift(route, 20, fence(token=2)))
        assert await world.written(route) == before


@every
async def test_a_canary_grows(worlds: Worlds, router: Router) -> None:
    """Bringing more pods leaves the weight of a router as it is."""
    async with worlds() as world:
        route = await brought(world, router)
        await shift(world, route, 20)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 4, fence()))
        state = await ready(world, route)
    assert state.canary is not None
    assert (state.canary.desired, state.canary.ready, state.edited) == (4, 4, "")
    assert state.weight == (50 if router is Router.REPLICAS else 20)


@every
async def test_stable_pods_that_an_autoscaler_takes_away_are_missed(worlds: Worlds, router: Router) -> None:
    """What there was when the canary was brought is remembered for as long as there is one."""
    async with worlds() as world:
        route = await brought(world, router, pods=4)
        before = await world.canaries.observe(route)
        await world.scale(route.workload, 2)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 2, fence()))
        state = await ready(world, route)
        await world.scale(route.workload, 5)
        grown = await world.canaries.observe(route)
        await remove(world, route)
        after = await world.canaries.observe(route)
    assert (before.stable_before, before.shrunk) == (4, "")
    assert (state.stable_before, state.stable.desired, state.edited) == (4, 2, "")
    assert state.shrunk == "stable is scaled to 2, and had 4 when the canary was brought"
    assert (grown.stable_before, grown.shrunk) == (4, "")
    assert (after.stable_before, after.shrunk) == (None, "")


@every
async def test_nothing_is_left_after_cleaning_up(worlds: Worlds, router: Router) -> None:
    """Weight, entry, Service and Deployment, one write a call, and the router's object as it was before all."""
    async with worlds() as world:
        route = await brought(world, router)
        await shift(world, route, 20)
        assert await world.leftovers(route)
        calls = await remove(world, route)
        assert await world.leftovers(route) == []
        state = await world.canaries.observe(route)
    assert calls == (1 if router is Router.REPLICAS else 4)
    assert (state.weight, state.canary, state.run, state.edited) == (0, None, "", "")


@every_routed
async def test_requests_end_before_what_answers_them(worlds: Worlds, router: Router) -> None:
    """The weight, then the entry, then the Service, and the pods last."""
    async with worlds() as world:
        route = await brought(world, router)
        await shift(world, route, 20)
        seen = []
        for _ in range(4):
            done = await firmly(world, lambda: world.canaries.remove(route, fence()))
            left = await world.leftovers(route)
            assert await world.weights(route) == [(100, 0)]
            seen.append((done, [part for part in ("entry", "service", "deployment") if part in left]))
    assert seen == [
        (False, ["entry", "service", "deployment"]),
        (False, ["service", "deployment"]),
        (False, ["deployment"]),
        (True, []),
    ]


@every
async def test_where_nothing_was_nothing_is_removed(worlds: Worlds, router: Router) -> None:
    """Also a second time."""
    async with worlds() as world:
        route = await world.route(router)
        before = await world.written(route)
        assert await remove(world, route) == 1
        assert await world.written(route) == before


@every_routed
async def test_without_its_object_a_router_divides_nothing(worlds: Worlds, router: Router) -> None:
    """The survey says so, reading and writing fail, and yet a canary can be removed."""
    async with worlds() as world:
        route = await brought(world, router)
        await world.lose(route)
        found = await world.canaries.survey(route)
        for act in (lambda: world.canaries.observe(route), lambda: world.canaries.shift(route, 20, fence())):
            with pytest.raises(NotFoundError):
                await act()
        await remove(world, route)
        assert await world.leftovers(route) == []
    assert any(said.startswith("there is no ") for said in found.problems)


@every
async def test_requests_need_a_canary(worlds: Worlds, router: Router) -> None:
    """None is shifted to where nothing is; taking them away is always right."""
    async with worlds() as world:
        route = await world.route(router)
        with pytest.raises(NotFoundError, match="bring it before"):
            await world.canaries.shift(route, 20, fence())
        await world.canaries.shift(route, 0, fence())
        assert await world.leftovers(route) == []
