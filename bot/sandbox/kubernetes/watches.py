"""Streams of changes."""

import asyncio
import json
from datetime import datetime, timedelta

from bot.sandbox.kubernetes.paths import Place
from bot.sandbox.kubernetes.refusals import too_old
from bot.sandbox.kubernetes.selectors import Selected
from bot.sandbox.kubernetes.store import Change, Record, Store

LONGEST = timedelta(minutes=30)
"""How long a stream lasts that names no time of its own (kube-apiserver's --min-request-timeout)."""


class Watch:
    """One stream: `lines` are what its client is to be sent; `None` ends it."""

    def __init__(self, place: Place, selected: Selected, *, ends: datetime, metadata: bool) -> None:
        self.place, self.ends = place, ends
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._selected, self._metadata = selected, metadata

    def hear(self, change: Change) -> None:
        """Send what this client should know of a change: an object that is no longer selected is gone for it."""
        record, before = change.record, change.before
        if self.place.namespace and record.key[0] != self.place.namespace:
            return
        is_in = change.type != "DELETED" and self._selected(record.raw)
        was_in = before is not None and self._selected(before.raw)
        if is_in or was_in:
            kind = ("MODIFIED" if was_in else "ADDED") if is_in else "DELETED"
            self.send(kind, record)

    def send(self, kind: str, record: Record) -> None:
        """Send an object."""
        text = record.metadata_text if self._metadata else versioned(record, self.place)
        self.lines.put_nowait(b'{"type":"%s","object":%s}\n' % (kind.encode(), text))

    def mark(self, version: int) -> None:
        """Tell how far the client has come."""
        head = {"apiVersion": self.place.api_version, "kind": self.place.kind.kind}
        mark = {"type": "BOOKMARK", "object": {**head, "metadata": {"resourceVersion": str(version)}}}
        self.lines.put_nowait(json.dumps(mark).encode() + b"\n")


class Watches:
    """All streams that are open."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[Watch, bool] = {}
        store.listeners.append(self._hear)

    def open(self, watch: Watch, version: str, *, marks: bool) -> None:
        """Begin after a version; without one, with all that is there. Too old a version is an ERROR in the stream."""
        kind = watch.place.kind
        if version in ("", "0"):
            for record in self._store.of(kind, watch.place.namespace):
                watch.hear(Change("ADDED", record, None))
        else:
            missed = self._store.since(kind, int(version))
            if missed is None:
                status = too_old(int(version), self._store.version).status
                watch.lines.put_nowait(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
                watch.lines.put_nowait(None)
                return
            for change in missed:
                watch.hear(change)
        self._open[watch] = marks

    def close(self, watch: Watch) -> None:
        """Its client has gone. Safe to repeat."""
        self._open.pop(watch, None)

    def cut(self) -> None:
        """End all streams at once, as a server does that goes down."""
        for watch in self._open:
            watch.lines.put_nowait(None)
        self._open.clear()

    def expire(self, now: datetime) -> datetime | None:
        """End those whose time is over; when the next one's will be."""
        for watch in [one for one in self._open if one.ends <= now]:
            if self._open.pop(watch):
                watch.mark(self._store.version)
            watch.lines.put_nowait(None)
        return min((watch.ends for watch in self._open), default=None)

    def _hear(self, change: Change) -> None:
        for watch in self._open:
            if watch.place.kind is change.record.kind:
                watch.hear(change)


def versioned(record: Record, place: Place) -> bytes:
    """The object as JSON in the version that was asked for."""
    if record.raw.get("apiVersion") == place.api_version:
        return record.text
    return json.dumps({**record.raw, "apiVersion": place.api_version}).encode()
