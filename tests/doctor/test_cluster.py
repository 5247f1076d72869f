"""What is wrong in a cluster: reach, rights, workloads, what stands in the way of canaries."""

from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot.doctor.finding import Area, Grade
from bot.doctor.rights import RIGHTS, Need, Place, places, rights_of
from bot.sandbox import scenery
from bot.sandbox.kubernetes.server import kubeconfig
from bot.sandbox.loopback import listening
from runbooks.configuration import load
from tests.doctor.conftest import Opens
from tests.doctor.installation import Installation


def rules(place: Installation, *, without: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
    """What the catalogue needs in prod, but for some resources and verbs."""
    needs = places(load(place.catalogue))[Place("main", "prod")]
    return [
        {
            "apiGroups": [right.group],
            "resources": [right.resource],
            "verbs": [verb for verb in right.verbs if (right.resource, verb) not in without],
        }
        for right in rights_of(needs)
    ]


def bind(place: Installation, **without: tuple[tuple[str, str], ...]) -> None:
    """Give Sluice its Role in both namespaces."""
    for namespace in scenery.NAMESPACES:
        place.around.cluster.access.bind(namespace, rules(place, without=without.get(namespace, ())))


async def test_the_role_of_the_catalogue_is_enough(opens: Opens) -> None:
    """For every look of the doctor, too: it asks with no other rights than the bot's."""
    async with opens() as place:
        bind(place)
        assert await place.bad(Area.CLUSTER) == []


async def test_a_missing_right(opens: Opens) -> None:
    """Named with what it is for, and with the command that grants it."""
    async with opens() as place:
        bind(place, prod=(("deployments", "patch"), ("httproutes", "patch")))
        found = await place.only(Area.CLUSTER)
    assert (found.subject, found.grade) == ("prod of cluster main", Grade.FAULT)
    assert found.seen == (
        "rights are missing for Deployments (patch deployments.apps), for canaries with the router gateway-api (patch "
        "httproutes.gateway.networking.k8s.io)"
    )
    assert found.fix == "`sluice rbac --namespace prod | kubectl apply -f -`"


async def test_no_rights_at_all(opens: Opens) -> None:
    """The workloads cannot be seen then; that is told as what it is."""
    async with opens() as place:
        place.around.cluster.access.bind("elsewhere", [])
        found = await place.bad(Area.CLUSTER)
    assert [each.subject for each in found][:2] == ["prod of cluster main", "staging of cluster main"]
    assert [each.grade for each in found] == [Grade.FAULT] * 2 + [Grade.UNKNOWN] * 4
    assert {each.seen for each in found[2:]} == {"it cannot be looked at with the rights that there are"}


async def test_no_such_workload(opens: Opens) -> None:
    """With what lists those that there are."""
    async with opens() as place:
        place.rewrite("workload: deployment/web", "workload: deployment/wbe")
        found = await place.bad(Area.CLUSTER)
    assert [each.subject for each in found] == [f"web/{at} (deployment/wbe in {at})" for at in ("staging", "prod")]
    assert found[0].seen == "there is no deployment wbe in namespace staging of cluster main"
    assert "`kubectl get deployments -n staging`" in found[0].fix


async def test_no_such_container(opens: Opens) -> None:
    """With those that it has."""
    async with opens() as place:
        place.rewrite("workload: deployment/web", "workload: deployment/web\n    container: server")
        found = await place.bad(Area.CLUSTER)
    assert {each.seen for each in found} == {"it has no container server"}
    assert found[0].fix.endswith("it has app")


async def test_a_container_that_is_not_said(opens: Opens) -> None:
    """Of several, none of which is named like the workload."""
    async with opens() as place:
        manifest = scenery.deployment("web", "registry.test/acme/web:v1", 2)
        inside = manifest["spec"]["template"]["spec"]
        inside["containers"] = [*inside["containers"], {"name": "proxy", "image": "registry.test/proxy:v1"}]
        manifest["metadata"]["namespace"] = "staging"
        place.around.cluster.apply(manifest)
        found = await place.only(Area.CLUSTER)
    assert found.seen == "which of its containers is meant is not said"
    assert found.fix.endswith("it has app, proxy")


async def test_a_workload_of_somebody_else(opens: Opens) -> None:
    """A release would be undone; with the command that lets Sluice act."""
    async with opens() as place:
        annotate(place, {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:prod/api"})
        found = await place.only(Area.CLUSTER)
    assert found.seen == "Argo CD (application shop) manages it, and would undo a release"
    assert "`kubectl annotate -n prod deployment api sluice.dev/allow=true`" in found.fix


async def test_a_workload_of_somebody_else_that_is_allowed(opens: Opens) -> None:
    """Somebody has decided."""
    async with opens() as place:
        tracked = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:prod/api"}
        annotate(place, tracked | {"sluice.dev/allow": "true"})
        assert await place.bad(Area.CLUSTER) == []


def annotate(place: Installation, annotations: dict[str, str]) -> None:
    """What `kubectl annotate` would do to api in prod."""
    metadata = {"name": "api", "namespace": "prod", "annotations": annotations}
    place.around.cluster.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})


async def test_what_stands_in_the_way_of_canaries(opens: Opens) -> None:
    """As the plan of one would refuse it."""
    async with opens() as place:
        place.rewrite("traffic: {router: gateway-api}", "traffic: {router: gateway-api, route: shop}")
        found = await place.bad(Area.CLUSTER)
    assert found[0].subject == "canaries of api/staging (gateway-api)"
    assert "there is no" in found[0].seen
    assert {each.grade for each in found} == {Grade.FAULT}


async def test_a_share_of_a_cpu_that_nobody_limits(opens: Opens) -> None:
    """The guard rail could not be kept."""
    async with opens() as place:
        place.rewrite('"error_rate < 20%"', '"cpu < 80%"')
        manifest = scenery.deployment("web", "registry.test/acme/web:v1", 2)
        manifest["metadata"]["namespace"] = "staging"
        manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": None}}
        place.around.cluster.apply(manifest)
        found = await place.only(Area.CLUSTER)
    assert found.subject == "web/staging"
    assert "'cpu < 80%'" in found.seen


async def test_a_cluster_that_is_away(opens: Opens) -> None:
    """One finding; the others are looked at all the same."""
    async with opens() as place:
        place.around.cluster.outage.down = True
        found = await place.bad(Area.DATABASE, Area.SLACK, Area.CLUSTER)
    assert [(each.subject, each.grade) for each in found] == [("main", Grade.UNKNOWN)]
    assert "HTTP 503" in found[0].seen
    assert "kubeconfig" in found[0].fix


async def test_a_kubeconfig_that_is_not_there(opens: Opens) -> None:
    """Its path is named."""
    async with opens() as place:
        (place.folder / "kubeconfig").unlink()
        found = await place.only(Area.CLUSTER)
    assert found.grade is Grade.FAULT
    assert str(place.folder / "kubeconfig") in found.seen


async def test_credentials_that_are_not_taken(opens: Opens) -> None:
    """Everybody may ask a server for its version; nothing more is asked then."""

    async def version(_request: web.Request) -> web.Response:
        return web.json_response({"gitVersion": "v1.31.0"})

    async def unauthorized(_request: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", "message": "Unauthorized"}, status=401)

    closed = web.Application()
    closed.router.add_get("/version", version)
    closed.router.add_route("*", "/{rest:.*}", unauthorized)
    async with opens() as place, listening(closed) as url:
        (place.folder / "kubeconfig").write_text(kubeconfig(url))
        found = await place.only(Area.CLUSTER)
    assert (found.subject, found.grade) == ("main", Grade.FAULT)
    assert "does not accept Sluice's credentials" in found.seen
    assert "correct" in found.fix


@pytest.mark.parametrize("need", Need)
def test_every_need_has_rights(need: Need) -> None:
    """And its comment fits into YAML."""
    assert any(right.need is need for right in RIGHTS)
    assert yaml.safe_load(f"a: 1  # {need}") == {"a": 1}
