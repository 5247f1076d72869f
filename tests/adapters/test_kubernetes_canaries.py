"""What the Kubernetes adapter makes for a canary, leaves as it is, and warns of."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.kubernetes_calls import (
    AUTOSCALERS,
    BUDGETS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    NETWORK_POLICIES,
    SERVICES,
    VIRTUAL_SERVICES,
)
from bot.domain.errors import ConflictError, NotFoundError, RefusedError, UnreadableError
from bot.domain.target import WorkloadKind
from bot.domain.traffic import Route, Router
from tests.adapters.kube_api import Raw
from tests.contracts.clusters import fence, image
from tests.contracts.routes import MemoryWorld, memory_world

NEW = image("v2")
HTTP_ROUTE = "apis/gateway.networking.k8s.io/v1/namespaces/staging/httproutes/api"
VIRTUAL_SERVICE = "apis/networking.istio.io/v1beta1/namespaces/staging/virtualservices/api"
DEPLOYMENT = "apis/apps/v1/namespaces/staging/deployments/api"


@asynccontextmanager
async def world_with(
    router: Router, edit: Callable[[Raw], object] | None = None, path: str = DEPLOYMENT
) -> AsyncIterator[tuple[MemoryWorld, Route]]:
    """An API server in memory on which one object has been edited."""
    async with memory_world() as world:
        route = await world.route(router, pods=4)
        if edit:
            edit(world.api.objects[path])
        yield world, route


def rules_of(world: MemoryWorld) -> list[Raw]:
    """The HTTPRoute's rules as they stand."""
    found: list[Raw] = world.api.objects[HTTP_ROUTE]["spec"]["rules"]
    return found


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


async def test_a_canary_pod_is_a_stable_pod_with_another_image() -> None:
    """Account, volumes and environment as they are; its labels are such that nothing of stable's selects it."""

    def enrich(found: Raw) -> None:
        template = found["spec"]["template"]
        template["metadata"] = {"labels": {"app": "api", "tier": "web"}, "annotations": {"sidecar": "true"}}
        template["spec"] |= {"serviceAccountName": "api", "volumes": [{"name": "c", "configMap": {"name": "conf"}}]}

    async with world_with(Router.GATEWAY_API, enrich) as (world, route):
        await world.canaries.bring(route, NEW, 2, fence())
        stable, canary = await world.get(DEPLOYMENTS, "api"), await world.get(DEPLOYMENTS, "api-canary")
    template = canary["spec"]["template"]
    assert template["metadata"] == {"labels": {"app": "api-canary", "tier": "web"}, "annotations": {"sidecar": "true"}}
    assert canary["spec"]["selector"] == {"matchLabels": {"app": "api-canary"}}
    container = stable["spec"]["template"]["spec"]["containers"][0]
    expected = {**stable["spec"]["template"]["spec"], "containers": [{**container, "image": NEW}]}
    assert template["spec"] == expected
    assert canary["spec"]["strategy"] == stable["spec"]["strategy"]


async def test_without_a_router_the_service_takes_the_canary_in() -> None:
    """Its pods keep all labels and have one more, by which their own Deployment selects them."""
    async with world_with(Router.REPLICAS) as (world, route):
        await world.canaries.bring(route, NEW, 2, fence())
        canary = await world.get(DEPLOYMENTS, "api-canary")
    labels = {"app": "api", "sluice.dev/track": "canary"}
    assert canary["spec"]["selector"] == {"matchLabels": labels}
    assert canary["spec"]["template"]["metadata"]["labels"] == labels


