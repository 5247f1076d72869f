"""What a write does, as the API server has it: names, versions, generations, preconditions, and how objects go."""

import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.sandbox.kubernetes import resources
from bot.sandbox.kubernetes.defaults import check, filled
from bot.sandbox.kubernetes.patches import Patch
from bot.sandbox.kubernetes.refusals import RefusalError, already_there, conflict, invalid, not_found
from bot.sandbox.kubernetes.resources import Key, Kind, Raw
from bot.sandbox.kubernetes.store import Record, Store
from bot.sandbox.kubernetes.timeline import Timeline, stamped

NAME = re.compile(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What made-up names consist of: no vowels, so no words (apimachinery, util/rand)."""

KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace")
FOREGROUND = "foregroundDeletion"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The options of a DELETE. `grace_s`: `None` is the pod's own."""

    policy: str = "Background"
    uid: str = ""
    resource_version: str = ""
    grace_s: int | None = None


class Objects:
    """Reads and writes of the API. Every method raises RefusalError. The same seed gives the same names."""

    def __init__(self, store: Store, timeline: Timeline, *, seed: int = 0) -> None:
        self.store, self.timeline = store, timeline
        self._random = random.Random(seed)

    def named(self, kind: Kind, key: Key) -> Record:
        """The object."""
        found = self.store.get(kind, key)
        if found is None:
            raise not_found(kind, key[1])
        return found

    def suffix(self, length: int = 5) -> str:
        """The end of a made-up name."""
        return "".join(self._random.choices(LETTERS, k=length))

    def create(self, kind: Kind, namespace: str, body: Raw, *, dry: bool = False) -> Record:
        """A new object; `dry`: only what would come of it."""
        metadata = {key: value for key, value in (body.get("metadata") or {}).items() if value is not None}
        name = metadata.get("name") or (metadata["generateName"] + self.suffix() if "generateName" in metadata else "")
        self._check_place(kind, namespace, name, metadata)
        made = {
            **metadata,
            "name": name,
            "uid": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            "creationTimestamp": self.timeline.stamp,
        }
        made |= {"namespace": namespace} if kind.namespaced else {}
        made |= {"generation": 1} if kind.generations else {}
        for unwanted in ("resourceVersion", "deletionTimestamp", "managedFields", "selfLink"):
            made.pop(unwanted, None)
        raw = {"apiVersion": body.get("apiVersion") or kind.api_version, "kind": kind.kind, **body, "metadata": made}
        if kind in resources.KINDS and not kind.custom and kind is not resources.EVENTS:
            raw["status"] = {}
        raw = filled(kind, raw)
        check(kind, raw, None)
        return Record(kind, raw, self.store.version) if dry else self.store.put(kind, raw)

    def _check_place(self, kind: Kind, namespace: str, name: str, metadata: Raw) -> None:
        if not name:
            raise invalid(kind, "", "metadata.name: Required value: name or generateName is required")
        if not NAME.match(name):
            said = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
            raise invalid(kind, name, f'metadata.name: Invalid value: "{name}": {said}')
        if kind.namespaced:
            if metadata.get("namespace", namespace) != namespace:
                raise RefusalError(
                    400, "the namespace of the provided object does not match the namespace sent on the request"
                )
            self.named(resources.NAMESPACES, ("", namespace))
        if self.store.get(kind, (namespace if kind.namespaced else "", name)):
            raise already_there(kind, name)

    def patch(self, kind: Kind, key: Key, patch: Patch, *, subresource: str = "", dry: bool = False) -> Record:
        """Change it by a patch."""
        found = self.named(kind, key)
        return self._written(found, patch(found.raw), subresource, dry=dry)

    def update(self, kind: Kind, key: Key, body: Raw, *, subresource: str = "", dry: bool = False) -> Record:
        """Replace it."""
        return self._written(self.named(kind, key), body, subresource, dry=dry)

    def _written(self, found: Record, wanted: Raw, subresource: str, *, dry: bool) -> Record:
        kind, before = found.kind, found.raw
        given = wanted.get("metadata") or {}
        if given.get("resourceVersion") not in (None, "", before["metadata"]["resourceVersion"]):
            raise conflict(kind, found.key[1])
        if given.get("uid") not in (None, "", found.uid):
            said = f"Precondition failed: UID in precondition: {given['uid']}, UID in object meta: {found.uid}"
            raise conflict(kind, found.key[1], said)
        if given.get("name") not in (None, found.key[1]):
            raise RefusalError(400, "the name of the object does not match the name on the URL")
        kept = {key: before["metadata"][key] for key in KEPT if key in before["metadata"]}
        metadata = {key: value for key, value in given.items() if value is not None and key not in KEPT}
        metadata = {**metadata, "name": found.key[1], **kept}
        if subresource == "status":
            raw = {**before, "status": wanted.get("status") or {}}
        else:
            raw = {**wanted, "kind": kind.kind, "apiVersion": wanted.get("apiVersion") or kind.api_version}
            raw = filled(kind, {**raw, "metadata": metadata})
            if "status" in before and not kind.custom:
                raw["status"] = before["status"]
            check(kind, raw, before)
            raw["metadata"] = self._counted(kind, before, raw)
        return self._finished(raw, found) if not dry else Record(kind, raw, found.version)

    def _counted(self, kind: Kind, before: Raw, raw: Raw) -> Raw:
        metadata: Raw = raw["metadata"]
        if not kind.generations:
            return metadata
        ignored = ("metadata", "status")
        changed = {k: v for k, v in before.items() if k not in ignored} != {
            k: v for k, v in raw.items() if k not in ignored
        }
        if kind.annotated:
            changed |= (before["metadata"].get("annotations") or {}) != (metadata.get("annotations") or {})
        return {**metadata, "generation": metadata["generation"] + 1} if changed else metadata

    def _finished(self, raw: Raw, found: Record) -> Record:
        """Store it; what was only waiting for its finalizers is gone with the last of them."""
        record = self.store.put(found.kind, raw)
        metadata = record.raw["metadata"]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers") and found.kind is not resources.PODS:
            self.store.remove(record)
        return record

    def delete(self, kind: Kind, key: Key, options: Deletion, *, dry: bool = False) -> Record:
        """Ask for its end: at once, or when its containers have stopped, its dependents are gone (Foreground) or its
        finalizers are. The answer is the object as it was."""
        found = self.named(kind, key)
        metadata = found.raw["metadata"]
        bound = {"UID": (options.uid, found.uid), "ResourceVersion": (options.resource_version, str(found.version))}
        for what, (wanted, there) in bound.items():
            if wanted and wanted != there:
                said = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {there}"
                raise conflict(kind, key[1], said)
        if dry:
            return found
        if kind is resources.PODS and (grace := self._grace_s(found, options)):
            return found if metadata.get("deletionTimestamp") else self._mark(found, grace)
        if options.policy == "Orphan":
            self._orphan(found)
        if options.policy == "Foreground" and self.store.owned(found.uid):
            finalizers = [*(metadata.get("finalizers") or ()), FOREGROUND]
            return self._mark(found, 0, {"finalizers": list(dict.fromkeys(finalizers))})
        if metadata.get("finalizers"):
            return found if metadata.get("deletionTimestamp") else self._mark(found, 0)
        self.store.remove(found)
        return found

    def _grace_s(self, found: Record, options: Deletion) -> int:
        spec, status = found.raw.get("spec") or {}, found.raw.get("status") or {}
        if status.get("phase") in ("Succeeded", "Failed") or not spec.get("nodeName"):
            return 0
        own: int = spec.get("terminationGracePeriodSeconds", 30)
        return own if options.grace_s is None else options.grace_s

    def _mark(self, found: Record, grace_s: int, more: Mapping[str, object] | None = None) -> Record:
        metadata = {
            **found.raw["metadata"],
            "deletionTimestamp": stamped(self.timeline.now + timedelta(seconds=grace_s)),
            "deletionGracePeriodSeconds": grace_s,
            **(more or {}),
        }
        if found.kind.generations:
            metadata["generation"] += 1
        return self.store.put(found.kind, {**found.raw, "metadata": metadata})

    def _orphan(self, found: Record) -> None:
        for child in self.store.owned(found.uid):
            metadata = child.raw["metadata"]
            left = [one for one in metadata["ownerReferences"] if one["uid"] != found.uid]
            self.store.put(child.kind, {**child.raw, "metadata": {**metadata, "ownerReferences": left}})
