"""Which pods are the newest, and which writes are refused or lost."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import ConflictError, RefusedError, UnreadableError
from bot.domain.target import WorkloadRef
from bot.ports.cluster import FaultKind
from tests.adapters import kube_objects as kube
from tests.adapters.kube_api import KubeApi
from tests.adapters.kube_cluster import CHANGE, DAEMON_SET, DEPLOYMENT, FENCE, STATEFUL_SET, cluster_on

CRASHING = {"containerStatuses": [kube.container({"waiting": {"reason": "CrashLoopBackOff"}})]}


def crashing(name: str, owner: dict[str, Any], **labels: str) -> dict[str, Any]:
    """A pod of `owner` that crashes."""
    return kube.pod(name, owner=owner, metadata={"labels": {**kube.LABELS, **labels}}, status=CRASHING, conditions=[])


def owned(name: str) -> dict[str, Any]:
    """Metadata of a pod of that ReplicaSet."""
    return kube.owned_by("ReplicaSet", name, f"uid-{name}")


async def test_only_pods_of_the_present_template_are_blamed(tmp_path: Path) -> None:
    """The bad version's pods may still be there while the good one comes back: its set is older, but it is the one."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload(image="api:v1"))
    api.put(kube.REPLICASETS, kube.replica_set("api-1", image="api:v1"))
    api.put(kube.REPLICASETS, kube.replica_set("api-2", image="api:v2"))
    api.put(kube.PODS, kube.pod("api-1-x", owner=owned("api-1")))
    api.put(kube.PODS, crashing("api-2-x", owned("api-2")))
    async with cluster_on(api, tmp_path) as cluster:
        state = await cluster.observe(DEPLOYMENT)
    assert (state.updated_available, state.faults) == (1, ())


async def test_a_namesakes_set_is_not_ours(tmp_path: Path) -> None:
    """A Deployment that was deleted and made anew has the same labels, and other owner references."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    api.put(kube.REPLICASETS, kube.replica_set("api-1", uid="uid-before"))
    api.put(kube.PODS, crashing("api-1-x", owned("api-1")))
    async with cluster_on(api, tmp_path) as cluster:
        state = await cluster.observe(DEPLOYMENT)
    assert (state.settled, state.faults) == (False, ())


async def test_nothing_is_known_of_new_pods_before_the_controller_has_looked(tmp_path: Path) -> None:
    """Until then the newest set is the one before."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload(metadata={"generation": 2}))
    api.put(kube.REPLICASETS, kube.replica_set("api-1"))
    api.put(kube.PODS, crashing("api-1-x", owned("api-1")))
    async with cluster_on(api, tmp_path) as cluster:
        state = await cluster.observe(DEPLOYMENT)
    assert (state.generation, state.observed_generation) == (2, 1)
    assert (state.settled, state.updated, state.faults) == (False, 0, ())


async def test_a_stateful_sets_newest_pods_have_its_update_revision(tmp_path: Path) -> None:
    """The label `controller-revision-hash`."""
    api = KubeApi()
    owner = kube.owned_by("StatefulSet", "api", "uid-api")
    api.put(kube.STATEFULSETS, kube.workload(status={"updateRevision": "api-b", "updatedReplicas": 1}))
    api.put(kube.PODS, crashing("api-0", owner, **{"controller-revision-hash": "api-a"}))
    api.put(kube.PODS, crashing("api-1", owner, **{"controller-revision-hash": "api-b"}))
    async with cluster_on(api, tmp_path) as cluster:
        state = await cluster.observe(STATEFUL_SET)
    assert [fault.pod for fault in state.faults] == ["api-1"]
    assert (state.updated, state.settled) == (1, False)


async def test_a_daemon_sets_newest_pods_have_its_newest_revision(tmp_path: Path) -> None:
    """The ControllerRevision with the highest number."""
    api = KubeApi()
    owner = kube.owned_by("DaemonSet", "api", "uid-api")
    api.put(kube.DAEMONSETS, kube.daemon_set())
    for number, mark in ((9, "a"), (10, "b")):
        labels = {**kube.LABELS, "controller-revision-hash": mark}
        api.put(kube.REVISIONS, {"metadata": {"name": f"api-{mark}", "labels": labels, **owner}, "revision": number})
        api.put(kube.PODS, crashing(f"api-{mark}", owner, **{"controller-revision-hash": mark}))
    async with cluster_on(api, tmp_path) as cluster:
        state = await cluster.observe(DAEMON_SET)
    assert [(fault.kind, fault.pod) for fault in state.faults] == [(FaultKind.CRASH_LOOP, "api-b")]
    assert (state.desired, state.total) == (2, 2)


