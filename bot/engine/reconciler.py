"""One pass over one run: look at the world, do at most one idempotent thing, and commit everything in one
transaction.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import logs
from bot.domain.errors import PermanentError, TemporaryError, UnreachableError, UsageError
from bot.domain.events import Event
from bot.domain.phase import Phase, StepPhase
from bot.domain.release import restored_at
from bot.domain.run import Run
from bot.domain.target import WorkloadRef
from bot.engine.ballots import Ballots
from bot.engine.closing import close_run
from bot.engine.hints import Hints
from bot.engine.line import in_line, kept_back
from bot.engine.record import record
from bot.engine.stepping import Moved, Stepping
from bot.engine.timing import AT_ONCE, LONGEST_ASK, LONGEST_LOOK, PAUSED_LOOK, PLANNING_LIMIT, QUEUE_LOOK, RETRY
from bot.ports.clock import Clock
from bot.ports.execution import Executors
from bot.ports.narrator import Narrator, Telling
from bot.ports.planning import Planning
from bot.ports.store import Lease, Leased, Store, Transaction

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a reconciler works with."""

    clock: Clock
    store: Store
    narrator: Narrator
    planning: Planning
    executors: Executors
    ballots: Ballots
    hints: Hints
    longest_ask: timedelta = LONGEST_ASK


