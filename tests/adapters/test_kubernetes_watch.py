"""Hints come, also after the stream has been cut, refused or forgotten."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.adapters.kubernetes_cluster import KubernetesCluster, KubernetesClusters
from bot.adapters.kubernetes_login import Connection
from bot.domain.errors import NotFoundError
from bot.domain.target import WorkloadRef
from tests.adapters import kube_objects as kube
from tests.adapters.kube_api import KubeApi, kubeconfig, refused, serving
from tests.adapters.kube_cluster import DAEMON_SET, DEPLOYMENT, FENCE, STATEFUL_SET, cluster_on
from tests.adapters.test_kubernetes_jobs import SPEC, finished
from tests.fakes.clock import FakeClock

PATHS = {DEPLOYMENT: kube.DEPLOYMENTS, STATEFUL_SET: kube.STATEFULSETS, DAEMON_SET: kube.DAEMONSETS}


class Hints:
    """Waits for hints, so that no test sleeps."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[WorkloadRef] = asyncio.Queue()

    def __call__(self, ref: WorkloadRef) -> None:
        self._queue.put_nowait(ref)

    async def next(self) -> WorkloadRef:
        """The next hint, within five seconds."""
        async with asyncio.timeout(5):
            return await self._queue.get()

    def drop(self) -> None:
        """Forget those that have come."""
        while not self._queue.empty():
            self._queue.get_nowait()


class Begun:
    """Counts the watches that have begun."""

    def __init__(self, api: KubeApi) -> None:
        self._begun = asyncio.Semaphore(0)
        api.on_watch = self._begun.release

    async def streams(self, count: int) -> None:
        """Wait for so many more."""
        async with asyncio.timeout(5):
            for _ in range(count):
                await self._begun.acquire()


async def watching(
    cluster: KubernetesCluster, begun: Begun, ref: WorkloadRef = DEPLOYMENT, *, streams: int = 2
) -> Hints:
    """Watch `ref`; the hints, once its streams have begun and told that they have."""
    hints = Hints()
    cluster.watch(ref, hints)
    await begun.streams(streams)
    hints.drop()
    return hints


@pytest.mark.parametrize("ref", [DEPLOYMENT, STATEFUL_SET, DAEMON_SET])
async def test_a_change_of_the_workload_is_hinted(tmp_path: Path, ref: WorkloadRef) -> None:
    """By its kind's own stream; the container of the reference does not matter."""
    api = KubeApi()
    begun = Begun(api)
    async with cluster_on(api, tmp_path) as cluster:
        hints = await watching(cluster, begun, replace(ref, container="app"))
        api.put(PATHS[ref], kube.workload())
        assert await hints.next() == ref


@pytest.mark.parametrize(
    ("ref", "owner"),
    [
        (DEPLOYMENT, kube.owned_by("ReplicaSet", "api-5bbcc64f7c", "uid")),
        (STATEFUL_SET, kube.owned_by("StatefulSet", "api", "uid")),
        (DAEMON_SET, kube.owned_by("DaemonSet", "api", "uid")),
    ],
)
async def test_a_change_of_a_pod_is_hinted_for_its_workload(
    tmp_path: Path, ref: WorkloadRef, owner: dict[str, Any]
) -> None:
    """Found by the pod's controller; pods of others and of nobody are passed over."""
    api = KubeApi()
    begun = Begun(api)
    async with cluster_on(api, tmp_path) as cluster:
        hints = await watching(cluster, begun, ref)
        api.put(kube.PODS, kube.pod("web-1", owner=kube.owned_by("ReplicaSet", "web-5bbcc64f7c", "uid")))
        api.put(kube.PODS, kube.pod("alone", owner={"ownerReferences": []}))
        api.put(kube.PODS, kube.pod("odd", owner={"annotations": {"sluice.dev/workload": "castle/api"}}))
        api.put(kube.PODS, kube.pod("api-x", owner=owner))
        assert await hints.next() == ref
        assert hints._queue.empty()


async def test_a_jobs_end_is_hinted_for_its_workload(tmp_path: Path) -> None:
    """From the first Job on, by the mark that Sluice put on it."""
    api = KubeApi()
    begun = Begun(api)
    api.put(kube.DEPLOYMENTS, kube.workload())
    async with cluster_on(api, tmp_path) as cluster:
        hints = await watching(cluster, begun)
        await cluster.run_job(SPEC, FENCE)
        await begun.streams(1)
        hints.drop()
        over = finished("Complete")
        over["metadata"]["annotations"] = {"sluice.dev/workload": "deployment/api"}
        api.put(kube.JOBS, over)
        assert await hints.next() == DEPLOYMENT


async def test_one_stream_serves_all_workloads_of_a_namespace(tmp_path: Path) -> None:
    """However many are watched, and however often."""
    api = KubeApi()
    begun = Begun(api)
    async with cluster_on(api, tmp_path) as cluster:
        await watching(cluster, begun)
        other = replace(DEPLOYMENT, name="web")
        hints = Hints()
        cluster.watch(other, hints)
        cluster.watch(other, hints)
        api.put(kube.DEPLOYMENTS, {"metadata": {"name": "web"}})
        assert await hints.next() == other
        assert hints._queue.empty()
    assert len([request for request in api.requests if request.query.get("watch")]) == 2