async def test_unknown_and_missing_fields_do_no_harm(tmp_path: Path) -> None:
    """A server of another age."""
    api = KubeApi()
    found = kube.workload()
    found["spec"]["somethingNew"] = {"a": [1]}
    found["status"] = {"terminatingReplicas": 0}
    api.put(kube.DEPLOYMENTS, found)
    async with cluster_on(api, tmp_path) as cluster:
        state = await cluster.observe(DEPLOYMENT)
    assert (state.desired, state.updated, state.available, state.settled) == (2, 0, 0, False)


async def test_an_odd_field_that_we_need_is_unreadable(tmp_path: Path) -> None:
    """The text names it."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload(spec={"replicas": "many"}))
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(UnreadableError, match=r"Workload whose spec\.replicas is odd"):
            await cluster.observe(DEPLOYMENT)


async def test_a_change_is_one_patch_bound_to_what_was_read(tmp_path: Path) -> None:
    """The image, the marks and the version, and nothing else."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    async with cluster_on(api, tmp_path) as cluster:
        await cluster.set_image(DEPLOYMENT, CHANGE, FENCE)
    patch = api.bodies[0]
    assert len(api.bodies) == 1
    assert patch["metadata"]["resourceVersion"] == "101"
    assert patch["spec"] == {"template": {"spec": {"containers": [{"name": "app", "image": "api:v2"}]}}}


async def test_an_image_that_runs_already_leaves_the_spec_alone(tmp_path: Path) -> None:
    """Only the mark is written."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload(image="api:v2"))
    async with cluster_on(api, tmp_path) as cluster:
        await cluster.set_image(DEPLOYMENT, CHANGE, FENCE)
        await cluster.set_image(DEPLOYMENT, CHANGE, FENCE)
    assert [sorted(body) for body in api.bodies] == [["metadata"]]


async def test_whatever_happened_between_reading_and_writing_is_a_conflict(tmp_path: Path) -> None:
    """Somebody else's change is never overwritten."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    api.after_read = lambda: api.put(kube.DEPLOYMENTS, kube.workload(image="api:hotfix"))
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(ConflictError, match="changed in cluster main while Sluice wrote"):
            await cluster.set_image(DEPLOYMENT, CHANGE, FENCE)
    stored = api.objects[f"{kube.DEPLOYMENTS}/api"]
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == "api:hotfix"


@pytest.mark.parametrize("ref", [STATEFUL_SET, DAEMON_SET])
async def test_a_workload_updated_by_deletion_is_refused(tmp_path: Path, ref: WorkloadRef) -> None:
    """No rollout would ever end; the text holds the command that allows one."""
    api = KubeApi()
    path = kube.STATEFULSETS if ref is STATEFUL_SET else kube.DAEMONSETS
    api.put(path, kube.workload(spec={"updateStrategy": {"type": "OnDelete"}}))
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(RefusedError, match=r"OnDelete.*kubectl patch -n staging .*RollingUpdate"):
            await cluster.set_image(ref, CHANGE, FENCE)
    assert api.bodies == []


async def test_a_partitioned_workload_is_refused(tmp_path: Path) -> None:
    """Pods below the partition would keep the old image."""
    api = KubeApi()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    api.put(kube.STATEFULSETS, kube.workload(spec={"updateStrategy": strategy}))
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(RefusedError, match=r'partition 1.*"partition":0'):
            await cluster.set_image(STATEFUL_SET, CHANGE, FENCE)


