"""The disruption controller: how many of the pods that a PodDisruptionBudget protects may be evicted now."""

import math

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.control import Control, is_active, is_ready
from bot.sandbox.kubernetes.selectors import matches
from bot.sandbox.kubernetes.store import Record


class Budgets:
    """Counts; evictions themselves are not served."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def reconcile(self, found: Record) -> None:
        """One look at one budget."""
        spec = found.raw.get("spec") or {}
        selector = spec.get("selector") or {}
        pods = [pod for pod in self._control.store.of(resources.PODS, found.key[0]) if is_active(pod.raw)]
        mine = [pod for pod in pods if matches(selector, pod.raw["metadata"].get("labels") or {})]
        healthy = sum(is_ready(pod.raw) for pod in mine)
        if "maxUnavailable" in spec:
            wanted = len(mine) - _share(spec["maxUnavailable"], len(mine))
        else:
            wanted = _share(spec.get("minAvailable", 1), len(mine))
        status = {
            "expectedPods": len(mine),
            "currentHealthy": healthy,
            "desiredHealthy": max(0, wanted),
            "disruptionsAllowed": max(0, healthy - max(0, wanted)),
        }
        self._control.status(found, status)


def _share(written: int | str, of: int) -> int:
    """Percentages are rounded up, for both bounds."""
    return written if isinstance(written, int) else math.ceil(of * int(written.removesuffix("%")) / 100)
