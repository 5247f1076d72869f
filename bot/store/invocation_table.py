"""What was heard, once each, in order."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.errors import FencedError
from bot.domain.invocation import Invocation
from bot.ports.store import Heard
from bot.store.mapping import INVOCATION, text_of
from bot.store.rows import InvocationRow
from bot.store.tables import Tables

INVOCATIONS = InvocationRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time

LONGEST_KEY = 200


class InvocationTable(Tables):
    """The part of a transaction that deals with invocations."""

    async def hear(self, invocation: Invocation) -> bool:
        stored = await self._execute(heard(invocation, self._connection.dialect.name))
        return bool(stored.rowcount)

    async def unhandled(self, now: datetime, *, limit: int) -> Sequence[Heard]:
        due = select(INVOCATIONS).where(INVOCATIONS.c.due_at <= now).order_by(INVOCATIONS.c.number).limit(limit)
        rows = await self._rows(due)
        return [Heard(row.number, INVOCATION.validate_json(row.body), row.attempts) for row in rows]

    async def answered(self, dedupe_key: str) -> tuple[int, bool] | None:
        row = await self._row(select(INVOCATIONS).where(INVOCATIONS.c.dedupe_key == _bounded(dedupe_key)))
        return (row.number, row.handled_at is not None) if row else None

    async def handled(self, number: int, *, at: datetime) -> None:
        done = {"handled_at": at, "due_at": None}
        waiting = (INVOCATIONS.c.number == number) & INVOCATIONS.c.handled_at.is_(None)
        if not (await self._execute(update(INVOCATIONS).where(waiting).values(done))).rowcount:
            raise FencedError(f"invocation {number} has been handled by somebody else")

    async def postpone(self, number: int, *, until: datetime) -> None:
        later = {"due_at": until, "attempts": INVOCATIONS.c.attempts + 1}
        await self._execute(update(INVOCATIONS).where(INVOCATIONS.c.number == number).values(later))


def _bounded(key: str) -> str:
    # A command line can be longer than an index entry may be.
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def heard(invocation: Invocation, dialect: str) -> Insert:
    """The statement that keeps an invocation; it inserts nothing when the dedupe key is there: a redelivery."""
    row = {
        "dedupe_key": _bounded(invocation.dedupe_key),
        "body": text_of(INVOCATION, invocation),
        "due_at": invocation.received_at,
        "attempts": 0,
    }
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Insert = insert(INVOCATIONS).values(row).on_conflict_do_nothing(index_elements=["dedupe_key"])
    return statement
