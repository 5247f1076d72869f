"""Events: what the cluster says about its objects. The same about the same object is counted, not repeated."""

from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.objects import Objects
from bot.sandbox.kubernetes.resources import Key, Raw
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.timeline import moment_of

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
        self._expire_later(made, (about.uid, reason, message), KEPT_FOR)

    def _expire_later(self, made: Record, known: tuple[str, str, str], delay: timedelta) -> None:
        """Each time that it happens again it is kept for as long anew."""

        def expire() -> None:
            found = self._objects.store.get(resources.EVENTS, made.key)
            left = (
                moment_of(found.raw["lastTimestamp"]) + KEPT_FOR - self._objects.timeline.now if found else timedelta()
            )
            if left > timedelta():
                self._expire_later(made, known, left)
                return
            self._known.pop(known, None)
            self._objects.store.remove(made)

        self._objects.timeline.after(delay, expire)


def _reference(about: Record) -> Raw:
    metadata = about.raw["metadata"]
    kept = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion") if key in metadata}
    return {"apiVersion": about.kind.api_version, "kind": about.kind.kind, **kept}
