"""What all `Canaries` promise where somebody else has been: people, other runs, other controllers."""

import pytest

from bot.domain.errors import FencedError, RefusedError
from bot.domain.traffic import Router
from tests.contracts.canary_steps import NEW, brought, every, every_routed, shift
from tests.contracts.clusters import change, changed, fence, image
from tests.contracts.route_worlds import WORLDS
from tests.contracts.routes import Worlds, firmly


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


@every_routed
async def test_a_weight_set_by_hand_is_noticed(worlds: Worlds, router: Router) -> None:
    """And what Sluice writes next is its own again."""
    async with worlds() as world:
        route = await brought(world, router)
        await shift(world, route, 20)
        await world.reweigh(route, 60)
        state = await world.canaries.observe(route)
        await shift(world, route, 20)
        after = await world.canaries.observe(route)
    assert state.weight == 60
    assert state.edited.endswith("api gives the canary 60 %, and Sluice wrote 20 %")
    assert (after.weight, after.edited) == (20, "")


@pytest.mark.parametrize("router", [Router.GATEWAY_API, Router.ISTIO])
async def test_an_entry_taken_out_by_hand_is_noticed(worlds: Worlds, router: Router) -> None:
    """The canary gets nothing then, until it is given something again."""
    async with worlds() as world:
        route = await brought(world, router)
        await shift(world, route, 20)
        await world.reweigh(route, None)
        state = await world.canaries.observe(route)
        await shift(world, route, 20)
        after = await world.canaries.observe(route)
        weights = await world.weights(route)
    assert (state.weight, state.run) == (0, "api-staging-7")
    assert state.edited.startswith("the canary was taken out of")
    assert (after.weight, after.edited, weights) == (20, "", [(80, 20)])


@every
async def test_a_canary_scaled_by_hand_is_noticed(worlds: Worlds, router: Router) -> None:
    """Bringing it again asks for the pods that were wanted."""
    async with worlds() as world:
        route = await brought(world, router)
        await world.scale(route.canary, 3)
        state = await world.canaries.observe(route)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        after = await world.canaries.observe(route)
    assert state.edited == "api-canary is scaled to 3, and Sluice asked for 1"
    assert after.edited == ""


@every
async def test_another_runs_canary_is_refused(worlds: Worlds, router: Router) -> None:
    """With its name and the way to remove it; nothing is written."""
    async with worlds() as world:
        route = await brought(world, router)
        before, other = await world.written(route), fence("api-staging-8")
        said = r"is the canary of api-staging-7; abort that run, or remove it: .*kubectl -n .* deployment/api-canary"
        for write in (
            lambda: world.canaries.bring(route, NEW, 1, other),
            lambda: world.canaries.shift(route, 20, other),
            lambda: world.canaries.remove(route, other),
        ):
            with pytest.raises(RefusedError, match=said):
                await write()
        assert await world.written(route) == before


@every
async def test_a_former_owner_is_fenced(worlds: Worlds, router: Router) -> None:
    """A write of a newer owner of the same run has been there."""
    async with worlds() as world:
        route = await world.route(router)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence(token=5)))
        for write in (
            lambda: world.canaries.bring(route, NEW, 2, fence(token=4)),
            lambda: world.canaries.shift(route, 20, fence(token=4)),
            lambda: world.canaries.remove(route, fence(token=4)),
        ):
            with pytest.raises(FencedError, match="newer owner of api-staging-7"):
                await write()


@every
async def test_a_run_that_came_after_the_plan_fences(worlds: Worlds, router: Router) -> None:
    """Its mark is on the stable workload."""
    async with worlds() as world:
        route = await world.route(router)
        await changed(world, route.workload, change("v1"), fence("api-staging-9"))
        with pytest.raises(FencedError, match="changed by api-staging-9"):
            await world.canaries.bring(route, NEW, 1, fence(after="api-staging-6"))
        assert await world.leftovers(route) == []


@every
async def test_the_next_run_may_remove_what_its_forerunner_left(worlds: Worlds, router: Router) -> None:
    """Run 7 promoted its canary and died before it had cleaned up; run 8 was planned on its mark."""
    async with worlds() as world:
        route = await brought(world, router)
        await changed(world, route.workload, change("v2"), fence())
        right = fence("api-staging-8", after="api-staging-7")
        with pytest.raises(RefusedError, match="is the canary of api-staging-7"):
            await world.canaries.bring(route, image("v3"), 1, right)
        for _ in range(4):
            await firmly(world, lambda: world.canaries.remove(route, right))
        assert await world.leftovers(route) == []


@every
async def test_one_run_has_one_canary(worlds: Worlds, router: Router) -> None:
    """Another image of the same run is refused."""
    async with worlds() as world:
        route = await brought(world, router)
        with pytest.raises(RefusedError, match="remove it before bringing another"):
            await world.canaries.bring(route, image("v3"), 1, fence())


@every
async def test_what_others_made_is_left_alone(worlds: Worlds, router: Router) -> None:
    """A Deployment that only has the canary's name."""
    async with worlds() as world:
        route = await world.route(router)
        await world.squat(route.canary)
        with pytest.raises(RefusedError, match="was not made by Sluice"):
            await world.canaries.bring(route, NEW, 1, fence())
        with pytest.raises(RefusedError, match="was not made by Sluice"):
            await world.canaries.remove(route, fence())
        assert (await world.canaries.observe(route)).run == ""
        problems = (await world.canaries.survey(route)).problems
    said = next(one for one in problems if one.startswith("deployment/api-canary in "))
    assert said.endswith("stands where Sluice would make its own; rename or delete it")


@pytest.mark.parametrize("router", [Router.GATEWAY_API, Router.ISTIO])
async def test_an_object_of_another_controller_is_not_fought_over(worlds: Worlds, router: Router) -> None:
    """Refused before anything is made, and told in the survey."""
    async with worlds() as world:
        route = await world.route(router)
        await world.own(route)
        with pytest.raises(RefusedError, match=r"managed by Argo CD \(application acme-api\)"):
            await world.canaries.bring(route, NEW, 1, fence())
        found = await world.canaries.survey(route)
        assert await world.leftovers(route) == []
    assert any("managed by Argo CD (application acme-api)" in said for said in found.problems)


async def test_an_ingress_of_another_controller_is_no_obstacle(worlds: Worlds) -> None:
    """It is not written to: the canary has an Ingress of its own."""
    async with worlds() as world:
        route = await world.route(Router.NGINX, pods=1)
        await world.own(route)
        assert (await world.canaries.survey(route)).problems == ()
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        await shift(world, route, 20)
        assert (await world.canaries.observe(route)).weight == 20