async def test_what_is_made_is_signed() -> None:
    """Run, step, token and the workload, on the Deployment and the Service; the router's object remembers its share."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        await world.canaries.bring(route, NEW, 2, fence(token=3))
        made = [await world.get(DEPLOYMENTS, "api-canary"), await world.get(SERVICES, "api-canary")]
        notes = (await world.get(HTTP_ROUTES[0], "api"))["metadata"]["annotations"]
    expected = {
        "sluice.dev/run": "api-staging-7",
        "sluice.dev/step": "steps.set_image",
        "sluice.dev/fence": "3",
        "sluice.dev/workload": "deployment/api",
    }
    assert all(expected.items() <= one["metadata"]["annotations"].items() for one in made)
    assert notes["canary.sluice.dev/api"] == (
        '{"run": "api-staging-7", "step": "steps.set_image", "token": 3, "weight": 0, "before": [null]}'
    )


async def test_the_canarys_service_is_no_object_of_a_gitops_controller() -> None:
    """Labels by which metrics are collected stay; those that would let Argo CD prune it, and node ports, do not."""

    def label(found: Raw) -> None:
        found["metadata"]["labels"] = {"team": "a", "app.kubernetes.io/instance": "api"}
        found["spec"]["ports"][0]["nodePort"] = 31000

    async with world_with(Router.ISTIO, label, "api/v1/namespaces/staging/services/api") as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        found = await world.get(SERVICES, "api-canary")
    assert found["metadata"]["labels"] == {
        "team": "a",
        "app.kubernetes.io/managed-by": "sluice",
        "sluice.dev/track": "canary",
    }
    assert found["spec"] == {
        "type": "ClusterIP",
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        "selector": {"app": "api-canary"},
    }


async def test_only_the_named_rule_is_divided() -> None:
    """By its name or its number; matches and filters stay."""
    for rule in ("second", "2"):

        def add(found: Raw) -> None:
            found["spec"]["rules"].insert(1, {"name": "second", "backendRefs": [{"name": "api", "port": 80}]})

        async with world_with(Router.GATEWAY_API, add, HTTP_ROUTE) as (world, way):
            route, before = replace(way, rule=rule), rules_of(world)
            await world.canaries.bring(route, NEW, 1, fence())
            await world.canaries.shift(route, 30, fence())
            after = rules_of(world)
            assert (await world.canaries.observe(route)).weight == 30
        assert (after[0], after[2]) == (before[0], before[2])
        assert after[1] == {
            "name": "second",
            "backendRefs": [
                {"name": "api", "port": 80, "weight": 70},
                {"name": "api-canary", "port": 80, "weight": 30},
            ],
        }


async def test_every_rule_that_leads_there_is_divided() -> None:
    """Where none is named; rules to others stay, and so does the weight stable had when all is over."""

    def add(found: Raw) -> None:
        found["spec"]["rules"].append({"backendRefs": [{"name": "api", "port": 80, "weight": 7}]})

    async with world_with(Router.GATEWAY_API, add, HTTP_ROUTE) as (world, route):
        before = rules_of(world)
        await world.canaries.bring(route, NEW, 1, fence())
        await world.canaries.shift(route, 30, fence())
        during = [[ref.get("weight") for ref in rule["backendRefs"]] for rule in rules_of(world)]
        while not await world.canaries.remove(route, fence()):
            pass
        assert rules_of(world) == before
    assert during == [[70, 30], [None], [70, 30]]


async def test_a_rule_that_somebody_adds_is_noticed() -> None:
    """It leads to stable alone."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        await world.canaries.shift(route, 30, fence())
        rules_of(world).append({"backendRefs": [{"name": "api", "port": 80}]})
        state = await world.canaries.observe(route)
    assert state.edited == "httproute api gives the canary 0 %, and Sluice wrote 30 %"
    assert state.weight == 30


async def test_a_backend_that_somebody_adds_meanwhile_keeps_its_share() -> None:
    """Taking the canary's requests away must always work."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        await world.canaries.shift(route, 30, fence())
        rules_of(world)[0]["backendRefs"].append({"name": "other", "port": 80, "weight": 100})
        await world.canaries.shift(route, 0, fence())
        weights = {ref["name"]: ref["weight"] for ref in rules_of(world)[0]["backendRefs"]}
    assert weights == {"api": 100, "api-canary": 0, "other": 100}


@pytest.mark.parametrize("host", ["api", "api.staging", "api.staging.svc", "api.staging.svc.cluster.local"])
async def test_istio_hosts_are_understood_in_all_their_lengths(host: str) -> None:
    """The canary's is as long; stable keeps its subset, which no DestinationRule defines for the canary."""

    def rename(found: Raw) -> None:
        found["spec"]["http"][0]["route"][0]["destination"]["host"] = host

    async with world_with(Router.ISTIO, rename, VIRTUAL_SERVICE) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        await world.canaries.shift(route, 30, fence())
        found = (await world.get(VIRTUAL_SERVICES[1], "api"))["spec"]["http"][0]
    assert found == {
        "name": "main",
        "timeout": "5s",
        "route": [
            {"destination": {"host": host, "subset": "v1"}, "weight": 70},
            {"destination": {"host": host.replace("api", "api-canary", 1)}, "weight": 30},
        ],
    }


async def test_a_host_of_another_namespace_is_another_service() -> None:
    """Though it is called alike."""

    def move(found: Raw) -> None:
        found["spec"]["http"][0]["route"][0]["destination"]["host"] = "api.prod.svc.cluster.local"

    assert await problems(Router.ISTIO, move, VIRTUAL_SERVICE) == (
        "no rule of virtualservice api leads to the Service api; name another in `traffic:`",
    )


