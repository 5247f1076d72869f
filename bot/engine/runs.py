"""The verbs on a run. Each works inside a transaction of its caller, tells of it there, and wakes the run."""

from bot.domain.events import Event, RunQueued, RunRequested
from bot.domain.ids import StepKey, UserId, run_id
from bot.domain.invocation import Invocation
from bot.domain.plan import Request
from bot.domain.run import Run
from bot.engine.record import record
from bot.ports.clock import Clock
from bot.ports.narrator import Narrator
from bot.ports.store import Transaction


class Runs:
    """Starts runs and writes wishes into them; never moves one: that is the reconciler's."""

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
        ahead = (await tx.target_state(request.target)).ahead_of(run.id)
        if ahead:
            events.append(RunQueued(run.id, now, len(ahead), ahead[0]))
        await record(tx, events, self._narrator.tell(None, run, events), at=now)
        return run

    async def abort(self, tx: Transaction, run: Run, *, by: UserId, reason: str) -> Run:
        """Wish a run to stop; its next pass honours it. Safe to repeat."""
        return await self._amend(tx, run, run.abort_wished(by, reason, at=self._clock.now()))

    async def pause(self, tx: Transaction, run: Run, *, by: UserId | None, reason: str) -> Run:
        """Let a run begin no further step; `by` `None`: Sluice itself. Safe to repeat."""
        return await self._amend(tx, run, run.paused(by, reason, at=self._clock.now()))

    async def resume(self, tx: Transaction, run: Run, *, by: UserId) -> Run:
        """Let a paused run go on. Safe to repeat."""
        return await self._amend(tx, run, run.resumed(by, at=self._clock.now()))

    async def consent(self, tx: Transaction, run: Run, step: StepKey, *, by: UserId) -> Run:
        """Note that somebody lets a waiting step go on; its next pass counts who said so. Safe to repeat."""
        return await self._amend(tx, run, run.consented(step, by, at=self._clock.now()))

    async def _amend(self, tx: Transaction, run: Run, moved: tuple[Run, tuple[Event, ...]]) -> Run:
        amended, events = moved
        if events:
            now = self._clock.now()
            await tx.amend(amended)
            await tx.wake(run.id, at=now)
            await record(tx, events, self._narrator.tell(run, amended, events), at=now)
        return amended
