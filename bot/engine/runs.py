"""The verbs on a run. Each works inside a transaction of its caller, tells of it there, and wakes the run."""

from collections.abc import Callable

from bot.domain.errors import UsageError
from bot.domain.events import Event, ExemptionAsked, RunQueued, RunRequested
from bot.domain.ids import StepKey, UserId, run_id
from bot.domain.invocation import Invocation
from bot.domain.plan import Request
from bot.domain.run import Moved, Run
from bot.engine.record import record
from bot.ports.clock import Clock
from bot.ports.narrator import Narrator
from bot.ports.store import Transaction


class Runs:
    """Starts runs and writes wishes into them; never moves one: that is the reconciler's. A wish for a run that has
    ended meanwhile raises UsageError."""

    def __init__(self, *, clock: Clock, narrator: Narrator) -> None:
        self._clock = clock
        self._narrator = narrator

    async def request(self, tx: Transaction, request: Request, invocation: Invocation) -> Run:
        """Store a new run, in line for its target, before anything outside is touched."""
        now = self._clock.now()
        number = await tx.next_number(request.target)
        run = Run(run_id(request.target.service, request.target.environment, number), request, created_at=now)
        await tx.add_run(run, wake_at=request.not_before or now)
        events: list[Event] = [RunRequested(run.id, now, request.requester, invocation.text)]
        if request.exempt:
            events.append(ExemptionAsked(run.id, now, request.requester, request.exempt))
        ahead = (await tx.target_state(request.target)).ahead_of(run.id)
        if ahead:
            events.append(RunQueued(run.id, now, len(ahead), ahead[0]))
        await record(tx, events, self._narrator.tell(None, run, events), at=now)
        return run

    async def abort(self, tx: Transaction, run: Run, *, by: UserId, reason: str) -> Run:
        """Wish a run to stop; its next pass honours it. Safe to repeat."""
        now = self._clock.now()
        return await self._amend(tx, run, lambda held: held.abort_wished(by, reason, at=now))

    async def pause(self, tx: Transaction, run: Run, *, by: UserId | None, reason: str) -> Run:
        """Let a run begin no further step; `by` `None`: Sluice itself. Safe to repeat."""
        now = self._clock.now()
        return await self._amend(tx, run, lambda held: held.paused(by, reason, at=now))

    async def resume(self, tx: Transaction, run: Run, *, by: UserId) -> Run:
        """Let a paused run go on. Safe to repeat."""
        now = self._clock.now()
        return await self._amend(tx, run, lambda held: held.resumed(by, at=now))

    async def consent(self, tx: Transaction, run: Run, step: StepKey, *, by: UserId) -> Run:
        """Note that somebody lets a waiting step go on; its next pass counts who said so. Safe to repeat."""
        now = self._clock.now()
        return await self._amend(tx, run, lambda held: held.consented(step, by, at=now))

    async def _amend(self, tx: Transaction, run: Run, move: Callable[[Run], Moved]) -> Run:
        # Read anew and held: what somebody else wrote since `run` was read must not be written over.
        run = await tx.run(run.id, held=True) or run
        if run.phase.final:
            raise UsageError(f"`{run.id}` has ended meanwhile ({run.phase}); there is nothing left to act on.")
        amended, events = move(run)
        if events:
            now = self._clock.now()
            await tx.amend(amended)
            await tx.wake(run.id, at=now)
            await record(tx, events, self._narrator.tell(run, amended, events), at=now)
        return amended
