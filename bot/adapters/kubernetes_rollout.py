"""How far a rollout is, decided as `kubectl rollout status` decides it. Pure."""

import copy
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_marks import PREFIX
from bot.adapters.kubernetes_pod_objects import Pod
from bot.adapters.kubernetes_workload_objects import Workload, WorkloadStatus
from bot.domain.json import canonical
from bot.domain.target import WorkloadKind


@dataclass(frozen=True, slots=True)
class Progress:
    """Pods wanted, of the newest revision, available of any revision, and all there are."""

    desired: int
    updated: int
    available: int
    total: int

    @property
    def complete(self) -> bool:
        """All pods wanted are new and available, and none is left over."""
        return self.updated == self.total == self.desired and self.available >= self.desired


def seen(workload: Workload) -> bool:
    """Whether the controller has seen the newest generation; until then its counts speak of the past."""
    return workload.status.observed_generation >= workload.metadata.generation


def progress(kind: WorkloadKind, workload: Workload) -> Progress:
    """The counts of the workload's own status."""
    status, observed = workload.status, seen(workload)
    match kind:
        case WorkloadKind.DEPLOYMENT | WorkloadKind.STATEFULSET:
            updated = status.updated_replicas if observed else 0
            return Progress(workload.spec.replicas, updated, _available(status), status.replicas)
        case WorkloadKind.DAEMONSET:
            updated = status.updated_number_scheduled if observed else 0
            total = status.current_number_scheduled
            return Progress(status.desired_number_scheduled, updated, status.number_available, total)
        case _:
            assert_never(kind)


def _available(status: WorkloadStatus) -> int:
    """StatefulSets count no available pods before Kubernetes 1.22: there, ready is all that is known."""
    return status.ready_replicas if status.available_replicas is None else status.available_replicas


def available_pods(pods: Iterable[Pod], *, now: datetime, min_ready_s: int) -> int:
    """How many of `pods` have been ready for as long as the workload asks (`minReadySeconds`)."""
    return sum(_is_available(pod, now - timedelta(seconds=min_ready_s)) for pod in pods)


def _is_available(pod: Pod, since: datetime) -> bool:
    ready = pod.condition("Ready")
    if ready is None or ready.status != "True" or pod.metadata.deletion_timestamp is not None:
        return False
    return ready.last_transition_time is None or ready.last_transition_time <= since


def template_sha256(template: Raw) -> str:
    """SHA-256 of a pod template as JSON, in hexadecimal, without annotations of ours: they change nothing that runs."""
    kept = copy.copy(template)
    metadata = {key: value for key, value in (kept.get("metadata") or {}).items() if value is not None}
    annotations = metadata.pop("annotations", None) or {}
    if own := {key: value for key, value in annotations.items() if not key.startswith(PREFIX)}:
        metadata["annotations"] = own
    kept["metadata"] = metadata
    return hashlib.sha256(canonical(kept).encode()).hexdigest()


def same_template(deployment: Raw, replica_set: Raw) -> bool:
    """Whether a ReplicaSet runs the Deployment's present template: equal but for the label the controller adds."""
    return _unhashed(deployment) == _unhashed(replica_set)


def _unhashed(template: Raw) -> Raw:
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != "pod-template-hash"}
    return {**template, "metadata": {**metadata, "labels": labels}}
