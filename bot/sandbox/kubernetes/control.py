"""What all controllers work with: the objects they own, and how they write without conflicts of their own."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.behaviours import Durations
from bot.sandbox.kubernetes.happenings import Happenings
from bot.sandbox.kubernetes.objects import LETTERS, Deletion, Objects
from bot.sandbox.kubernetes.resources import Kind, Raw
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.timeline import Timeline, moment_of


class Control:
    """Handed to every controller. `again` plans another look at an object."""

    def __init__(
        self, objects: Objects, happenings: Happenings, durations: Durations, again: Callable[[Record, timedelta], None]
    ) -> None:
        self.objects, self.happenings, self.durations, self.again = objects, happenings, durations, again
        self.store = objects.store

    @property
    def timeline(self) -> Timeline:
        """Where the time is."""
        return self.objects.timeline

    def owned(self, owner: Record, kind: Kind) -> list[Record]:
        """What it controls, the oldest first."""
        return [one for one in self.store.owned(owner.uid, kind) if _controller(one.raw) == owner.uid]

    def active_pods(self, owner: Record) -> list[Record]:
        """Its pods that are neither over nor on their way out."""
        return [one for one in self.owned(owner, resources.PODS) if is_active(one.raw)]

    def make_pod(
        self, owner: Record, template: Raw, *, name: str = "", labels: Mapping[str, str] | None = None
    ) -> Record:
        """A pod from a template; without a name it gets one."""
        written = template.get("metadata") or {}
        metadata: Raw = {"name": name or f"{owner.key[1]}-{self.objects.suffix()}"}
        metadata["labels"] = {**(written.get("labels") or {}), **(labels or {})}
        if written.get("annotations"):
            metadata["annotations"] = written["annotations"]
        metadata["ownerReferences"] = [reference(owner)]
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        made = self.objects.create(resources.PODS, owner.key[0], body)
        self.happenings.tell(owner, "SuccessfulCreate", f"Created pod: {made.key[1]}")
        return self.store.put(made.kind, {**made.raw, "status": {"phase": "Pending"}})

    def drop_pod(self, owner: Record, pod: Record) -> None:
        """Let a pod end as it likes to."""
        self.objects.delete(resources.PODS, pod.key, Deletion())
        self.happenings.tell(owner, "SuccessfulDelete", f"Deleted pod: {pod.key[1]}")

    def status(self, owner: Record, status: Raw) -> None:
        """Write what it found out."""
        if found := self.store.get(owner.kind, owner.key):
            status = {"observedGeneration": owner.raw["metadata"]["generation"], **status}
            self.store.put(owner.kind, {**found.raw, "status": status})

    def is_available(self, pod: Record, min_ready: timedelta) -> bool:
        """Whether it has been ready for so long; looks again when it will have been."""
        condition = condition_of(pod.raw, "Ready")
        if condition is None or condition["status"] != "True":
            return False
        waits = moment_of(condition["lastTransitionTime"]) + min_ready - self.timeline.now
        if min_ready and waits > timedelta():
            self.again(pod, waits)
            return False
        return True


def reference(owner: Record) -> Raw:
    """An owner reference to the controller of an object."""
    return {
        "apiVersion": owner.kind.api_version,
        "kind": owner.kind.kind,
        "name": owner.key[1],
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_active(raw: Raw) -> bool:
    """Whether a pod counts for its controller."""
    phase = (raw.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not raw["metadata"].get("deletionTimestamp")


def is_ready(raw: Raw) -> bool:
    """Whether a pod gets requests."""
    condition = condition_of(raw, "Ready")
    return condition is not None and condition["status"] == "True" and not raw["metadata"].get("deletionTimestamp")


def condition_of(raw: Raw, kind: str) -> Raw | None:
    """The condition of that type."""
    conditions: list[Raw] = (raw.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), None)


def conditioned(raw: Raw, stamp: str, wanted: Raw) -> list[Raw]:
    """An object's conditions with one more or another; its transition time is kept while its status is."""
    kept = [one for one in (raw.get("status") or {}).get("conditions") or [] if one["type"] != wanted["type"]]
    before = condition_of(raw, wanted["type"])
    if before and {key: before.get(key) for key in wanted} == wanted:
        return [*kept, before]
    same = before is not None and before["status"] == wanted["status"]
    since = before["lastTransitionTime"] if before and same else stamp
    return [*kept, {**wanted, "lastUpdateTime": stamp, "lastTransitionTime": since}]


def template_hash(template: Raw) -> str:
    """What tells the pods of one template from those of another, in the letters of which made-up names consist."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:10])


def _controller(raw: Raw) -> Any:
    owners = raw["metadata"].get("ownerReferences") or ()
    return next((one["uid"] for one in owners if one.get("controller")), None)
