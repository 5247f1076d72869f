"""Kubernetes objects as an API server would send them; healthy by default, overridden by keyword."""

from typing import Any

Raw = dict[str, Any]

NAMESPACE = "staging"
DEPLOYMENTS = f"apis/apps/v1/namespaces/{NAMESPACE}/deployments"
STATEFULSETS = f"apis/apps/v1/namespaces/{NAMESPACE}/statefulsets"
DAEMONSETS = f"apis/apps/v1/namespaces/{NAMESPACE}/daemonsets"
REPLICASETS = f"apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
REVISIONS = f"apis/apps/v1/namespaces/{NAMESPACE}/controllerrevisions"
JOBS = f"apis/batch/v1/namespaces/{NAMESPACE}/jobs"
PODS = f"api/v1/namespaces/{NAMESPACE}/pods"
EVENTS = f"api/v1/namespaces/{NAMESPACE}/events"

LABELS = {"app": "api"}


def template(image: str = "api:v1", **spec: Any) -> Raw:
    """A pod template with one container `app`."""
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "app", "image": image}], **spec}}


def workload(
    *, spec: Raw | None = None, status: Raw | None = None, metadata: Raw | None = None, image: str = "api:v1"
) -> Raw:
    """A settled Deployment or StatefulSet of two pods."""
    settled = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    selector = {"matchLabels": LABELS}
    return {
        "metadata": {"name": "api", "uid": "uid-api", "generation": 1, **(metadata or {})},
        "spec": {"replicas": 2, "selector": selector, "template": template(image), **(spec or {})},
        "status": {**settled, **(status or {})},
    }


def daemon_set(*, status: Raw | None = None, **fields: Any) -> Raw:
    """A settled DaemonSet on two nodes."""
    settled = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2,
        "updatedNumberScheduled": 2,
        "numberAvailable": 2,
    }
    found = workload(**fields)
    return {**found, "spec": {**found["spec"], "replicas": None}, "status": {**settled, **(status or {})}}


def owned_by(kind: str, name: str, uid: str) -> Raw:
    """Metadata of what a controller has made."""
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": uid, "controller": True}]}


def replica_set(name: str = "api-1", *, image: str = "api:v1", status: Raw | None = None, uid: str = "uid-api") -> Raw:
    """A ReplicaSet of the Deployment, with the label its controller adds."""
    made = template(image)
    labels = {**LABELS, "pod-template-hash": name}
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, **owned_by("Deployment", "api", uid)},
        "spec": {"template": {**made, "metadata": {"labels": labels}}},
        "status": status or {},
    }


def pod(
    name: str = "api-1-x",
    *,
    owner: Raw | None = None,
    metadata: Raw | None = None,
    status: Raw | None = None,
    conditions: list[Raw] | None = None,
    spec: Raw | None = None,
) -> Raw:
    """A ready pod of `replica_set()`."""
    made = owner or owned_by("ReplicaSet", "api-1", "uid-api-1")
    ready = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-02T08:00:00Z"}]
    return {
        "metadata": {"name": name, "labels": LABELS, **made, **(metadata or {})},
        "spec": {"containers": [{"name": "app", "image": "api:v1"}], **(spec or {})},
        "status": {"phase": "Running", "conditions": ready if conditions is None else conditions, **(status or {})},
    }


def container(
    state: Raw | None = None, *, last: Raw | None = None, restarts: int = 0, ready: bool = False, name: str = "app"
) -> Raw:
    """An entry of `containerStatuses`."""
    return {
        "name": name,
        "ready": ready,
        "restartCount": restarts,
        "state": state or {},
        "lastState": {"terminated": last} if last else {},
    }


def condition(kind: str, status: str, reason: str, message: str, *, since: str = "2026-03-02T08:59:00Z") -> Raw:
    """An entry of `status.conditions`."""
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
