"""Freezes and locks: what people hold back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.engine import Row

from bot.domain.hold import Freeze, Lock
from bot.domain.ids import UserId
from bot.domain.target import Target
from bot.store.rows import FreezeRow, LockRow
from bot.store.tables import Tables

FREEZES = FreezeRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
LOCKS = LockRow.__table__  # type: ignore[attr-defined]  # the same


class HoldTables(Tables):
    """The part of a transaction that deals with what people hold back."""

    async def freeze(self, freeze: Freeze) -> None:
        said = {"by": freeze.by, "since": freeze.since, "until": freeze.until, "reason": freeze.reason}
        placed = self._insert(FREEZES).values(scope=freeze.scope, **said)
        await self._execute(placed.on_conflict_do_update(index_elements=["scope"], set_=said))

    async def unfreeze(self, scope: str) -> Freeze | None:
        row = await self._row(select(FREEZES).where(FREEZES.c.scope == scope).with_for_update())
        await self._execute(delete(FREEZES).where(FREEZES.c.scope == scope))
        return _freeze(row) if row else None

    async def freezes(self, at: datetime) -> Sequence[Freeze]:
        standing = select(FREEZES).where(or_(FREEZES.c.until.is_(None), FREEZES.c.until > at))
        return [_freeze(row) for row in await self._rows(standing.order_by(FREEZES.c.since, FREEZES.c.scope))]

    async def lock(self, lock: Lock) -> bool:
        row = {
            "service": lock.target.service,
            "environment": lock.target.environment,
            "owner": lock.owner,
            "since": lock.since,
            "reason": lock.reason,
            "reminded_at": lock.reminded_at,
        }
        return bool((await self._execute(self._insert(LOCKS).values(row).on_conflict_do_nothing())).rowcount)

    async def unlock(self, target: Target) -> Lock | None:
        row = await self._row(select(LOCKS).where(_is(target)).with_for_update())
        await self._execute(delete(LOCKS).where(_is(target)))
        return _lock(row) if row else None

    async def locked(self, target: Target) -> Lock | None:
        row = await self._row(select(LOCKS).where(_is(target)))
        return _lock(row) if row else None

    async def locks(self) -> Sequence[Lock]:
        in_order = select(LOCKS).order_by(LOCKS.c.since, LOCKS.c.service, LOCKS.c.environment)
        return [_lock(row) for row in await self._rows(in_order)]

    async def reminded(self, target: Target, *, at: datetime) -> None:
        await self._execute(update(LOCKS).where(_is(target)).values(reminded_at=at))


def _freeze(row: Row[Any]) -> Freeze:
    return Freeze(row.scope, UserId(row.by), row.since, row.until, row.reason)


def _lock(row: Row[Any]) -> Lock:
    return Lock(Target(row.service, row.environment), UserId(row.owner), row.since, row.reason, row.reminded_at)


def _is(target: Target) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = (LOCKS.c.service == target.service) & (LOCKS.c.environment == target.environment)
    return matches
