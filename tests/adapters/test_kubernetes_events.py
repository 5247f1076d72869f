"""Warnings and last lines as people read them."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import RefusedError, UnreachableError
from tests.adapters import kube_objects as kube
from tests.adapters.kube_api import KubeApi, refused
from tests.adapters.kube_cluster import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, cluster_on


def event(number: int, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    """A warning about an object, ten seconds old."""
    return {
        "metadata": {"name": f"event-{number}", "creationTimestamp": "2026-03-02T08:00:00Z"},
        "involvedObject": {"kind": kind, "name": name},
        "reason": "BackOff",
        "message": "Back-off restarting",
        "lastTimestamp": "2026-03-02T08:59:50Z",
        **fields,
    }


def deployed() -> KubeApi:
    """A Deployment with its set."""
    api = KubeApi()
    api.put(kube.DEPLOYMENTS, kube.workload())
    api.put(kube.REPLICASETS, kube.replica_set("api-1"))
    return api


async def warnings(api: KubeApi, folder: Path, *, limit: int = 8) -> tuple[str, ...]:
    """What the adapter tells."""
    async with cluster_on(api, folder) as cluster:
        return await cluster.recent_events(DEPLOYMENT, limit=limit)


async def test_a_warning_is_one_line(tmp_path: Path) -> None:
    """Reason, how often, what, about whom and when."""
    api = deployed()
    api.put(kube.EVENTS, event(1, "Pod", "api-1-x", count=4, message="Back-off\n  restarting"))
    assert await warnings(api, tmp_path) == ("BackOff ×4: Back-off restarting (pod/api-1-x, 10 s ago)",)


async def test_only_the_workload_its_set_and_its_pods_count(tmp_path: Path) -> None:
    """Not a neighbour with a longer name, nor pods of another set."""
    api = deployed()
    mine = [("Deployment", "api"), ("ReplicaSet", "api-1"), ("Pod", "api-1-x")]
    others = [("Deployment", "api-2"), ("ReplicaSet", "api-2"), ("Pod", "api-2-x"), ("Pod", "api-10"), ("Node", "api")]
    for number, (kind, name) in enumerate([*mine, *others]):
        api.put(kube.EVENTS, event(number, kind, name))
    told = " ".join(await warnings(api, tmp_path))
    assert all(f"({kind.lower()}/{name}," in told for kind, name in mine)
    assert not any(f"({kind.lower()}/{name}," in told for kind, name in others)


@pytest.mark.parametrize(
    ("times", "age"),
    [
        ({"lastTimestamp": "2026-03-02T08:57:00Z"}, "3 min ago"),
        ({"lastTimestamp": None, "eventTime": "2026-03-02T08:59:59.500000Z"}, "0 s ago"),
        ({"series": {"count": 3, "lastObservedTime": "2026-03-02T08:59:55Z"}}, "5 s ago"),
        ({"lastTimestamp": None}, "1 h ago"),
        ({"lastTimestamp": "2026-03-02T09:00:02Z"}, "0 s ago"),
    ],
)
async def test_an_events_time_is_the_newest_it_has(tmp_path: Path, times: dict[str, Any], age: str) -> None:
    """Both APIs write events, and each leaves out what the other has; a server's clock may be ahead."""
    api = deployed()
    api.put(kube.EVENTS, event(1, "Pod", "api-1-x", **times))
    assert age in (await warnings(api, tmp_path))[0]


async def test_the_newest_warnings_come_last(tmp_path: Path) -> None:
    """And the oldest are left out."""
    api = deployed()
    for second in (30, 10, 20):
        api.put(kube.EVENTS, event(second, "Pod", "api-1-x", lastTimestamp=f"2026-03-02T08:59:{second}Z", count=second))
    told = await warnings(api, tmp_path, limit=2)
    assert [line.partition(":")[0] for line in told] == ["BackOff ×20", "BackOff ×30"]


@pytest.mark.parametrize("ref", [STATEFUL_SET, DAEMON_SET])
async def test_pods_of_other_kinds_are_named_after_them(tmp_path: Path, ref: Any) -> None:
    """A StatefulSet's ordinals, a DaemonSet's random ends."""
    api = KubeApi()
    path = kube.STATEFULSETS if ref is STATEFUL_SET else kube.DAEMONSETS
    api.put(path, kube.workload(status={"updateRevision": "api-a"}))
    api.put(kube.REVISIONS, {"metadata": {"name": "api-a"}})
    api.put(kube.EVENTS, event(1, "Pod", "api-0"))
    async with cluster_on(api, tmp_path) as cluster:
        assert len(await cluster.recent_events(ref)) == 1


def crashed(restarts: int = 1) -> dict[str, Any]:
    """A pod between two lives."""
    last = {"exitCode": 1}
    return kube.pod("api-1-x", status={"containerStatuses": [kube.container(last=last, restarts=restarts)]})


async def lines(api: KubeApi, folder: Path, container: str = "app") -> tuple[str, ...]:
    """The last lines of the pod's container."""
    async with cluster_on(api, folder) as cluster:
        return await cluster.logs(DEPLOYMENT, "api-1-x", container)


async def test_a_crashing_container_speaks_of_its_former_life(tmp_path: Path) -> None:
    """The present one has not said anything yet."""
    api = KubeApi()
    api.put(kube.PODS, crashed())
    api.logs = {("api-1-x", "app", True): "start\npanic\n", ("api-1-x", "app", False): "start\n"}
    assert await lines(api, tmp_path) == ("start", "panic")


@pytest.mark.parametrize("previous", [None, ""])
async def test_without_a_former_life_the_present_one_speaks(tmp_path: Path, previous: str | None) -> None:
    """Its log was not kept, or is empty."""
    api = KubeApi()
    api.put(kube.PODS, crashed())
    api.logs = {("api-1-x", "app", False): "start\n"}
    if previous is not None:
        api.logs["api-1-x", "app", True] = previous
    assert await lines(api, tmp_path) == ("start",)


async def test_a_healthy_container_speaks_of_now(tmp_path: Path) -> None:
    """A restart that it got over is of no interest."""
    api = KubeApi()
    status = {"containerStatuses": [kube.container(last={"exitCode": 1}, restarts=1, ready=True)]}
    api.put(kube.PODS, kube.pod("api-1-x", status=status))
    api.logs = {("api-1-x", "app", True): "panic\n", ("api-1-x", "app", False): "x" * 1000}
    assert await lines(api, tmp_path) == ("x" * 300,)


async def test_a_container_that_never_ran_has_no_lines(tmp_path: Path) -> None:
    """The server answers 400."""
    api = KubeApi()
    api.put(kube.PODS, kube.pod("api-1-x"))
    assert await lines(api, tmp_path) == ()


@pytest.mark.parametrize(("code", "kind"), [(403, RefusedError), (503, UnreachableError)])
async def test_logs_that_may_not_be_read_are_no_empty_logs(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    """A missing right and a server that is away are told."""
    api = KubeApi()
    api.put(kube.PODS, kube.pod("api-1-x"))
    api.after_read = lambda: api.answers.append(refused(code, "no"))
    async with cluster_on(api, tmp_path) as cluster:
        with pytest.raises(kind):
            await cluster.logs(DEPLOYMENT, "api-1-x", "app")


async def test_a_pod_that_is_gone_has_no_lines(tmp_path: Path) -> None:
    """It was replaced between looking and asking."""
    assert await lines(KubeApi(), tmp_path) == ()
