"""Runs and their leases. What is due is decided here, in SQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, exists, func, insert, or_, select, union_all, update

from bot.domain.errors import ConflictError, FencedError
from bot.domain.ids import RunId
from bot.domain.phase import ACTIVE, Phase
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.store import Backlog, Lease, Leased
from bot.store.mapping import CONSENT, PAUSE, RUN, WISH, run_of, text_of
from bot.store.rows import InvocationRow, LetterRow, RunRow, TargetRow, UtcDateTime
from bot.store.tables import Tables

RUNS = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
TARGETS = TargetRow.__table__  # type: ignore[attr-defined]  # the same
INVOCATIONS = InvocationRow.__table__  # type: ignore[attr-defined]  # the same
LETTERS = LetterRow.__table__  # type: ignore[attr-defined]  # the same
PARENTS = LETTERS.alias("parents")


class RunTable(Tables):
    """The part of a transaction that deals with runs."""

    async def next_number(self, target: Target) -> int:
        mine = (TARGETS.c.service == target.service) & (TARGETS.c.environment == target.environment)
        row = {"service": target.service, "environment": target.environment, "counter": 0}
        await self._execute(self._insert(TARGETS).values(row).on_conflict_do_nothing())
        counting = update(TARGETS).where(mine).values(counter=TARGETS.c.counter + 1).returning(TARGETS.c.counter)
        return int((await self._execute(counting)).scalar_one())

    async def add_run(self, run: Run, *, wake_at: datetime) -> None:
        row = _state(run, {}) | {
            "id": run.id,
            "number": int(run.id.rpartition("-")[2]),
            "service": run.request.target.service,
            "environment": run.request.target.environment,
            "created_at": run.created_at,
            "lined_up_at": None if run.request.not_before else run.created_at,
            "wake_at": wake_at,
            "token": 0,
        }
        await self._execute(insert(RUNS).values(row))

    async def run(self, run_id: RunId, *, held: bool = False) -> Run | None:
        row = await self._row(HELD if held else ONE, {"run": run_id})
        return run_of(row) if row else None

    async def runs(self, *, target: Target | None = None, active: bool | None = None, limit: int = 20) -> Sequence[Run]:
        query = select(RUNS).order_by(RUNS.c.created_at.desc(), RUNS.c.number.desc()).limit(limit)
        if target:
            query = query.where(RUNS.c.service == target.service, RUNS.c.environment == target.environment)
        if active is not None:
            going = RUNS.c.phase.in_(sorted(ACTIVE))
            query = query.where(going if active else ~going)
        return [run_of(row) for row in await self._rows(query)]

    async def save(self, run: Run, *, before: Run, lease: Lease, wake_at: datetime | None) -> None:
        row = await self._row(BESIDE, {"run": run.id})
        if row is None or row.token != lease.token:
            raise FencedError(f"{run.id} belongs to a newer owner than token {lease.token}")
        if run.phase is Phase.SUCCEEDED and row.wish and before.wish is None:
            raise ConflictError(f"somebody wished {run.id} to stop while it was about to succeed")
        changes: dict[str, Any] = {}
        if run.wish != before.wish:
            changes["wish"] = text_of(WISH, run.wish) if run.wish else None
        # A run that restores or ends pauses no longer, whatever was written meanwhile.
        moved_on = run.phase is not before.phase and (run.phase is Phase.RESTORING or run.phase.final)
        if run.pause != before.pause or moved_on:
            changes["pause"] = text_of(PAUSE, run.pause) if run.pause else None
        if run.consent != before.consent:
            changes["consent"] = text_of(CONSENT, run.consent) if run.consent else None
        if wake_at and row.hinted_at:
            wake_at = min(wake_at, row.hinted_at)
        freed = {"wake_at": wake_at, "hinted_at": None, "lease_owner": None, "lease_until": None}
        await self._execute(CHANGE, {"run": run.id, **_state(run, changes), **freed})

    async def amend(self, run: Run) -> None:
        changes = {
            "wish": text_of(WISH, run.wish) if run.wish else None,
            "pause": text_of(PAUSE, run.pause) if run.pause else None,
            "consent": text_of(CONSENT, run.consent) if run.consent else None,
        }
        await self._execute(CHANGE, {"run": run.id, **changes})

    async def wake(self, run_id: RunId, *, at: datetime) -> None:
        await self._execute(SOONER, {"run": run_id, "at": at})
        await self._execute(HINT, {"run": run_id, "hinted_at": at})

    async def lease_due(self, owner: str, now: datetime, *, duration: timedelta, limit: int) -> Sequence[Leased]:
        leased = []
        for row in await self._rows(LEASABLE, {"now": now, "most": limit}):
            # Also above every token of a life before this one, whose marks are still on the workloads.
            token = max(row.token + 1, int(now.timestamp()))
            lease = Lease(RunId(row.id), owner, token, now + duration)
            held = {"lease_owner": owner, "lease_until": lease.until, "token": lease.token, "hinted_at": None}
            await self._execute(CHANGE, {"run": row.id, **held})
            leased.append(Leased(run_of(row), lease))
        return leased

    async def runs_due(self, now: datetime) -> bool:
        return bool(await self._rows(RUNS_DUE, {"now": now}))

    async def next_due(self, now: datetime) -> datetime | None:
        return min((row.due for row in await self._rows(NEXT_DUE, {"now": now}) if row.due), default=None)

    async def backlog(self, now: datetime) -> Backlog:
        phases = await self._rows(select(RUNS.c.phase, func.count().label("many")).group_by(RUNS.c.phase))
        # A reply to a message that was dropped waits for nothing any more.
        lost = _under(PARENTS.c.ts.is_(None) & PARENTS.c.due_at.is_(None))
        waiting = select(func.count().label("many")).where(_undelivered(), LETTERS.c.due_at.is_not(None), ~lost)
        letters = await self._row(waiting)
        heard = await self._row(select(func.count().label("many")).where(INVOCATIONS.c.due_at.is_not(None)))
        # Also a run that somebody holds is late when nothing ever comes of its passes.
        oldest = await self._row(select(func.min(RUNS.c.wake_at).label("due")))
        late = now - oldest.due if oldest and oldest.due and oldest.due < now else timedelta(0)
        counts = {row.phase: int(row.many) for row in phases}
        return Backlog(counts, int(letters.many) if letters else 0, int(heard.many) if heard else 0, late)

    async def release_leases(self, owner: str | None) -> int:
        mine = RUNS.c.lease_owner.is_not(None) if owner is None else RUNS.c.lease_owner == owner
        freed = await self._execute(update(RUNS).where(mine).values(lease_owner=None, lease_until=None))
        claimed = LETTERS.c.claimed_by.is_not(None) if owner is None else LETTERS.c.claimed_by == owner
        await self._execute(update(LETTERS).where(claimed).values(claimed_by=None, claimed_until=None))
        return int(freed.rowcount)


def _free(now: "Moment") -> ColumnElement[bool]:
    return or_(RUNS.c.lease_owner.is_(None), RUNS.c.lease_until <= now)


def _undelivered() -> ColumnElement[bool]:
    return or_(LETTERS.c.delivered < LETTERS.c.wanted, LETTERS.c.seeded < LETTERS.c.seeds)


def _claimed(now: "Moment") -> ColumnElement[bool]:
    """Whether somebody delivers it just now."""
    return and_(LETTERS.c.claimed_until.is_not(None), LETTERS.c.claimed_until > now)


def _under(parent: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a message belongs to the thread of such a `parent`."""
    return exists().where(PARENTS.c.key == LETTERS.c.under, parent)


