"""What stands in the way of a canary on Kubernetes, and what those who vote are told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.kubernetes_calls import (
    AUTOSCALERS,
    BUDGETS,
    NETWORK_POLICIES,
    SERVICES,
)
from bot.domain.errors import RefusedError
from bot.domain.target import WorkloadKind
from bot.domain.traffic import Router
from tests.adapters.canary_world import DEPLOYMENT, HTTP_ROUTE, NEW, VIRTUAL_SERVICE, world_with
from tests.adapters.kube_api import Raw
from tests.contracts.clusters import fence


async def problems(router: Router, edit: Callable[[Raw], object], path: str = DEPLOYMENT) -> tuple[str, ...]:
    """What a survey finds in the way after an edit."""
    async with world_with(router, edit, path) as (world, route):
        return (await world.canaries.survey(route)).problems


async def risks(router: Router, *made: tuple[Any, Raw]) -> tuple[str, ...]:
    """What a survey warns of beside further objects."""
    async with world_with(router) as (world, route):
        for resource, body in made:
            await world.create(resource, body)
        return (await world.canaries.survey(route)).risks


def named(name: str, **spec: Any) -> Raw:
    """Any object."""
    return {"metadata": {"name": name}, "spec": spec}


API = {"selector": {"matchLabels": {"app": "api"}}}


async def test_a_host_of_another_namespace_is_another_service() -> None:
    """Though it is called alike."""

    def move(found: Raw) -> None:
        found["spec"]["http"][0]["route"][0]["destination"]["host"] = "api.prod.svc.cluster.local"

    assert await problems(Router.ISTIO, move, VIRTUAL_SERVICE) == (
        "no rule of virtualservice api leads to the Service api; name another in `traffic:`",
    )


async def test_only_deployments_have_canaries() -> None:
    """The survey says so, and nothing is made."""
    async with world_with(Router.REPLICAS) as (world, way):
        found = world.api.objects[DEPLOYMENT]
        world.api.put("apis/apps/v1/namespaces/staging/statefulsets", found)
        route = replace(way, workload=replace(way.workload, kind=WorkloadKind.STATEFULSET))
        said = (await world.canaries.survey(route)).problems
        with pytest.raises(RefusedError, match="only Deployments"):
            await world.canaries.bring(route, NEW, 1, fence())
    assert said == ("statefulset/api in staging is no Deployment; only Deployments can have a canary beside them",)


async def test_a_service_that_would_send_requests_past_the_router_is_a_problem() -> None:
    """It selects by a label that stays; it and its selector are named. Without a router that is what is wanted."""

    def label(found: Raw) -> None:
        found["spec"]["template"]["metadata"]["labels"] = {"app": "api", "tier": "web"}

    for router, many in ((Router.ISTIO, 1), (Router.REPLICAS, 0)):
        async with world_with(router, label) as (world, route):
            await world.create(SERVICES, named("all-web", selector={"tier": "web"}))
            said = (await world.canaries.survey(route)).problems
        assert [one.partition(":")[0] for one in said] == [
            "the Service all-web would send requests to canary pods whatever the weight"
        ] * many
        assert all("selects by tier=web" in one for one in said)


async def test_names_that_do_not_fit_are_problems() -> None:
    """Labels' values and names have 63 characters."""

    def lengthen(found: Raw) -> None:
        labels = {"app": "api", "name": "n" * 60}
        found["spec"]["selector"] = {"matchLabels": labels}
        found["spec"]["template"]["metadata"]["labels"] = labels

    said = await problems(Router.NGINX, lengthen)
    assert said == (f"the label name={'n' * 60}-canary is longer than 63 characters; shorten name={'n' * 60}",)
    async with world_with(Router.REPLICAS) as (world, way):
        long = "a" * 57
        found = world.api.objects[DEPLOYMENT]
        world.api.put(DEPLOYMENT.rpartition("/")[0], {**found, "metadata": {**found["metadata"], "name": long}})
        route = replace(way, workload=replace(way.workload, name=long, container="app"))
        assert (await world.canaries.survey(route)).problems == (
            f"the name of the Deployment {long}-canary is longer than 63 characters; shorten the one it is made of",
        )


async def test_a_fresh_baseline_needs_a_name_that_fits_too() -> None:
    """It is the longer one; without a baseline nobody asks."""
    long = "a" * 55
    async with world_with(Router.REPLICAS) as (world, way):
        found = world.api.objects[DEPLOYMENT]
        world.api.put(DEPLOYMENT.rpartition("/")[0], {**found, "metadata": {**found["metadata"], "name": long}})
        route = replace(way, workload=replace(way.workload, name=long, container="app"))
        assert (await world.canaries.survey(route)).problems == ()
        assert (await world.canaries.survey(replace(route, fresh_baseline=True))).problems == (
            f"the name of the Deployment {long}-baseline is longer than 63 characters; shorten the one it is made of",
        )


async def test_places_that_others_have_taken_are_problems() -> None:
    """Also those of services that Sluice releases: their marks say of which workload they are not."""
    async with world_with(Router.ISTIO) as (world, way):
        route = replace(way, fresh_baseline=True)
        for name in ("api-canary", "api-baseline"):
            released = {"name": name, "annotations": {"sluice.dev/run": f"{name}-staging-3"}}
            made = {**world.api.objects[DEPLOYMENT], "metadata": released}
            world.api.put(DEPLOYMENT.rpartition("/")[0], made)
        await world.create(SERVICES, named("api-canary", selector={"app": "api-canary"}))
        said = (await world.canaries.survey(route)).problems
        with pytest.raises(RefusedError, match="deployment/api-canary in staging was not made by Sluice"):
            await world.canaries.bring(route, NEW, 1, fence())
    assert [one.partition(" ")[0] for one in said] == [
        "deployment/api-canary",
        "service/api-canary",
        "deployment/api-baseline",
    ]
    assert all("stands where Sluice would make its own; rename or delete it" in one for one in said)


