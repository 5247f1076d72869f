"""What a person sees of the cluster at a glance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.behaviours import tag_of
from bot.sandbox.kubernetes.control import is_ready
from bot.sandbox.kubernetes.deployments import REVISION
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.routing import weights
from bot.sandbox.kubernetes.store import Record, Store


@dataclass(frozen=True, slots=True)
class PodShown:
    """A pod. `state` is what `kubectl get pods` says: Running, CrashLoopBackOff, Terminating."""

    name: str
    state: str
    ready: bool
    restarts: int
    image: str


@dataclass(frozen=True, slots=True)
class DeploymentShown:
    """A Deployment with its pods, oldest revision first. `weight`: the share of the requests that its Service gets by
    the router's object, in per cent; `None` where no Service of its name is routed."""

    namespace: str
    name: str
    image: str
    tag: str
    wanted: int
    ready: int
    revision: str
    weight: int | None
    pods: Sequence[PodShown]


def shown(store: Store) -> tuple[DeploymentShown, ...]:
    """All Deployments by namespace and name."""
    return tuple(_deployment(store, one) for one in store.of(resources.DEPLOYMENTS))


def _deployment(store: Store, found: Record) -> DeploymentShown:
    namespace, name = found.key
    pods = [pod for owned in store.owned(found.uid, resources.REPLICA_SETS) for pod in store.owned(owned.uid)]
    image = found.raw["spec"]["template"]["spec"]["containers"][0]["image"]
    return DeploymentShown(
        namespace,
        name,
        image,
        tag_of(image),
        found.raw["spec"]["replicas"],
        found.raw["status"].get("readyReplicas", 0),
        (found.raw["metadata"].get("annotations") or {}).get(REVISION, ""),
        _weight(weights(store, namespace, name), name) if store.get(resources.SERVICES, found.key) else None,
        tuple(_pod(pod) for pod in pods),
    )


def _weight(given: Mapping[str, int], service: str) -> int:
    together = sum(given.values())
    return round(100 * given[service] / together) if together else 0


def _pod(pod: Record) -> PodShown:
    statuses: list[Raw] = pod.raw["status"].get("containerStatuses") or []
    restarts = sum(one["restartCount"] for one in statuses)
    image = pod.raw["spec"]["containers"][0]["image"]
    return PodShown(pod.key[1], pod_state(pod.raw), is_ready(pod.raw), restarts, image)


def pod_state(raw: Raw) -> str:
    """One word for how a pod is."""
    if raw["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for one in raw["status"].get("containerStatuses") or ():
        for state in ("waiting", "terminated"):
            if reason := (one["state"].get(state) or {}).get("reason"):
                return str(reason)
    return str(raw["status"].get("phase", "Pending"))
