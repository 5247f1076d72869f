"""What the Kubernetes adapter makes for a fresh baseline, and how it knows its own."""

import re
from dataclasses import replace

import pytest

from bot.adapters.kubernetes_calls import DEPLOYMENTS
from bot.adapters.kubernetes_objects import Selector
from bot.domain.errors import RefusedError
from bot.domain.traffic import Router
from tests.adapters.canary_world import DEPLOYMENT, NEW, world_with
from tests.adapters.kube_api import Raw
from tests.contracts.canary_steps import every, remove
from tests.contracts.clusters import fence, image


@every
async def test_a_baseline_pod_is_a_stable_pod_with_one_more_label(router: Router) -> None:
    """By all others Services and budgets find it; by this one its own Deployment tells it from stable's and the
    canary's."""

    def enrich(found: Raw) -> None:
        template = found["spec"]["template"]
        template["metadata"] = {"labels": {"app": "api", "tier": "web"}, "annotations": {"sidecar": "true"}}
        template["spec"] |= {"serviceAccountName": "api"}

    async with world_with(router, enrich) as (world, way):
        await world.canaries.bring(replace(way, fresh_baseline=True), NEW, 2, fence())
        stable, canary, fresh = [await world.get(DEPLOYMENTS, name) for name in ("api", "api-canary", "api-baseline")]
    template, labels = fresh["spec"]["template"], {"app": "api", "sluice.dev/track": "baseline"}
    assert fresh["spec"]["selector"] == {"matchLabels": labels}
    assert template["metadata"] == {"labels": {**labels, "tier": "web"}, "annotations": {"sidecar": "true"}}
    assert template["spec"] == stable["spec"]["template"]["spec"]
    assert (fresh["spec"]["replicas"], fresh["spec"]["strategy"]) == (2, stable["spec"]["strategy"])
    chooses = Selector.model_validate(fresh["spec"]["selector"])
    assert not any(chooses.matches(other["spec"]["template"]["metadata"]["labels"]) for other in (stable, canary))


async def test_a_baseline_is_signed_as_the_canary_is() -> None:
    """Run, step, token, workload and what it was told to be; how many stable pods there were is noted on the canary."""
    async with world_with(Router.GATEWAY_API) as (world, way):
        await world.canaries.bring(replace(way, fresh_baseline=True), NEW, 2, fence(token=3))
        canary = (await world.get(DEPLOYMENTS, "api-canary"))["metadata"]["annotations"]
        fresh = (await world.get(DEPLOYMENTS, "api-baseline"))["metadata"]
    expected = {
        "sluice.dev/run": "api-staging-7",
        "sluice.dev/step": "steps.set_image",
        "sluice.dev/fence": "3",
        "sluice.dev/workload": "deployment/api",
    }
    assert fresh["annotations"] == expected | {"sluice.dev/wrote": f'{{"image": "{image("v1")}", "pods": 2}}'}
    assert fresh["labels"] == {"app.kubernetes.io/managed-by": "sluice", "sluice.dev/track": "baseline"}
    assert canary["sluice.dev/stable-pods"] == "4"


async def test_a_service_that_is_called_so_is_no_baseline() -> None:
    """Sluice releases it, too, and its marks stand on it: neither looked at, nor counted, nor removed."""
    async with world_with(Router.REPLICAS) as (world, route):
        marks = {"sluice.dev/run": "api-baseline-staging-3", "sluice.dev/fence": "9"}
        made = {**world.api.objects[DEPLOYMENT], "metadata": {"name": "api-baseline", "annotations": marks}}
        world.api.put(DEPLOYMENT.rpartition("/")[0], made)
        await world.canaries.bring(route, NEW, 1, fence())
        state = await world.canaries.observe(route)
        assert await remove(world, route) == 1
        assert await world.get(DEPLOYMENTS, "api-baseline")
    assert (state.baseline, state.weight, state.run) == (None, 20, "api-staging-7")


async def test_a_note_that_somebody_spoilt_is_no_number() -> None:
    """Nothing is known then of the pods there were."""
    async with world_with(Router.REPLICAS) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        for spoilt in ("many", ""):
            await world.patch(
                DEPLOYMENTS, "api-canary", {"metadata": {"annotations": {"sluice.dev/stable-pods": spoilt}}}
            )
            state = await world.canaries.observe(route)
            assert (state.stable_before, state.shrunk) == (None, "")


@every
async def test_what_a_person_is_told_to_delete_is_all_there_is(router: Router) -> None:
    """The commands name the baseline where there is one, each object with its kind."""
    for fresh in (True, False):
        async with world_with(router) as (world, way):
            route = replace(way, fresh_baseline=fresh)
            await world.canaries.bring(route, NEW, 1, fence())
            with pytest.raises(RefusedError) as refused:
                await world.canaries.shift(route, 10, fence("api-staging-8"))
        told = re.search(r"delete ([^`]*)`$", str(refused.value))
        assert told is not None
        objects = told[1].split()
        assert ("deployment/api-baseline" in objects) is fresh
        assert all(one.startswith(("deployment/api-", "service/api-", "ingress/api-")) for one in objects)
