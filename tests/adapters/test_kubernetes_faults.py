"""What pods' status says is wrong with them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.kubernetes_faults import Patience, faults, pod_faults
from bot.adapters.kubernetes_objects import read
from bot.adapters.kubernetes_pod_objects import Pod
from bot.adapters.kubernetes_workload_objects import Workload
from bot.ports.cluster import Fault, FaultKind
from tests.adapters import kube_objects as kube

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PATIENCE = Patience(NOW)
FAILED = {"exitCode": 1, "reason": "Error", "finishedAt": "2026-03-02T08:59:58Z"}
KILLED = {"exitCode": 137, "reason": "OOMKilled"}
WELL = {"exitCode": 0, "reason": "Completed"}


def running(since: str = "2026-03-02T08:59:59Z") -> dict[str, Any]:
    """The state of a container that runs since then."""
    return {"running": {"startedAt": since}, "waiting": None}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """The state of a container that does not run."""
    return {"waiting": {"reason": reason, "message": message}}


def found(*containers: dict[str, Any], patience: Patience = PATIENCE, **pod: Any) -> list[Fault]:
    """The faults of a pod with these containers."""
    status = {"containerStatuses": list(containers), **pod.pop("status", {})}
    return pod_faults(read(Pod, kube.pod(status=status, **pod)), patience)


def kinds(seen: list[Fault]) -> list[tuple[FaultKind, bool]]:
    """Kind and hopelessness."""
    return [(fault.kind, fault.hopeless) for fault in seen]


@pytest.mark.parametrize(
    ("reason", "kind", "hopeless"),
    [
        ("ErrImagePull", FaultKind.IMAGE_PULL, False),
        ("ImagePullBackOff", FaultKind.IMAGE_PULL, True),
        ("InvalidImageName", FaultKind.IMAGE_PULL, True),
        ("CreateContainerConfigError", FaultKind.CONFIG, True),
        ("CreateContainerError", FaultKind.CONFIG, True),
        ("RunContainerError", FaultKind.CONFIG, True),
    ],
)
def test_what_a_container_waits_for(reason: str, kind: FaultKind, hopeless: bool) -> None:
    """The kubelet's reasons, with its message."""
    assert found(kube.container(waiting(reason, "because"))) == [
        Fault(kind, "because", "api-1-x", "app", hopeless=hopeless)
    ]


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", ""])
def test_a_container_that_is_being_made_has_no_fault(reason: str) -> None:
    """It is on its way."""
    assert found(kube.container(waiting(reason))) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (kube.container(waiting("CrashLoopBackOff"), last=FAILED), [(FaultKind.CRASH_LOOP, True)]),
        (kube.container(waiting("CrashLoopBackOff"), last=WELL, restarts=4), [(FaultKind.CRASH_LOOP, True)]),
        (kube.container(waiting("CrashLoopBackOff")), [(FaultKind.CRASH_LOOP, True)]),
        (kube.container({"terminated": FAILED}), [(FaultKind.CRASH_LOOP, False)]),
        (kube.container({"terminated": FAILED}, restarts=2), [(FaultKind.CRASH_LOOP, True)]),
        (kube.container(running(), last=FAILED, restarts=1), []),
        (kube.container(running(), last=FAILED, restarts=2), [(FaultKind.CRASH_LOOP, True)]),
        (kube.container(running(), last=WELL, restarts=3), []),
        (kube.container(waiting("CrashLoopBackOff"), last=KILLED), [(FaultKind.OOM_KILLED, True)]),
        (kube.container({"terminated": KILLED}), [(FaultKind.OOM_KILLED, False)]),
        (kube.container(running(), last=KILLED, restarts=2), [(FaultKind.OOM_KILLED, True)]),
        (kube.container(running(), last=KILLED, restarts=9, ready=True), []),
    ],
)
def test_a_container_that_ends_again_and_again(status: dict[str, Any], expected: list[tuple[FaultKind, bool]]) -> None:
    """Hopeless once the kubelet backs off or it has restarted twice; one that is ready now has got over it."""
    assert kinds(found(status)) == expected


def test_a_crash_says_what_is_known() -> None:
    """Exit code, restarts, and when it ended."""
    fault = found(kube.container(waiting("CrashLoopBackOff"), last=FAILED, restarts=3))[0]
    assert fault.message == "container app exited with 1, restarted 3 times"
    assert fault.since == datetime(2026, 3, 2, 8, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spec", "since", "faulty"),
    [
        ({}, "08:59:36", False),
        ({}, "08:59:34", True),
        ({"readinessProbe": {"initialDelaySeconds": 30}}, "08:59:06", False),
        ({"readinessProbe": {"initialDelaySeconds": 30}}, "08:59:04", True),
        ({"startupProbe": {"initialDelaySeconds": 5, "periodSeconds": 2, "failureThreshold": 15}}, "08:59:01", False),
        ({"startupProbe": {"initialDelaySeconds": 5, "periodSeconds": 2, "failureThreshold": 15}}, "08:58:59", True),
        ({"startupProbe": {}}, "08:59:06", False),
        ({"startupProbe": {}}, "08:59:04", True),
    ],
)
def test_a_container_that_does_not_get_ready(spec: dict[str, Any], since: str, faulty: bool) -> None:
    """25 s, and what its own probes allow: a start-up probe's whole budget, else the readiness probe's first delay."""
    pod = {"containers": [{"name": "app", "image": "api:v1", **spec}]}
    seen = found(kube.container(running(f"2026-03-02T{since}Z")), spec=pod)
    assert kinds(seen) == ([(FaultKind.NOT_READY, True)] if faulty else [])


