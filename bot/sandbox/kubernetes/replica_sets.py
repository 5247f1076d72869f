"""The ReplicaSet controller: as many pods as wanted."""

from datetime import timedelta

from bot.sandbox.kubernetes.control import Control, condition_of, is_ready
from bot.sandbox.kubernetes.store import Record


class ReplicaSets:
    """Makes missing pods, ends surplus ones, counts."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def reconcile(self, found: Record) -> None:
        """One look at one set."""
        if found.raw["metadata"].get("deletionTimestamp"):
            return
        spec, control = found.raw["spec"], self._control
        pods = control.active_pods(found)
        for _ in range(spec["replicas"] - len(pods)):
            control.make_pod(found, spec["template"])
        if surplus := len(pods) - spec["replicas"]:
            for pod in sorted(pods, key=_worth)[: max(0, surplus)]:
                control.drop_pod(found, pod)
        self._count(found)

    def _count(self, found: Record) -> None:
        pods = self._control.active_pods(found)
        min_ready = timedelta(seconds=found.raw["spec"].get("minReadySeconds") or 0)
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": len(pods),
            "readyReplicas": sum(is_ready(pod.raw) for pod in pods),
            "availableReplicas": sum(self._control.is_available(pod, min_ready) for pod in pods),
        }
        self._control.status(found, {key: many for key, many in status.items() if many or key == "replicas"})


def _worth(pod: Record) -> tuple[bool, bool, str]:
    """Those that are worth least end first: not running, not ready, the shortest time ready, the youngest."""
    running = (pod.raw.get("status") or {}).get("phase") == "Running"
    ready = condition_of(pod.raw, "Ready") or {}
    age = str(ready.get("lastTransitionTime") or pod.raw["metadata"]["creationTimestamp"])
    return running, is_ready(pod.raw), "".join(chr(0x7F - ord(letter)) for letter in age)