async def test_many_streams_leave_room_for_questions(tmp_path: Path) -> None:
    """Each holds a connection for as long as the process lives."""
    api = KubeApi()
    begun, many = Begun(api), 60
    async with cluster_on(api, tmp_path) as cluster:
        for number in range(many):
            cluster.watch(replace(DEPLOYMENT, namespace=f"place-{number}"), Hints())
        await begun.streams(2 * many)
        with pytest.raises(NotFoundError):
            await cluster.observe(DEPLOYMENT)


async def test_a_listener_hears_of_every_watched_workload(tmp_path: Path) -> None:
    """Whatever function the watch itself was asked with."""
    api, listener = KubeApi(), Hints()
    begun = Begun(api)
    async with cluster_on(api, tmp_path, listener=listener) as cluster:
        cluster.watch(DEPLOYMENT, lambda _: None)
        await begun.streams(2)
        listener.drop()
        api.put(kube.DEPLOYMENTS, kube.workload())
        assert await listener.next() == DEPLOYMENT


async def test_what_was_watched_before_opening_is_followed(tmp_path: Path) -> None:
    """The order in which the program is put together does not matter."""
    api, hints = KubeApi(), Hints()
    async with serving(api, tmp_path) as path:
        cluster = KubernetesCluster("main", Connection(path), FakeClock())
        cluster.watch(DEPLOYMENT, hints)
        async with cluster:
            assert await hints.next() == DEPLOYMENT


async def test_a_stream_that_ends_is_followed_on(tmp_path: Path) -> None:
    """From the version that it had come to: nothing is missed, and nothing listed again."""
    api = KubeApi()
    begun = Begun(api)
    async with cluster_on(api, tmp_path) as cluster:
        hints = await watching(cluster, begun)
        api.put(kube.DEPLOYMENTS, kube.workload())
        await hints.next()
        api.cut()
        await begun.streams(2)
        api.put(kube.DEPLOYMENTS, kube.workload())
        assert await hints.next() == DEPLOYMENT
    last = [request.query["resourceVersion"] for request in api.requests if request.query.get("watch")][-2:]
    assert sorted(last) == ["100", "101"]


@pytest.mark.parametrize(("code", "logged"), [(410, False), (500, True)])
async def test_an_error_on_the_stream_lists_anew(tmp_path: Path, code: int, logged: bool) -> None:
    """History that the server has forgotten is normal, anything else is logged; either way everybody is hinted."""
    api = KubeApi()
    begun = Begun(api)
    with capture_logs() as logs:
        async with cluster_on(api, tmp_path) as cluster:
            hints = await watching(cluster, begun)
            api.tell(kube.DEPLOYMENTS, "ERROR", {"kind": "Status", "code": code})
            assert await hints.next() == DEPLOYMENT
            await begun.streams(1)
    assert [line["event"] for line in logs] == ["watch interrupted"] * logged


async def test_a_bookmark_is_no_change(tmp_path: Path) -> None:
    """It only moves the version on."""
    api = KubeApi()
    begun = Begun(api)
    async with cluster_on(api, tmp_path) as cluster:
        hints = await watching(cluster, begun)
        api.tell(kube.DEPLOYMENTS, "BOOKMARK", {"metadata": {"name": "api", "resourceVersion": "900"}})
        api.cut()
        await begun.streams(2)
        assert hints._queue.empty()
    assert "900" in [request.query.get("resourceVersion") for request in api.requests]


async def test_an_unreachable_server_is_tried_again(tmp_path: Path) -> None:
    """Logged, with the pause."""
    api = KubeApi()
    begun = Begun(api)
    api.answers += [refused(503, "starting"), refused(503, "starting")]
    with capture_logs() as logs:
        async with cluster_on(api, tmp_path) as cluster:
            hints = Hints()
            cluster.watch(DEPLOYMENT, hints)
            await begun.streams(2)
            assert await hints.next() == DEPLOYMENT
    assert [(line["event"], line["retry_s"]) for line in logs] == [("watch interrupted", 0.01)] * 2


async def test_a_missing_right_is_told_once_and_tried_again(tmp_path: Path) -> None:
    """Two streams of one namespace are refused; somebody then grants the right."""
    api = KubeApi()
    begun = Begun(api)
    api.answers += [refused(403, "no"), refused(403, "no")]
    with capture_logs() as logs:
        async with cluster_on(api, tmp_path) as cluster:
            cluster.watch(DEPLOYMENT, Hints())
            await begun.streams(2)
    assert [line["event"] for line in logs] == ["watch refused"]
    assert "add the verb 'list'" in logs[0]["error"]


async def test_clusters_are_known_by_name(tmp_path: Path) -> None:
    """One that is down does not keep the others from opening; a slip lists those there are."""
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig("http://127.0.0.1:9"))
    async with KubernetesClusters(
        {"main": Connection(str(path)), "eu": Connection(str(path))}, FakeClock()
    ) as clusters:
        assert clusters.get("main") is not clusters.get("eu")
        with pytest.raises(NotFoundError, match="no cluster 'us'; the catalogue has eu, main"):
            clusters.get("us")
