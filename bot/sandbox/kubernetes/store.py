"""All objects, each write with a version of its own, and the recent history of writes."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.sandbox.kubernetes.resources import BY_KIND, Key, Kind, Raw

HISTORY = 4000
"""Writes of one kind that a watch may look back on; older ones are 410 Gone."""


@dataclass(frozen=True)
class Record:
    """One version of an object. Its texts are made once, however many ask for them."""

    kind: Kind
    raw: Raw
    version: int

    @cached_property
    def text(self) -> bytes:
        """The object as JSON."""
        return json.dumps(self.raw, separators=(",", ":")).encode()

    @cached_property
    def metadata_text(self) -> bytes:
        """Its metadata alone, as a PartialObjectMetadata."""
        head = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": self.raw["metadata"]}
        return json.dumps(head, separators=(",", ":")).encode()

    @property
    def key(self) -> Key:
        """Where it stands."""
        metadata = self.raw["metadata"]
        return metadata.get("namespace", ""), metadata["name"]

    @property
    def uid(self) -> str:
        """Its identity."""
        uid: str = self.raw["metadata"]["uid"]
        return uid


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `type` is ADDED, MODIFIED or DELETED; `before` is `None` for a new object."""

    type: str
    record: Record
    before: Record | None


class Store:
    """Objects by kind and key. `listeners` hear of every write, after it."""

    def __init__(self) -> None:
        self.version = 1000
        self.listeners: list[Callable[[Change], None]] = []
        self._records: dict[Kind, dict[Key, Record]] = {kind: {} for kind in BY_KIND.values()}
        self._history: dict[Kind, deque[Change]] = {kind: deque(maxlen=HISTORY) for kind in self._records}
        self._children: dict[str, dict[tuple[Kind, Key], None]] = {}

    def get(self, kind: Kind, key: Key) -> Record | None:
        """The object, if there is one."""
        return self._records[kind].get(key)

    def of(self, kind: Kind, namespace: str = "") -> list[Record]:
        """All of a kind in the order of their keys; an empty namespace: of all."""
        found = self._records[kind]
        return [found[key] for key in sorted(found) if not namespace or key[0] == namespace]

    def owned(self, uid: str, kind: Kind | None = None) -> list[Record]:
        """What names this owner, the oldest first."""
        found = [self._records[of][key] for of, key in self._children.get(uid, ()) if kind in (None, of)]
        return sorted(found, key=lambda record: record.raw["metadata"]["creationTimestamp"])

    def put(self, kind: Kind, raw: Raw) -> Record:
        """Store it under its own key. What changes nothing is no write."""
        metadata = raw["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        before = self._records[kind].get(key)
        if before is not None:
            raw = {**raw, "metadata": {**metadata, "resourceVersion": str(before.version)}}
            if raw == before.raw:
                return before
        record = self._versioned(kind, raw)
        self._records[kind][key] = record
        self._adopt(before, record)
        self._tell(Change("MODIFIED" if before else "ADDED", record, before))
        return record

    def remove(self, record: Record) -> None:
        """Take it away. Safe to repeat."""
        there = self._records[record.kind].get(record.key)
        if there is None or there.uid != record.uid:
            return
        del self._records[record.kind][record.key]
        self._adopt(there, None)
        self._tell(Change("DELETED", self._versioned(record.kind, there.raw), there))

    def since(self, kind: Kind, version: int) -> list[Change] | None:
        """The writes after a version, the oldest first; `None`: some of them are forgotten."""
        known = self._history[kind]
        if len(known) == HISTORY and version < known[0].record.version - 1:
            return None
        return [change for change in known if change.record.version > version]

    def forget(self) -> None:
        """Lose the history, as a compaction does: who is behind must list again."""
        for kind, known in self._history.items():
            self.version += 1
            known.clear()
            record = Record(kind, {"metadata": {"name": "", "uid": ""}}, self.version)
            known.extend([Change("FORGOTTEN", record, None)] * HISTORY)

    def _versioned(self, kind: Kind, raw: Raw) -> Record:
        self.version += 1
        return Record(
            kind, {**raw, "metadata": {**raw["metadata"], "resourceVersion": str(self.version)}}, self.version
        )

    def _adopt(self, before: Record | None, after: Record | None) -> None:
        old, new = _owners(before), _owners(after)
        record = after or before
        if old == new or record is None:
            return
        for uid in old - new:
            self._children[uid].pop((record.kind, record.key), None)
        for uid in new - old:
            self._children.setdefault(uid, {})[record.kind, record.key] = None

    def _tell(self, change: Change) -> None:
        self._history[change.record.kind].append(change)
        for listener in tuple(self.listeners):
            listener(change)


def _owners(record: Record | None) -> set[str]:
    owners = record.raw["metadata"].get("ownerReferences") or () if record else ()
    return {owner["uid"] for owner in owners}
