"""The audit journal: every entry carries the hash of the one before, so that none can be changed or dropped unseen."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.json import Json, canonical

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the journal. `actor` is a user id or `sluice`; `subject` a run id, a target or a channel."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: Json = None


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """An entry in its place: `number` counts from 1, `hash` covers the entry, its number and `previous`."""

    number: int
    entry: AuditEntry
    previous: str
    hash: str


def chain(entry: AuditEntry, *, after: ChainedEntry | None) -> ChainedEntry:
    """Put an entry behind `after`, or first when that is `None`."""
    number, previous = (after.number + 1, after.hash) if after else (1, GENESIS)
    return ChainedEntry(number, entry, previous, _hash(number, entry, previous))


def first_break(entries: Iterable[ChainedEntry]) -> int | None:
    """The number of the first entry that does not fit the chain; `None` when all do."""
    before: ChainedEntry | None = None
    for entry in entries:
        if entry != chain(entry.entry, after=before):
            return entry.number
        before = entry
    return None


def _hash(number: int, entry: AuditEntry, previous: str) -> str:
    return hashlib.sha256(canonical([number, entry, previous]).encode()).hexdigest()
