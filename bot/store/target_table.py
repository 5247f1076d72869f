"""Targets: one run each, the others wait in order."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from bot.domain.ids import RunId
from bot.domain.phase import Phase
from bot.domain.target import Target
from bot.ports.store import TargetState
from bot.store.run_table import RUNS, TARGETS
from bot.store.tables import Tables


class TargetTable(Tables):
    """The part of a transaction that deals with the locks of targets."""

    async def take_target(
        self, target: Target, run_id: RunId, *, at: datetime, past: Collection[RunId] = ()
    ) -> TargetState:
        unplaced = (RUNS.c.id == run_id) & RUNS.c.lined_up_at.is_(None)
        await self._execute(update(RUNS).where(unplaced).values(lined_up_at=at))
        state = await self.target_state(target)
        line = [waiting for waiting in state.waiting if waiting not in past]
        first = not line or line[0] == run_id
        if state.holder is None and first:
            held = {"holder": run_id, "since": at}
            await self._execute(update(TARGETS).where(_is(target), TARGETS.c.holder.is_(None)).values(held))
        return await self.target_state(target)

    async def free_target(self, target: Target, run_id: RunId) -> RunId | None:
        mine = _is(target) & (TARGETS.c.holder == run_id)
        await self._execute(update(TARGETS).where(mine).values(holder=None, since=None))
        state = await self.target_state(target)
        # Also one that only waited may have kept the next in line from its turn.
        return next((run for run in state.waiting if run != run_id), None) if state.holder is None else None

    async def target_state(self, target: Target) -> TargetState:
        row = await self._row(select(TARGETS).where(_is(target)).with_for_update())
        queued = (
            select(RUNS.c.id)
            .where(RUNS.c.service == target.service, RUNS.c.environment == target.environment)
            .where(RUNS.c.phase == str(Phase.QUEUED), RUNS.c.lined_up_at.is_not(None))
            .order_by(RUNS.c.lined_up_at, RUNS.c.number)
        )
        waiting = tuple(RunId(found.id) for found in await self._rows(queued))
        holder = RunId(row.holder) if row and row.holder else None
        return TargetState(target, holder, row.since if row else None, tuple(r for r in waiting if r != holder))


def _is(target: Target) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = (TARGETS.c.service == target.service) & (TARGETS.c.environment == target.environment)
    return matches