def test_the_caller_decides_how_long_unready_is_too_long() -> None:
    """Nothing at 3 s of 5, a fault at 3 s of 2."""
    status = kube.container(running("2026-03-02T08:59:57Z"))
    assert found(status, patience=Patience(NOW, 5)) == []
    assert found(status, patience=Patience(NOW, 2))[0].message == "container app runs for 3 s and is not ready"


@pytest.mark.parametrize(
    ("reason", "since", "hopeless"),
    [
        ("Unschedulable", "2026-03-02T08:59:41Z", False),
        ("Unschedulable", "2026-03-02T08:59:40Z", True),
        ("SchedulingGated", "2026-03-02T08:00:00Z", False),
    ],
)
def test_a_pod_without_a_node(reason: str, since: str, hopeless: bool) -> None:
    """An autoscaler gets twenty seconds; a gate is somebody's wish to wait."""
    unplaced = kube.condition("PodScheduled", "False", reason, "0/3 nodes are available", since=since)
    fault = found(conditions=[unplaced])[0]
    assert (fault.kind, fault.message, fault.hopeless) == (FaultKind.UNSCHEDULABLE, "0/3 nodes are available", hopeless)


def test_init_containers_count() -> None:
    """A migration in an init container crashes; those that wait for it are not to blame."""
    crashing = kube.container(waiting("CrashLoopBackOff"), last=FAILED, name="migrate")
    seen = found(kube.container(waiting("PodInitializing")), status={"initContainerStatuses": [crashing]})
    assert [(fault.kind, fault.container) for fault in seen] == [(FaultKind.CRASH_LOOP, "migrate")]


def test_an_init_container_at_work_is_not_unready() -> None:
    """Init containers are never ready before they end."""
    at_work = kube.container(running("2026-03-02T08:00:00Z"), name="migrate")
    assert found(status={"initContainerStatuses": [at_work]}) == []


@pytest.mark.parametrize(
    "pod",
    [{"metadata": {"deletionTimestamp": "2026-03-02T09:00:00Z"}}, {"status": {"phase": "Failed", "reason": "Evicted"}}],
)
def test_a_pod_that_is_replaced_has_no_faults(pod: dict[str, Any]) -> None:
    """It is going, or it was evicted."""
    crashing = kube.container(waiting("CrashLoopBackOff"), last=FAILED)
    status = {"containerStatuses": [crashing], **pod.get("status", {})}
    assert pod_faults(read(Pod, kube.pod(metadata=pod.get("metadata"), status=status)), PATIENCE) == []


@pytest.mark.parametrize(("since", "hopeless"), [("2026-03-02T08:59:50Z", False), ("2026-03-02T08:59:30Z", True)])
def test_pods_that_cannot_be_made(since: str, hopeless: bool) -> None:
    """Quota: the ReplicaSet says so; an old pod that ends may free some."""
    failure = kube.condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: small", since=since)
    newest = read(Workload, kube.replica_set(status={"conditions": [failure]}))
    seen = faults(read(Workload, kube.workload()), newest, [], PATIENCE)
    assert kinds(list(seen)) == [(FaultKind.QUOTA, hopeless)]
    assert seen[0].message == "exceeded quota: small"


def test_a_rollout_that_was_given_up() -> None:
    """The Deployment's own deadline."""
    over = kube.condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out progressing")
    deployment = read(Workload, kube.workload(status={"conditions": [over]}))
    assert kinds(list(faults(deployment, deployment, [], PATIENCE))) == [(FaultKind.DEADLINE, True)]


def test_the_most_telling_fault_comes_first() -> None:
    """Hopeless before hopeful, causes before symptoms."""
    over = kube.condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out")
    deployment = read(Workload, kube.workload(status={"conditions": [over]}))
    pods = [
        read(Pod, kube.pod("api-1-a", status={"containerStatuses": [kube.container(waiting("ErrImagePull"))]})),
        read(Pod, kube.pod("api-1-b", status={"containerStatuses": [kube.container(waiting("CrashLoopBackOff"))]})),
    ]
    seen = faults(deployment, deployment, pods, PATIENCE)
    assert [fault.kind for fault in seen] == [FaultKind.CRASH_LOOP, FaultKind.DEADLINE, FaultKind.IMAGE_PULL]
