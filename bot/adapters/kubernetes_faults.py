"""Why pods do not come up, read from their status. Pure.

Reasons are the kubelet's (pkg/kubelet/container and pkg/kubelet/images name them); what is hopeless is our judgement:
what the kubelet has backed off from will not mend itself within a rollout.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.adapters.kubernetes_objects import Condition, condition
from bot.adapters.kubernetes_pod_objects import Container, ContainerStatus, Pod, Terminated
from bot.adapters.kubernetes_workload_objects import Workload
from bot.ports.cluster import Fault, FaultKind

READY_WITHIN_S = 25.0
SCHEDULING_GRACE = timedelta(seconds=20)
"""An autoscaler needs a moment to add a node, and quota frees itself when an old pod ends."""

RESTARTS_THAT_LOOP = 2

WAITING = {
    "ErrImagePull": (FaultKind.IMAGE_PULL, False),
    "RegistryUnavailable": (FaultKind.IMAGE_PULL, False),
    "ImagePullBackOff": (FaultKind.IMAGE_PULL, True),
    "InvalidImageName": (FaultKind.IMAGE_PULL, True),
    "ErrImageNeverPull": (FaultKind.IMAGE_PULL, True),
    "CrashLoopBackOff": (FaultKind.CRASH_LOOP, True),
    "CreateContainerConfigError": (FaultKind.CONFIG, True),
    "CreateContainerError": (FaultKind.CONFIG, True),
    "RunContainerError": (FaultKind.CONFIG, True),
}
"""Reasons of waiting containers: the fault, and whether it is hopeless."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The time, and how long a running container may be unready beyond what its probes allow."""

    now: datetime
    ready_within_s: float = READY_WITHIN_S


def faults(workload: Workload, newest: Workload, pods: Iterable[Pod], patience: Patience) -> tuple[Fault, ...]:
    """Everything wrong with the newest pods and with making them, the most telling first.

    `newest` is what creates the pods: the Deployment's ReplicaSet, or the workload itself.
    """
    found = [fault for pod in pods for fault in pod_faults(pod, patience)]
    found += _creation_faults(workload, newest, patience.now)
    order = list(FaultKind)
    return tuple(sorted(found, key=lambda fault: (not fault.hopeless, order.index(fault.kind), fault.pod)))


def pod_faults(pod: Pod, patience: Patience) -> list[Fault]:
    """What keeps one pod from being ready. A pod that is going away has no faults: it will be replaced."""
    if pod.metadata.deletion_timestamp is not None or pod.status.phase in ("Succeeded", "Failed"):
        return []
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return [_unschedulable(pod, scheduled, patience.now)]
    written = {container.name: container for container in (*pod.spec.init_containers, *pod.spec.containers)}
    found = [_container_fault(pod, status) for status in (*pod.status.init_container_statuses, *_main(pod))]
    found += [_unready(pod, written[status.name], status, patience) for status in _main(pod) if status.name in written]
    return [fault for fault in found if fault is not None]


def _main(pod: Pod) -> tuple[ContainerStatus, ...]:
    return pod.status.container_statuses


def _unschedulable(pod: Pod, scheduled: Condition, now: datetime) -> Fault:
    since = scheduled.last_transition_time
    return Fault(
        FaultKind.UNSCHEDULABLE,
        scheduled.message or scheduled.reason,
        pod.metadata.name,
        since=since,
        # A scheduling gate is somebody's decision to wait, not a lack of room.
        hopeless=scheduled.reason == "Unschedulable" and since is not None and now - since >= SCHEDULING_GRACE,
    )


def _container_fault(pod: Pod, status: ContainerStatus) -> Fault | None:
    """Why a container does not run; `None` for one that is ready: what it went through before does not matter."""
    if status.ready:
        return None
    waiting = status.state.waiting
    kind, hopeless = WAITING.get(waiting.reason, (None, False)) if waiting else (None, False)
    if waiting and kind and kind is not FaultKind.CRASH_LOOP:
        return Fault(kind, waiting.message or waiting.reason, pod.metadata.name, status.name, hopeless=hopeless)
    ended = status.state.terminated or status.last_state.terminated
    failed = ended is not None and (ended.exit_code != 0 or ended.reason == FaultKind.OOM_KILLED)
    # The kubelet backs off only from the second restart on; a container that ends well again and again loops, too.
    if kind is FaultKind.CRASH_LOOP or (failed and status.restart_count >= RESTARTS_THAT_LOOP):
        return _crash(pod, status, ended, hopeless=True)
    if failed and status.state.terminated:
        return _crash(pod, status, ended, hopeless=False)
    return None


def _crash(pod: Pod, status: ContainerStatus, ended: Terminated | None, *, hopeless: bool) -> Fault:
    killed = ended is not None and ended.reason == FaultKind.OOM_KILLED
    how = (
        "killed for using more memory than its limit" if killed else f"exited with {ended.exit_code if ended else '?'}"
    )
    return Fault(
        FaultKind.OOM_KILLED if killed else FaultKind.CRASH_LOOP,
        f"container {status.name} {how}, restarted {status.restart_count} times",
        pod.metadata.name,
        status.name,
        since=ended.finished_at if ended else None,
        hopeless=hopeless,
    )


def _unready(pod: Pod, written: Container, status: ContainerStatus, patience: Patience) -> Fault | None:
    """A container that has run for longer than it may without being ready."""
    running = status.state.running
    if running is None or running.started_at is None or status.ready or status.restart_count >= RESTARTS_THAT_LOOP:
        return None
    age_s = (patience.now - running.started_at).total_seconds()
    if age_s <= patience.ready_within_s + _probes_allow_s(written):
        return None
    message = f"container {status.name} runs for {age_s:.0f} s and is not ready"
    return Fault(FaultKind.NOT_READY, message, pod.metadata.name, status.name, since=running.started_at)


def _probes_allow_s(written: Container) -> int:
    """The time in which a container's own probes do not expect it to be ready."""
    if startup := written.startup_probe:
        return startup.initial_delay_seconds + startup.period_seconds * startup.failure_threshold
    return written.readiness_probe.initial_delay_seconds if written.readiness_probe else 0


def _creation_faults(workload: Workload, newest: Workload, now: datetime) -> list[Fault]:
    """Pods that could not even be made, and a rollout that its controller has given up."""
    found = []
    failure = condition(newest.status.conditions, "ReplicaFailure")
    if failure is not None and failure.status == "True" and failure.reason == FaultKind.QUOTA:
        since = failure.last_transition_time
        hopeless = since is not None and now - since >= SCHEDULING_GRACE
        found.append(Fault(FaultKind.QUOTA, failure.message, since=since, hopeless=hopeless))
    progressing = condition(workload.status.conditions, "Progressing")
    if progressing is not None and progressing.reason == FaultKind.DEADLINE:
        found.append(Fault(FaultKind.DEADLINE, progressing.message, since=progressing.last_transition_time))
    return found
