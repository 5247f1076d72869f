"""One pass over one step of a run: arm it, execute it, and turn its outcome into the run's next state."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from bot import logs
from bot.domain.errors import FencedError, OverwriteError, PermanentError, TemporaryError, UsageError
from bot.domain.events import Event
from bot.domain.outcome import Failed, FailureCause, Inconclusive, Outcome, Pending, Succeeded, Voided
from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import PlannedStep
from bot.domain.run import Run
from bot.engine.ballots import Ballots, Count, close
from bot.engine.effects import landed, must_watch, overslept
from bot.engine.standing import asked_again, stands_in_the_way
from bot.engine.timing import AT_ONCE, LONGEST_ASK, LONGEST_LOOK, PAUSED_LOOK, RETRY, UNREADABLE_LOOK
from bot.ports.execution import Executors, StepContext

log = logs.get(__name__)

APPROVAL = "approval"
MOST_EDITIONS = 5
"""How often people are asked for one wish, if the world keeps changing under its plan."""

ENDS = {
    FailureCause.REJECTED: Phase.REJECTED,
    FailureCause.EXPIRED: Phase.EXPIRED,
    FailureCause.BROKEN: Phase.FAILED,
    FailureCause.REFUSED: Phase.REFUSED,
    FailureCause.OVERWRITTEN: Phase.FAILED,
}


@dataclass(frozen=True, slots=True)
class Moved:
    """What a pass made of a run. `wake_in` `None`: it is over."""

    run: Run
    wake_in: timedelta | None
    events: tuple[Event, ...] = ()


class Stepping:
    """Drives the executors of steps and gates, and the ballots."""

    def __init__(self, executors: Executors, ballots: Ballots, *, longest_ask: timedelta = LONGEST_ASK) -> None:
        self._executors = executors
        self._ballots = ballots
        self._longest_ask_s = longest_ask.total_seconds()

    async def step(self, run: Run, token: int, now: datetime) -> Moved:
        """One pass over the run's current step."""
        planned = run.current()
        if planned is None:
            raise RuntimeError(f"{run.id} has no step left")
        if run.step(planned.key).phase is StepPhase.PENDING:
            if run.pause and run.phase is Phase.RUNNING and not must_watch(run, planned):
                return Moved(run, PAUSED_LOOK)
            if planned.changes and run.phase is Phase.RUNNING:
                return await self._arm(run, planned, token, now)
        run, started = run.step_started(planned.key, at=now)
        if planned.kind == APPROVAL:
            count = await self._guard(self._ballots.reconcile(run, now), run)
        elif planned.changes and overslept(run, planned, now):
            return await self._after_sleep(run, planned, token, now)
        else:
            count = Count(run, await self.execute(run, planned, token, now))
        return self._counted(count, planned, now, started=started)

    def _counted(self, count: Count, planned: PlannedStep, now: datetime, *, started: tuple[Event, ...] = ()) -> Moved:
        """What an outcome means for the run."""
        if isinstance(count.outcome, Voided) and count.run.phase is Phase.RUNNING and not landed(count.run):
            return _asked_anew(count, now, started=started)
        if isinstance(count.outcome, Failed) and count.outcome.cause is FailureCause.REFUSED:
            return _refused(count, count.outcome, now)
        moved = self._ended(self.apply(count.run, planned, count.outcome, now), planned, count.outcome, now)
        return replace(moved, events=(*started, *count.events, *moved.events))

    async def ask(self, run: Run, gate: PlannedStep, token: int, now: datetime) -> Outcome:
        """One pass of a gate, beside the others: one whose server hangs keeps none of them from telling what they
        know."""
        try:
            async with asyncio.timeout(self._longest_ask_s):
                return await self.execute(run, gate, token, now)
        except TimeoutError:
            return Pending(f"no answer within {self._longest_ask_s:g} s", requeue_after=RETRY, blocked=True)

    async def execute(self, run: Run, planned: PlannedStep, token: int, now: datetime) -> Outcome:
        """One pass of an executor, with its errors made outcomes."""
        context = StepContext(run, planned, now, token, await self._ballots.consent(run, planned))
        try:
            return await self._executors.get(planned.kind).reconcile(context)
        except TemporaryError as exc:
            return Pending(str(exc), requeue_after=exc.retry_after or RETRY, blocked=True)
        except OverwriteError as exc:
            return Failed(str(exc), FailureCause.OVERWRITTEN)
        except (UsageError, PermanentError, FencedError) as exc:
            # A UsageError is the catalogue's, edited since the plan was made: nobody is there to type anything else.
            return Failed(str(exc).rstrip("."))

    async def halt(self, run: Run, token: int, now: datetime) -> Moved | None:
        """The run is to leave its present step: end what that started. `None`: nothing of it goes on by itself."""
        planned = run.current()
        if planned is None or not planned.changes or run.step(planned.key).phase is not StepPhase.RUNNING:
            return None
        try:
            await self._executors.effect(planned.kind).halt(StepContext(run, planned, now, token))
        except TemporaryError as exc:
            return Moved(replace(run, waiting_for=str(exc)), min(exc.retry_after or RETRY, LONGEST_LOOK))
        except PermanentError as exc:
            log.warning("step could not be halted", run_id=run.id, step=planned.key, error=str(exc))
        return None

    async def overwritten(self, run: Run, token: int, now: datetime) -> str:
        """Why what the run has changed no longer stands, as a clause; empty: it stands. Raises TemporaryError."""
        for planned in run.sealed_plan().steps:
            if planned.changes and run.step(planned.key).phase is StepPhase.SUCCEEDED:
                context = StepContext(run, planned, now, token)
                wrong = await self._executors.effect(planned.kind).overwritten(context)
                if wrong:
                    return wrong
        return ""

    def apply(self, run: Run, planned: PlannedStep, outcome: Outcome, now: datetime) -> Moved:
        """The run with one step's outcome in it; does not yet decide what that means for the run."""
        match self._in_time(run, planned, outcome, now):
            case Pending() as wait:
                return _wait(run, planned, wait, now)
            case Succeeded() as done:
                after, events = run.step_succeeded(planned.key, done, at=now)
                return Moved(after, AT_ONCE, events)
            case Failed() as failed:
                after, events = run.step_failed(planned.key, failed, at=now)
                return Moved(after, AT_ONCE, events)
            case Inconclusive(reason):
                after, events = run.paused(None, reason, at=now)
                return Moved(after, PAUSED_LOOK, events)
            case Voided(reason):
                after, events = run.step_failed(planned.key, Failed(reason), at=now)
                return Moved(after, AT_ONCE, events)

    async def _arm(self, run: Run, planned: PlannedStep, token: int, now: datetime) -> Moved:
        """Before the first effect: the approval and the standing gates must still hold, and the change is on record
        before it happens."""
        first = not run.changed
        count = await self._guard(self._holds(run, token, now), run) if first else Count(run, Succeeded())
        match count.outcome:
            case Succeeded():
                armed = replace(count.run, changed=True, waiting_for="")
                started, events = armed.step_started(planned.key, at=now)
                return Moved(started, AT_ONCE, (*count.events, *events))
            case Pending() as wait:
                return _held_up(count, wait)
            case Inconclusive(reason):
                paused, paused_events = count.run.paused(None, reason, at=now)
                return Moved(paused, PAUSED_LOOK, (*count.events, *paused_events))
            case Voided():
                return _asked_anew(count, now)
            case Failed():
                return self._counted(count, planned, now)
            case _:
                assert_never(count.outcome)

    async def _after_sleep(self, run: Run, planned: PlannedStep, token: int, now: datetime) -> Moved:
        """Armed, then asleep: if the effect had not landed before, the approval must still hold after."""
        context = StepContext(run, planned, now, token)
        count = await self._guard(self._landed_or_approved(context), run)
        if isinstance(count.outcome, Pending) and stands_in_the_way(count.run):
            # Nothing has landed, and nothing can land any more: the step is armed anew when the gate lets it.
            return _held_up(replace(count, run=count.run.disarmed(planned.key)), count.outcome)
        if isinstance(count.outcome, Succeeded):
            free = replace(count.run, waiting_for="")
            done = Count(free, await self.execute(free, planned, token, now))
            return self._counted(done, planned, now, started=count.events)
        if isinstance(count.outcome, Failed | Voided):
            # Nothing has landed, and what a former owner still sends is refused: nothing was changed.
            count = replace(count, run=replace(count.run, changed=False))
        return self._counted(count, planned, now)

    async def _landed_or_approved(self, context: StepContext) -> Count:
        try:
            if await self._executors.effect(context.step.kind).landed(context):
                return Count(context.run, Succeeded())
        except FencedError as exc:
            return Count(context.run, Voided(str(exc)))
        return await self._holds(context.run, context.token, context.now)

    async def _holds(self, run: Run, token: int, now: datetime) -> Count:
        """Whether people and standing gates still say yes, right before the first change."""
        count = await self._ballots.recheck(run, now)
        if not isinstance(count.outcome, Succeeded):
            return count
        stand = await asked_again(count.run, token, now, self.execute)
        events = (*count.events, *stand.events)
        if isinstance(stand.outcome, Pending):
            # The approval is not used yet: its clock runs on, and a vote may still be taken back.
            return Count(replace(stand.run, approval=run.approval), stand.outcome, events)
        if stand.waited and run.approval is None:
            drift = await self._ballots.drifted(run)  # with nobody asked, no recheck has looked at the world again
            return Count(stand.run, drift or stand.outcome, events)
        return Count(stand.run, stand.outcome, events)

    async def _guard(self, work: Awaitable[Count], run: Run) -> Count:
        """Whatever cannot be read about votes makes the run wait; it never passes, and is no failure of the release."""
        try:
            return await work
        except TemporaryError as exc:
            return Count(run, Pending(str(exc), requeue_after=exc.retry_after or RETRY, blocked=True))
        except PermanentError as exc:
            return Count(run, Pending(str(exc), requeue_after=UNREADABLE_LOOK, blocked=True))

    def _in_time(self, run: Run, planned: PlannedStep, outcome: Outcome, now: datetime) -> Outcome:
        if not isinstance(outcome, Pending):
            return outcome
        seen, gating = run.step(planned.key), run.phase is Phase.GATING
        if outcome.blocked and not gating:
            return outcome  # an outage is not the release's fault: once it is under way, it waits for its servers
        spent_s = (now - (seen.started_at or now)).total_seconds() if gating else seen.worked_s(now)
        if spent_s < planned.deadline.total_seconds():
            return outcome
        reason = f"not done within {int(planned.deadline.total_seconds())} s: {outcome.why}"
        return Failed(reason, picture=outcome.picture)

    def _ended(self, moved: Moved, planned: PlannedStep, outcome: Outcome, now: datetime) -> Moved:
        """What the end of a step means for the run."""
        run = moved.run
        step = run.step(planned.key)
        if step.phase is not StepPhase.FAILED:
            return moved
        if run.phase is Phase.RESTORING:
            run = replace(run, overwritten=isinstance(outcome, Failed) and outcome.cause is FailureCause.OVERWRITTEN)
            after, events = run.ended(Phase.FAILED, f"{run.reason}; and {planned.kind} failed: {step.why}", at=now)
            return Moved(after, None, (*moved.events, *events))
        cause = outcome.cause if isinstance(outcome, Failed) else FailureCause.BROKEN
        if cause is FailureCause.OVERWRITTEN and run.sealed_plan().traffic is None:
            after, events = replace(run, overwritten=True).ended(Phase.FAILED, step.why, at=now)
            return Moved(after, None, (*moved.events, *events))
        if run.changed and run.sealed_plan().on_failure:
            after, events = run.restoring(f"{planned.kind} failed: {step.why}", at=now)
            return Moved(after, AT_ONCE, (*moved.events, *events))
        reason = step.why if cause is not FailureCause.BROKEN else f"{planned.kind} failed: {step.why}"
        shut = close(run, reason, now, outcome=Failed(reason))
        after, events = shut.run.ended(ENDS[cause], reason, at=now)
        return Moved(after, None, (*moved.events, *shut.events, *events))


