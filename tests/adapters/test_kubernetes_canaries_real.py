"""What only a real API server and its controllers can show of a canary: rights, endpoints, and whose pods are whose."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.adapters.kubernetes_calls import PODS, REPLICASETS, Call, Raw, Resource
from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_login import Connection
from bot.adapters.system_clock import SystemClock
from bot.domain.target import WorkloadKind
from bot.domain.traffic import Route, Router
from runbooks.pod_names import pods_of
from tests.adapters.test_kubernetes_real import restricted
from tests.contracts.canary_steps import NEW, every, remove, shift
from tests.contracts.clusters import fence
from tests.contracts.route_worlds import KubernetesWorld
from tests.contracts.routes import firmly, ready
from tests.real.custom_resources import installed
from tests.real.servers import Namespace, named, namespace, until

pytestmark = pytest.mark.real

ROLES = Resource("apis/rbac.authorization.k8s.io/v1", "roles")
BINDINGS = Resource("apis/rbac.authorization.k8s.io/v1", "rolebindings")
ENDPOINTS = Resource("api/v1", "endpoints")
ROLE = Path(__file__).parents[2] / "deploy" / "kubernetes-role.yaml"


async def granted(place: Namespace, folder: Path) -> Connection:
    """A service account with exactly the rights that we tell people to give."""
    bot = await restricted(place, folder)
    role, binding = yaml.safe_load_all(ROLE.read_text())
    await place.create(ROLES, role)
    subjects = [{"kind": "ServiceAccount", "name": "bot", "namespace": place.name}]
    await place.create(BINDINGS, {**binding, "subjects": subjects})
    return bot


@every
async def test_the_role_is_enough_for_a_canarys_whole_life(router: Router, tmp_path: Path) -> None:
    """Survey, bring with a fresh baseline, shift, look, remove."""
    async with namespace() as place:
        await installed(place.client)
        bot = await granted(place, tmp_path)
        async with (
            KubernetesCluster("main", bot, SystemClock()) as cluster,
            KubernetesCluster("main", Connection(named("KUBECONFIG")), SystemClock()) as master,
        ):
            route = await KubernetesWorld(master, place.client, place.name).route(router, pods=1, fresh=True)
            world = KubernetesWorld(cluster, place.client, place.name)
            assert (await world.canaries.survey(route)).problems == ()
            await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
            await ready(world, route)
            await shift(world, route, 50)
            assert (await world.canaries.observe(route)).weight == 50
            await remove(world, route)
            state = await world.canaries.observe(route)
            assert (state.canary, state.baseline) == (None, None)


async def reached(place: Namespace, service: str) -> int:
    """How many ready pods a Service sends requests to."""
    found = await place.client.send(Call("get", ENDPOINTS, place.name, service))
    return sum(len(subset.get("addresses") or []) for subset in found.get("subsets") or [])


async def owners(place: Namespace) -> dict[str, str]:
    """The Deployment of each pod, by its ReplicaSet; empty for a pod that has outlived its own."""
    listed = await place.client.items(Call("list", REPLICASETS, place.name))
    sets = {one["metadata"]["uid"]: _owner(one["metadata"]) for one in listed}
    pods = await place.client.items(Call("list", PODS, place.name))
    living = [pod["metadata"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return {pod["name"]: sets.get(_owner_uid(pod), "") for pod in living}


def _owner(metadata: Raw) -> str:
    return str(metadata["ownerReferences"][0]["name"])


def _owner_uid(metadata: Raw) -> str:
    return str(metadata["ownerReferences"][0]["uid"])


@every
async def test_services_and_controllers_tell_the_pods_apart(router: Router) -> None:
    """With a router each Service has its own pods, without one stable's has all; no controller adopts the other's,
    and stable's pods are the same ones afterwards."""
    async with (
        namespace() as place,
        KubernetesCluster("main", Connection(named("KUBECONFIG")), SystemClock()) as cluster,
    ):
        await installed(place.client)
        world = KubernetesWorld(cluster, place.client, place.name)
        route: Route = await world.route(router, pods=2)
        before = await owners(place)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
        await ready(world, route)
        alone = router is not Router.REPLICAS
        await until(lambda: reached(place, "api"), lambda many: many == (2 if alone else 3))
        if alone:
            await until(lambda: reached(place, "api-canary"), lambda many: many == 1)
        await until(lambda: owners(place), lambda found: sorted(found.values()) == ["api", "api", "api-canary"])
        await remove(world, route)
        await until(lambda: owners(place), lambda found: found == before)
        await until(lambda: reached(place, "api"), lambda many: many == 2)


@every
async def test_fresh_baseline_pods_are_stables_to_services_and_nobody_elses_to_controllers(router: Router) -> None:
    """Stable's Service sends them requests, the canary's does not; each pod's name says whose it is, as metrics are
    told apart by it; scaling and removing them leaves stable's pods the same ones."""
    async with (
        namespace() as place,
        KubernetesCluster("main", Connection(named("KUBECONFIG")), SystemClock()) as cluster,
    ):
        await installed(place.client)
        world = KubernetesWorld(cluster, place.client, place.name)
        route: Route = await world.route(router, pods=2, fresh=True)
        before = await owners(place)
        await firmly(world, lambda: world.canaries.bring(route, NEW, 2, fence()))
        await ready(world, route)
        alone = router is not Router.REPLICAS
        await until(lambda: reached(place, "api"), lambda many: many == (4 if alone else 6))
        if alone:
            await until(lambda: reached(place, "api-canary"), lambda many: many == 2)
        beside = {"api": 2, "api-canary": 2, "api-baseline": 2}
        found = await until(lambda: owners(place), lambda seen: Counter(seen.values()) == beside)
        for name in beside:
            pods = re.compile(pods_of(WorkloadKind.DEPLOYMENT, name))
            assert {pod for pod in found if pods.fullmatch(pod)} == {pod for pod in found if found[pod] == name}
        await world.scale(route.workload, 3)
        await ready(world, route)
        await world.scale(route.workload, 2)
        await until(lambda: owners(place), lambda seen: Counter(seen.values()) == beside)
        await remove(world, route)
        await until(lambda: owners(place), lambda seen: Counter(seen.values()) == {"api": 2})
        await until(lambda: reached(place, "api"), lambda many: many == 2)
        assert before.keys() & (await owners(place)).keys()
