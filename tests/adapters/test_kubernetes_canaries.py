"""What the Kubernetes adapter makes for a canary, and what it leaves as it is."""

from dataclasses import replace

import pytest

from bot.adapters.kubernetes_calls import (
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    SERVICES,
    VIRTUAL_SERVICES,
)
from bot.domain.errors import ConflictError, NotFoundError, RefusedError, UnreadableError
from bot.domain.traffic import Router
from tests.adapters.canary_world import DEPLOYMENT, HTTP_ROUTE, NEW, VIRTUAL_SERVICE, rules_of, world_with
from tests.adapters.kube_api import Raw
from tests.contracts.clusters import fence


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
        found["spec"]["http"][0]["route"][0]["destination"] = {"host": host, "subset": "v1"}

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