async def test_the_canarys_ingress_is_the_stable_one_for_the_canary() -> None:
    """Class, host and the paths that lead to the service; nothing of TLS or of others' paths."""
    async with world_with(Router.NGINX) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        await world.canaries.shift(route, 30, fence())
        found = await world.get(INGRESSES, "api-canary")
    backend = {"service": {"name": "api-canary", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    assert found["spec"] == {
        "ingressClassName": "nginx",
        "rules": [{"host": "api.example.com", "http": {"paths": paths}}],
    }
    annotations = found["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/canary"] == "true"
    assert annotations["nginx.ingress.kubernetes.io/canary-weight"] == "30"


async def test_an_older_gateway_api_is_used_where_it_is_all_there_is() -> None:
    """v1beta1, in which the weights are the same."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        old = HTTP_ROUTE.replace("/v1/", "/v1beta1/")
        found = world.api.objects.pop(HTTP_ROUTE)
        world.api.objects[old] = {**found, "apiVersion": "gateway.networking.k8s.io/v1beta1"}
        await world.canaries.bring(route, NEW, 1, fence())
        await world.canaries.shift(route, 30, fence())
        refs = world.api.objects[old]["spec"]["rules"][0]["backendRefs"]
    assert [ref["weight"] for ref in refs] == [70, 30]


async def test_two_services_of_one_object_have_canaries_at_once() -> None:
    """Each with its own note; the end of one leaves the other's alone."""

    def share(found: Raw) -> None:
        found["spec"]["rules"][1]["backendRefs"][0]["name"] = "docs"

    async with world_with(Router.GATEWAY_API, share, HTTP_ROUTE) as (world, route):
        note = '{"run": "docs-staging-3", "step": "s", "token": 1, "weight": 40, "before": [1]}'
        theirs = {"canary.sluice.dev/docs": note, "sluice.dev/run": "docs-staging-3"}
        world.api.objects[HTTP_ROUTE]["metadata"]["annotations"] |= theirs
        await world.canaries.bring(route, NEW, 1, fence())
        while not await world.canaries.remove(route, fence()):
            pass
        left = world.api.objects[HTTP_ROUTE]["metadata"]["annotations"]
    assert left["canary.sluice.dev/docs"] == note
    assert "canary.sluice.dev/api" not in left


async def test_a_note_beyond_reading_is_named_with_its_fix() -> None:
    """Somebody edited the annotation."""

    def spoil(found: Raw) -> None:
        found["metadata"]["annotations"]["canary.sluice.dev/api"] = "yes"

    async with world_with(Router.GATEWAY_API, spoil, HTTP_ROUTE) as (world, route):
        with pytest.raises(UnreadableError, match=r"kubectl annotate -n staging httproute api canary.sluice.dev/api-"):
            await world.canaries.observe(route)


async def test_a_change_between_reading_and_writing_is_a_conflict() -> None:
    """Nothing that somebody wrote meanwhile is lost."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        edits = iter(range(99))

        def touch() -> None:
            folder, _, _ = HTTP_ROUTE.rpartition("/")
            edit = {"metadata": {"labels": {"edit": str(next(edits))}}}
            found = world.api.objects[HTTP_ROUTE]
            world.api.put(folder, {**found, "metadata": {**found["metadata"], **edit["metadata"]}})

        world.api.after_read = touch
        with pytest.raises(ConflictError, match="changed in cluster main"):
            await world.canaries.shift(route, 30, fence())


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


async def test_an_autoscaler_says_how_many_pods_there_may_be() -> None:
    """Its most count, and those who vote are told."""
    target = {"kind": "Deployment", "name": "api"}
    async with world_with(Router.REPLICAS) as (world, route):
        await world.create(AUTOSCALERS, named("api", scaleTargetRef=target, minReplicas=2, maxReplicas=30))
        found = await world.canaries.survey(route)
    assert (found.stable_pods, found.most_pods) == (4, 30)
    assert found.risks == ("the autoscaler api keeps 2 to 30 stable pods, and counts the canary pods in",)


@pytest.mark.parametrize("version", [0, 1])
async def test_budgets_are_told_of(version: int) -> None:
    """In both versions of their API: an exhausted one, and that it does not protect a canary with other labels."""
    async with world_with(Router.GATEWAY_API) as (world, route):
        if version:
            world.api.missing = (f"{BUDGETS[0].api}/",)
        await world.create(BUDGETS[version], named("api", **API))
        found = (await world.canaries.survey(route)).risks
    assert found == (
        "the PodDisruptionBudget api allows no disruption now",
        "the PodDisruptionBudget api does not protect the canary pods",
    )


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


async def test_a_foreign_entry_is_not_taken_over() -> None:
    """Somebody divides by hand between the same two names."""

    def divide(found: Raw) -> None:
        refs = [{"name": "api", "port": 80, "weight": 90}, {"name": "api-canary", "port": 80, "weight": 10}]
        found["spec"]["rules"][0]["backendRefs"] = refs

    async with world_with(Router.GATEWAY_API, divide, HTTP_ROUTE) as (world, route):
        said = "httproute api in staging names api-canary already, and not by Sluice"
        assert said in (await world.canaries.survey(route)).problems[0]
        with pytest.raises(RefusedError, match=said):
            await world.canaries.bring(route, NEW, 1, fence())
        assert await world.get(DEPLOYMENTS, "api-canary") == {}


async def test_clean_up_goes_on_where_the_workload_itself_is_gone() -> None:
    """Nothing of a canary outlives it."""
    async with world_with(Router.ISTIO) as (world, route):
        await world.canaries.bring(route, NEW, 1, fence())
        del world.api.objects[DEPLOYMENT]
        while not await world.canaries.remove(route, fence()):
            pass
        assert await world.leftovers(route) == []
        with pytest.raises(NotFoundError):
            await world.canaries.observe(route)