def _state(run: Run, extra: dict[str, Any]) -> dict[str, Any]:
    # What others write lives in columns of its own; a second copy here would come to differ.
    bare = run.amended(wish=None, pause=None, consent=None)
    return {"phase": str(run.phase), "state": text_of(RUN, bare), **extra}


def _next_due(now: "Moment") -> Executable:
    reachable = or_(LETTERS.c.under.is_(None), _under(PARENTS.c.ts.is_not(None)))
    held = LETTERS.c.due_at.is_not(None) & _claimed(now)
    return union_all(
        select(func.min(RUNS.c.wake_at).label("due")).where(RUNS.c.wake_at > now, _free(now)),
        select(func.min(RUNS.c.lease_until)).where(RUNS.c.wake_at.is_not(None), RUNS.c.lease_until > now),
        select(func.min(INVOCATIONS.c.due_at)).where(INVOCATIONS.c.due_at > now),
        select(func.min(LETTERS.c.due_at)).where(LETTERS.c.due_at > now, _undelivered(), reachable, ~_claimed(now)),
        select(func.min(LETTERS.c.claimed_until)).where(held, _undelivered(), reachable),
    )


Moment = datetime | ColumnElement[datetime]

# Built once; see `Tables`.
NOW: ColumnElement[datetime] = bindparam("now", type_=UtcDateTime())
RUNS_DUE = select(RUNS.c.id).where(RUNS.c.wake_at <= NOW, _free(NOW)).limit(1)
NEXT_DUE = _next_due(NOW)
LEASABLE = (
    select(RUNS)
    .where(RUNS.c.wake_at <= NOW, _free(NOW))
    .order_by(RUNS.c.wake_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
MINE = RUNS.c.id == bindparam("run")
ONE = select(RUNS).where(MINE)
HELD = ONE.with_for_update()
BESIDE = select(RUNS.c.token, RUNS.c.hinted_at, RUNS.c.wish).where(MINE).with_for_update()
CHANGE = update(RUNS).where(MINE)
"""To the columns that the values name."""

SOONER = update(RUNS).where(MINE, RUNS.c.wake_at > bindparam("at")).values(wake_at=bindparam("at"))
HINT = update(RUNS).where(MINE, RUNS.c.wake_at.is_not(None), RUNS.c.lease_owner.is_not(None))