class Reconciler:
    """Moves runs, one pass at a time. Dying anywhere in a pass loses nothing: the next pass looks again."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._stepping = Stepping(needs.executors, needs.ballots, longest_ask=needs.longest_ask)

    async def reconcile(self, leased: Leased) -> None:
        """One pass. Raises FencedError when the run belongs to somebody newer; nothing was written then."""
        run, now = leased.run, self._needs.clock.now()
        for watched in _watched(run):
            self._needs.hints.watching(watched, run.id)
        if run.phase is Phase.QUEUED and not run.wish:
            await self._queue(leased, now)
            return
        moved = await self._move(run, leased.lease, now)
        tellings = self._needs.narrator.tell(run, moved.run, moved.events)
        async with self._needs.store.transaction() as tx:
            await self._commit(tx, leased, moved, tellings)

    # --- the line before a target ---

    async def _queue(self, leased: Leased, now: datetime) -> None:
        run, target = leased.run, leased.run.request.target
        async with self._needs.store.transaction() as tx:
            lock = await tx.locked(target)
            kept = lock is not None and not lock.lets(run.request.requester, run.request.verb)
            past = await kept_back(tx, target, lock) if lock and not kept else ()
            state = await (tx.target_state(target) if kept else tx.take_target(target, run.id, at=now, past=past))
            if state.holder == run.id:
                after, events = replace(run, waiting_for="").turn_came(at=now)
                moved = Moved(after, AT_ONCE, events)
            else:
                # Whoever frees the target wakes the next in line; this look only covers a lost wake-up.
                moved = Moved(replace(run, waiting_for=in_line(run, lock if kept else None)), QUEUE_LOOK)
            tellings = self._needs.narrator.tell(run, moved.run, moved.events)
            await self._commit(tx, leased, moved, tellings)

    # --- moving ---

    async def _move(self, run: Run, lease: Lease, now: datetime) -> Moved:
        if run.wish and run.phase is not Phase.RESTORING:
            return await self._stepping.halt(run, lease.token, now) or _stop(run, now)
        match run.phase:
            case Phase.PLANNING:
                return await self._plan(run, now)
            case Phase.GATING:
                return await self._gate(run, lease, now)
            case Phase.RUNNING | Phase.RESTORING:
                if run.current() is None:
                    return await self._finish(run, lease, now)
                return await self._stepping.step(run, lease.token, now)
        raise RuntimeError(f"{run.id} is {run.phase} and should not have been due")

    async def _finish(self, run: Run, lease: Lease, now: datetime) -> Moved:
        """No step is left. What the last message will say to run is looked at once more before it is said."""
        if run.phase is not Phase.RUNNING or restored_at(run):
            return _finish(run, now)
        try:
            wrong = await self._stepping.overwritten(run, lease.token, now)
        except TemporaryError as exc:
            return Moved(replace(run, waiting_for=str(exc)), min(exc.retry_after or RETRY, LONGEST_LOOK))
        if not wrong:
            return _finish(run, now)
        after, events = replace(run, overwritten=True).ended(Phase.FAILED, wrong, at=now)
        return Moved(after, None, events)

    async def _plan(self, run: Run, now: datetime) -> Moved:
        limit_s = self._needs.longest_ask.total_seconds()
        try:
            async with asyncio.timeout(limit_s):
                plan = await self._needs.planning.plan(run.request)
        except TimeoutError:
            late = UnreachableError(f"the servers that the plan needs have not answered within {limit_s:g} s")
            return _planning_waits(run, late, now)
        except TemporaryError as exc:
            return _planning_waits(run, exc, now)
        except (UsageError, PermanentError) as exc:
            after, events = run.ended(Phase.REFUSED, str(exc), at=now)
            return Moved(after, None, events)
        after, events = run.planned(plan, at=now)
        return Moved(after, AT_ONCE, events)

    async def _gate(self, run: Run, lease: Lease, now: datetime) -> Moved:
        gates = run.sealed_plan().gates
        open_gates = [g for g in gates if run.step(g.key).phase in (StepPhase.PENDING, StepPhase.RUNNING)]
        outcomes = await asyncio.gather(*(self._stepping.ask(run, g, lease.token, now) for g in open_gates))
        wake_in, events, after = timedelta.max, list[Event](), run
        for gate, outcome in zip(open_gates, outcomes, strict=True):
            after, started = after.step_started(gate.key, at=now)
            moved = self._stepping.apply(after, gate, outcome, now)
            events += [*started, *moved.events]
            after = moved.run
            if after.step(gate.key).phase is StepPhase.RUNNING and moved.wake_in is not None:
                wake_in = min(wake_in, moved.wake_in)  # one that has answered does not hurry the others
        if any(after.step(g.key).phase is StepPhase.RUNNING for g in gates):
            return Moved(after, wake_in, tuple(events))
        failed = [g for g in gates if after.step(g.key).phase is StepPhase.FAILED]
        if not failed:
            return Moved(after.gates_passed(), AT_ONCE, tuple(events))
        reason = "; ".join(f"gate {g.kind}: {after.step(g.key).why}" for g in failed)
        after, ended = after.ended(Phase.REFUSED, reason, at=now)
        return Moved(after, None, (*events, *ended))

    # --- recording ---

    async def _commit(self, tx: Transaction, leased: Leased, moved: Moved, tellings: Sequence[Telling]) -> None:
        before, after, now = leased.run, moved.run, self._needs.clock.now()
        wake_at = None if moved.wake_in is None else now + moved.wake_in
        await tx.save(after, before=before, lease=leased.lease, wake_at=wake_at)
        await record(tx, moved.events, tellings, at=now)
        if after.phase.final:
            await close_run(tx, after, now)
            for watched in _watched(after):
                self._needs.hints.forget(watched, after.id)
            log.info("run ended", run_id=after.id, phase=str(after.phase), reason=after.reason)


def _watched(run: Run) -> tuple[WorkloadRef, ...]:
    """The workloads of which a change may move a run: its own, and the canary beside it."""
    if run.plan is None:
        return ()
    return (run.plan.workload, run.plan.traffic.canary) if run.plan.traffic else (run.plan.workload,)


def _finish(run: Run, now: datetime) -> Moved:
    """No step is left: what was to be done is done."""
    if run.pause and run.pause.by is None:
        return Moved(run, PAUSED_LOOK)  # it could not tell; it ends when people have looked
    phase, reason = Phase.SUCCEEDED, run.reason
    if run.phase is Phase.RESTORING:
        restored = any(
            run.step(step.key).phase is StepPhase.SUCCEEDED
            for step in run.sealed_plan().on_failure
            if step.kind == "restore"
        )
        phase = Phase.RESTORED if restored else Phase.FAILED
        reason = reason if restored else f"{reason}; the runbook restores nothing"
    after, events = run.ended(phase, reason, at=now)
    return Moved(after, None, events)


def _stop(run: Run, now: datetime) -> Moved:
    """Honour the wish to stop: undo what was changed, or end at once where nothing was."""
    reason = f"aborted by <@{run.wish.by}>" + (f": {run.wish.reason}" if run.wish.reason else "") if run.wish else ""
    if run.changed and run.sealed_plan().on_failure:
        after, events = run.restoring(reason, at=now)
        return Moved(after, AT_ONCE, events)
    after, events = run.ended(Phase.FAILED if run.changed else Phase.ABORTED, reason, at=now)
    return Moved(after, None, events)


def _planning_waits(run: Run, exc: TemporaryError, now: datetime) -> Moved:
    """A server that the plan needs is away: wait for it, within the limit, and say so."""
    if now - (run.planning_since or now) > PLANNING_LIMIT:
        after, events = run.ended(Phase.REFUSED, f"gave up after an hour: {exc}", at=now)
        return Moved(after, None, events)
    return Moved(replace(run, waiting_for=str(exc)), min(exc.retry_after or RETRY, LONGEST_LOOK))