def _held_up(count: Count, wait: Pending) -> Moved:
    """Nothing is changed yet, and something keeps it from being: the run says what."""
    return Moved(replace(count.run, waiting_for=wait.why), wait.requeue_after, count.events)


def _refused(count: Count, failed: Failed, now: datetime) -> Moved:
    """A standing gate failed before anything was changed: the run ends as it does when a gate fails."""
    shut = close(count.run, failed.reason, now, outcome=failed)
    after, events = shut.run.ended(Phase.REFUSED, failed.reason, at=now)
    return Moved(after, None, (*count.events, *shut.events, *events))


def _asked_anew(count: Count, now: datetime, *, started: tuple[Event, ...] = ()) -> Moved:
    """The plan holds no more: plan and ask anew, unless people were asked too often for one wish already."""
    told = (*started, *count.events)
    if count.run.edition < MOST_EDITIONS:
        return Moved(count.run.replanned(at=now), AT_ONCE, told)
    why = count.outcome.reason if isinstance(count.outcome, Voided) else ""
    unchanged = replace(count.run, changed=False)
    after, events = unchanged.ended(Phase.EXPIRED, f"asked {MOST_EDITIONS} times; the last time {why}", at=now)
    return Moved(after, None, (*told, *events))


def _wait(run: Run, planned: PlannedStep, wait: Pending, now: datetime) -> Moved:
    seen = run.step(planned.key)
    # A changing step that waits without being blocked has made its effect, or found it there.
    if planned.changes and not wait.blocked and wait.memo is None and not seen.memo:
        wait = replace(wait, memo={"acted": True})
    after, events = run.step_waits(planned.key, wait, at=now)
    left = planned.deadline.total_seconds() - seen.worked_s(now)
    wishes = (wait.requeue_after, LONGEST_LOOK, *([timedelta(seconds=left)] if left > 0 else []))
    return Moved(after, min(wishes), events)
