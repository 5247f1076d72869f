"""What only a real API server, its controllers and its scheduler can show."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.adapters.kubernetes_calls import PODS, REPLICASETS, Call, Resource
from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_login import Connection
from bot.adapters.system_clock import SystemClock
from bot.domain.errors import RefusedError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.cluster import FaultKind, JobPhase, JobSpec, WorkloadState
from tests.contracts.clusters import change, fence, image
from tests.real.servers import Namespace, named, namespace, until

pytestmark = pytest.mark.real

QUOTAS = Resource("api/v1", "resourcequotas")
ACCOUNTS = Resource("api/v1", "serviceaccounts")


class LateClock:
    """A minute ahead: what has only just begun to fail has failed for long."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC) + timedelta(minutes=1)


def connection() -> Connection:
    """The administrator's."""
    return Connection(named("KUBECONFIG"))


async def settled(cluster: KubernetesCluster, ref: WorkloadRef) -> WorkloadState:
    """The workload once its rollout is complete."""
    return await until(lambda: cluster.observe(ref), lambda state: state.settled)


@pytest.mark.parametrize("kind", [WorkloadKind.STATEFULSET, WorkloadKind.DAEMONSET])
async def test_other_kinds_roll_out(kind: WorkloadKind) -> None:
    """StatefulSets and DaemonSets settle, change once, settle again, and name what is wrong."""
    replicas = {"replicas": 2} if kind is WorkloadKind.STATEFULSET else {}
    async with namespace() as place, KubernetesCluster("main", connection(), SystemClock()) as cluster:
        ref = await place.workload(image("v1"), kind=kind, **replicas)
        before = await settled(cluster, ref)
        told = await cluster.set_image(ref, change("v2"), fence())
        after = await settled(cluster, ref)
        await cluster.set_image(ref, change("v3-badpull"), fence())
        broken = await until(lambda: cluster.observe(ref), lambda state: any(fault.hopeless for fault in state.faults))
    assert not told.settled
    assert (after.images["app"], after.updated_available, after.desired) == (
        image("v2"),
        before.desired,
        before.desired,
    )
    assert broken.faults[0].kind is FaultKind.IMAGE_PULL


async def test_a_change_makes_one_new_set(tmp_path: Path) -> None:
    """However often it is repeated."""
    async with namespace() as place, KubernetesCluster("main", connection(), SystemClock()) as cluster:
        ref = await place.workload(image("v1"), replicas=1)
        await settled(cluster, ref)
        await cluster.set_image(ref, change("v2"), fence())
        await settled(cluster, ref)
        await cluster.set_image(ref, change("v2"), fence(token=2))
        await settled(cluster, ref)
        sets = await place.client.items(Call("list", REPLICASETS, place.name))
    assert len(sets) == 2


async def test_a_pod_without_a_node_is_unschedulable() -> None:
    """More processors than any node has; the scheduler's own words."""
    async with namespace() as place, KubernetesCluster("main", connection(), LateClock()) as cluster:
        ref = await place.workload(image("v1"), template=greedy(image("v1")))
        state = await until(lambda: cluster.observe(ref), lambda state: bool(state.faults))
    assert (state.faults[0].kind, state.faults[0].hopeless) == (FaultKind.UNSCHEDULABLE, True)
    assert "Insufficient cpu" in state.faults[0].message


def greedy(wanted: str) -> dict[str, object]:
    """A pod template that fits nowhere."""
    container = {"name": "app", "image": wanted, "resources": {"requests": {"cpu": "900"}}}
    return {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [container]}}


async def test_quota_that_is_used_up_is_named() -> None:
    """The ReplicaSet cannot make its pod."""
    async with namespace() as place, KubernetesCluster("main", connection(), LateClock()) as cluster:
        await place.create(QUOTAS, {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "0"}}})
        ref = await place.workload(image("v1"), replicas=1)
        state = await until(lambda: cluster.observe(ref), lambda state: bool(state.faults))
        events = await until(lambda: cluster.recent_events(ref), bool)
    assert (state.faults[0].kind, state.faults[0].hopeless) == (FaultKind.QUOTA, True)
    assert "exceeded quota: small" in state.faults[0].message
    assert "FailedCreate" in events[0]


async def restricted(place: Namespace, folder: Path) -> Connection:
    """The connection of a service account without any right."""
    await place.create(ACCOUNTS, {"metadata": {"name": "bot"}})
    granted = await place.client.send(Call("create", ACCOUNTS, place.name, "bot", "token"), {"spec": {}})
    return with_token(granted["status"]["token"], folder / "restricted.kubeconfig")


def with_token(token: str, path: Path) -> Connection:
    """The same cluster for somebody else."""
    found = yaml.safe_load(Path(named("KUBECONFIG")).read_text())
    found["users"] = [{"name": one["name"], "user": {"token": token}} for one in found["users"]]
    path.write_text(json.dumps(found))
    return Connection(str(path))


async def test_a_missing_right_is_named(tmp_path: Path) -> None:
    """Verb, resource and namespace, as a Role has them."""
    async with namespace() as place:
        bot = await restricted(place, tmp_path)
        ref = await place.workload(image("v1"), replicas=0)
        async with KubernetesCluster("main", bot, SystemClock()) as cluster:
            with pytest.raises(
                RefusedError, match=f"the verb 'get' on 'deployments' to its Role in namespace {place.name}"
            ):
                await cluster.observe(ref)


async def test_a_job_of_a_stateful_set_is_accepted() -> None:
    """Though its volumes come from claims that only its own pods have, and its probes are for a server."""
    template = {
        "metadata": {"labels": {"app": "api"}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": image("v1"),
                    "ports": [{"containerPort": 8080}],
                    "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
                    "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
                    "volumeMounts": [{"name": "claimed", "mountPath": "/data"}],
                }
            ]
        },
    }
    claim = {
        "metadata": {"name": "claimed"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    async with namespace() as place, KubernetesCluster("main", connection(), SystemClock()) as cluster:
        kind = WorkloadKind.STATEFULSET
        ref = await place.workload(image("v1"), kind=kind, template=template, volumeClaimTemplates=[claim])
        spec = JobSpec("api-1-migrate", ref, image("v2"), ("migrate",), 60)
        done = await until(lambda: cluster.run_job(spec, fence()), lambda state: state.phase is not JobPhase.RUNNING)
        pods = await place.client.items(Call("list", PODS, place.name, query={"labelSelector": "app=api"}))
    assert done.phase is JobPhase.SUCCEEDED
    assert {pod["metadata"]["ownerReferences"][0]["kind"] for pod in pods} == {"StatefulSet"}
