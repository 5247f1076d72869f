"""Events: what the cluster says about its objects. The same about the same object is counted, not repeated."""

from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.objects import Objects
from bot.sandbox.kubernetes.resources import Key, Raw
from bot.sandbox.kubernetes.store import Record

KEPT_FOR = timedelta(hours=1)
"""kube-apiserver's own --event-ttl."""


class Happenings:
    """Writes core/v1 Events."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._known: dict[tuple[str, str, str], Key] = {}

    def tell(self, about: Record, reason: str, message: str, *, warning: bool = False) -> None:
        """Something happened to an object."""
        store, stamp = self._objects.store, self._objects.timeline.stamp
        known = self._known.get((about.uid, reason, message))
        found = store.get(resources.EVENTS, known) if known else None
        if found is not None:
            store.put(found.kind, {**found.raw, "count": found.raw["count"] + 1, "lastTimestamp": stamp})
            return
        namespace, name = about.key
        if store.get(resources.NAMESPACES, ("", namespace)) is None:
            return
        made = self._objects.create(
            resources.EVENTS,
            namespace,
            {
                "metadata": {"generateName": f"{name}."},
                "involvedObject": _reference(about),
                "type": "Warning" if warning else "Normal",
                "reason": reason,
                "message": message,
                "count": 1,
                "firstTimestamp": stamp,
                "lastTimestamp": stamp,
            },
        )
        self._known[about.uid, reason, message] = made.key
        self._objects.timeline.after(KEPT_FOR, lambda: self._expire(made, about.uid, reason, message))

    def _expire(self, made: Record, uid: str, reason: str, message: str) -> None:
        self._known.pop((uid, reason, message), None)
        self._objects.store.remove(made)


def _reference(about: Record) -> Raw:
    metadata = about.raw["metadata"]
    kept = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion") if key in metadata}
    return {"apiVersion": about.kind.api_version, "kind": about.kind.kind, **kept}