async def test_rules_that_cannot_be_divided_are_problems() -> None:
    """Further backends, none at all, and a Service that is not there."""

    def third(found: Raw) -> None:
        found["spec"]["rules"][0]["backendRefs"].append({"name": "other", "port": 80})

    def nowhere(found: Raw) -> None:
        found["spec"]["rules"].pop(0)

    async with world_with(Router.GATEWAY_API) as (world, way):
        other = replace(way, service="docs", rule="main")
        said = (await world.canaries.survey(other)).problems
    assert await problems(Router.GATEWAY_API, third, HTTP_ROUTE) == (
        "rule 1 of httproute api leads to further backends beside api; give these a rule of their own",
    )
    assert await problems(Router.GATEWAY_API, nowhere, HTTP_ROUTE) == (
        "no rule of httproute api leads to the Service api; name another in `traffic:`",
    )
    assert said == (
        "there is no Service docs in staging; name another in `traffic:`",
        "rule 'main' of httproute api does not lead to the Service docs; name another in `traffic:`",
    )


async def test_a_subset_is_not_the_canarys() -> None:
    """A DestinationRule speaks of one host."""

    def divide(found: Raw) -> None:
        found["spec"]["http"][0]["route"][0]["destination"]["subset"] = "v1"

    async with world_with(Router.ISTIO, divide, VIRTUAL_SERVICE) as (world, route):
        assert (await world.canaries.survey(route)).risks == (
            "stable has the subset v1 of api; what its DestinationRule says does not hold for the canary",
        )


async def test_an_autoscaler_says_how_many_pods_there_may_be() -> None:
    """Those who vote are told."""
    target = {"kind": "Deployment", "name": "api"}
    async with world_with(Router.REPLICAS) as (world, route):
        await world.create(AUTOSCALERS, named("api", scaleTargetRef=target, minReplicas=2, maxReplicas=30))
        found = await world.canaries.survey(route)
        fresh = await world.canaries.survey(replace(route, fresh_baseline=True))
    assert found.stable_pods == 4
    assert found.risks == ("the autoscaler api keeps 2 to 30 stable pods, and counts the canary pods in",)
    assert fresh.risks == (f"{found.risks[0]}, and counts the fresh baseline pods in",)


@pytest.mark.parametrize("version", [0, 1])
async def test_budgets_are_told_of(version: int) -> None:
    """In both versions of their API: an exhausted one, and that it does not protect a canary with other labels."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        if version:
            world.api.missing = (f"{BUDGETS[0].api}/",)
        await world.create(BUDGETS[version], named("api", **API))
        found = (await world.canaries.survey(route)).risks
        fresh = (await world.canaries.survey(replace(route, fresh_baseline=True))).risks
    assert found == (
        "the PodDisruptionBudget api allows no disruption now",
        "the PodDisruptionBudget api does not protect the canary pods",
    )
    assert fresh == (*found, "the PodDisruptionBudget api counts the fresh baseline pods as stable ones")


async def test_policies_and_claims_that_differ_for_a_canary_are_told_of() -> None:
    """A NetworkPolicy by a label that changes; a volume that both would use."""
    policy = (NETWORK_POLICIES, named("api", podSelector={"matchLabels": {"app": "api"}}))
    assert await risks(Router.GATEWAY_API, policy) == (
        "the NetworkPolicy api is about stable pods only, not about the canary",
    )
    assert await risks(Router.REPLICAS, policy) == ()

    def claim(found: Raw) -> None:
        volume = {"name": "d", "persistentVolumeClaim": {"claimName": "data"}}
        found["spec"]["template"]["spec"]["volumes"] = [volume]

    async with world_with(Router.GATEWAY_API, claim) as (world, route):
        assert "stable and canary pods share the volume claim data" in (await world.canaries.survey(route)).risks


async def test_stable_pods_that_are_not_available_are_told_of() -> None:
    """Half of them are away."""

    def hurt(found: Raw) -> None:
        found["status"] |= {"availableReplicas": 2, "readyReplicas": 2}

    async with world_with(Router.GATEWAY_API, hurt) as (world, route):
        found = await world.canaries.survey(route)
        state = await world.canaries.observe(route)
    assert found.risks == ("2 of 4 pods of deployment/api in staging are available now",)
    assert (state.stable.ready, state.stable.settled) == (2, False)


@pytest.mark.parametrize(
    ("labels", "owner"),
    [
        ({"app.kubernetes.io/managed-by": "flagger"}, "Flagger"),
        ({"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}, "Argo Rollouts"),
        ({"kustomize.toolkit.fluxcd.io/name": "apps"}, "Flux (kustomization apps)"),
    ],
)
async def test_others_that_shift_traffic_are_recognised(labels: dict[str, str], owner: str) -> None:
    """By what they leave on the router's object."""

    def mark(found: Raw) -> None:
        found["metadata"]["labels"] = labels

    (said,) = await problems(Router.GATEWAY_API, mark, HTTP_ROUTE)
    assert f"is managed by {owner}, which would undo" in said