@pytest.mark.parametrize(("container", "changed"), [(None, "api"), ("proxy", "proxy")])
async def test_the_container_named_like_the_workload_is_meant(
    tmp_path: Path, container: str | None, changed: str
) -> None:
    """Unless the catalogue names another."""
    api = KubeApi()
    both = [{"name": "api", "image": "api:v1"}, {"name": "proxy", "image": "proxy:v1"}]
    api.put(kube.DEPLOYMENTS, kube.workload(spec={"template": {"spec": {"containers": both}}}))
    ref = WorkloadRef("main", "staging", DEPLOYMENT.kind, "api", container)
    async with cluster_on(api, tmp_path) as cluster:
        await cluster.set_image(ref, CHANGE, FENCE)
    assert api.bodies[0]["spec"]["template"]["spec"]["containers"] == [{"name": changed, "image": "api:v2"}]


async def test_a_selectors_expressions_are_asked_as_kubectl_writes_them(tmp_path: Path) -> None:
    """All four operators, beside the plain labels."""
    api = KubeApi()
    expressions = [
        {"key": "tier", "operator": "In", "values": ["web", "edge"]},
        {"key": "track", "operator": "NotIn", "values": ["canary"]},
        {"key": "app", "operator": "Exists"},
        {"key": "job-name", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": kube.LABELS, "matchExpressions": expressions}
    api.put(kube.DEPLOYMENTS, kube.workload(spec={"selector": selector}))
    async with cluster_on(api, tmp_path) as cluster:
        await cluster.observe(DEPLOYMENT)
    assert api.requests[1].query["labelSelector"] == "app=api,tier in (web,edge),track notin (canary),app,!job-name"


@pytest.mark.parametrize(
    ("container", "said"),
    [("web", "has no container 'web'; it has left, right"), (None, "has several containers; it has left, right")],
)
async def test_a_container_that_cannot_be_chosen_is_refused(tmp_path: Path, container: str | None, said: str) -> None:
    """The text lists the names and the key that takes one."""
    api = KubeApi()
    both = [{"name": "left", "image": "api:v1"}, {"name": "right", "image": "proxy:v1"}]
    api.put(kube.DEPLOYMENTS, kube.workload(spec={"template": {"spec": {"containers": both}}}))
    ref = WorkloadRef("main", "staging", DEPLOYMENT.kind, "api", container)
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(RefusedError, match=f"{said}.*`container:`"):
            await cluster.set_image(ref, CHANGE, FENCE)
    assert api.bodies == []


@pytest.mark.parametrize(
    ("resources", "cores"),
    [
        ({"limits": {"cpu": "2", "memory": "64Mi"}, "requests": {"cpu": "500m"}}, 2.0),
        ({"limits": {"memory": "64Mi"}, "requests": {"cpu": "500m"}}, 0.5),
        ({"limits": {"cpu": "0"}, "requests": {"cpu": "0.5"}}, 0.5),
        ({"limits": None, "requests": {"memory": "64Mi"}}, None),
        ({}, None),
    ],
)
async def test_what_a_pod_may_use_is_its_limit_or_what_it_asks_for(
    tmp_path: Path, resources: kube.Raw, cores: float | None
) -> None:
    """A limit of nothing is none; memory is another matter."""
    api = KubeApi()
    found = kube.workload()
    found["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    api.put(kube.DEPLOYMENTS, found)
    async with cluster_on(api, tmp_path) as cluster:
        assert (await cluster.observe(DEPLOYMENT)).cpu_cores == cores


@pytest.mark.parametrize(("container", "cores"), [(None, None), ("web", 1.0), ("proxy", 0.1), ("other", None)])
async def test_only_the_released_container_counts(tmp_path: Path, container: str | None, cores: float | None) -> None:
    """Where it is not clear which one that is, looking does not fail."""
    api = KubeApi()
    found = kube.workload()
    found["spec"]["template"]["spec"]["containers"] = [
        {"name": "web", "image": "api:v1", "resources": {"limits": {"cpu": "1"}}},
        {"name": "proxy", "image": "proxy:v1", "resources": {"limits": {"cpu": "100m"}}},
    ]
    api.put(kube.DEPLOYMENTS, found)
    ref = WorkloadRef("main", kube.NAMESPACE, DEPLOYMENT.kind, "api", container)
    async with cluster_on(api, tmp_path) as cluster:
        assert (await cluster.observe(ref)).cpu_cores == cores
