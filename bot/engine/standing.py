"""Standing gates: what they say must hold again right before the first change, so they are asked once more there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.events import Event
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.plan import PlannedStep
from bot.domain.run import Run
from bot.engine.timing import LONGEST_LOOK

A_MOMENT = timedelta(seconds=1)

Execute = Callable[[Run, PlannedStep, int, datetime], Awaitable[Outcome]]
"""One pass of a gate, its errors made outcomes."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What the standing gates of a plan say now. `waited`: one of them had held the run up before."""

    run: Run
    outcome: Pending | Failed | Succeeded
    events: tuple[Event, ...] = ()
    waited: bool = False


async def asked_again(run: Run, token: int, now: datetime, execute: Execute) -> Stand:
    """Ask every standing gate. The first that fails ends the run, the first that waits holds it up: until it passes, or
    until the approval expires, for which the run is looked at again in time."""
    standing = [gate for gate in run.sealed_plan().gates if gate.standing]
    answers = [(gate, await execute(run, gate, token, now)) for gate in standing]
    failed = next(((gate, said) for gate, said in answers if isinstance(said, Failed)), None)
    if failed:
        return _failed(run, *failed, now)
    waits = next(((gate, said) for gate, said in answers if not isinstance(said, Succeeded)), None)
    if waits:
        return _waits(run, *waits, now)
    return _passed(run, [(gate, said) for gate, said in answers if isinstance(said, Succeeded)], now)


def stands_in_the_way(run: Run) -> PlannedStep | None:
    """The standing gate that holds the run up before its first change, if one does."""
    gates = run.plan.gates if run.plan else ()
    return next((gate for gate in gates if gate.standing and _held(run, gate)), None)


def _failed(run: Run, gate: PlannedStep, failed: Failed, now: datetime) -> Stand:
    after, events = run.step_failed(gate.key, failed, at=now)
    return Stand(after, Failed(f"gate {gate.kind}: {failed.reason}", FailureCause.REFUSED), events)


def _waits(run: Run, gate: PlannedStep, said: Outcome, now: datetime) -> Stand:
    """Blocked, so that it is told once, and so that nobody takes the wait for an effect that has happened."""
    # What is neither yes nor no nor a wait is unknown, and unknown never passes.
    wait = said if isinstance(said, Pending) else Pending("nobody can tell yet", LONGEST_LOOK)
    seen = run.step(gate.key)
    if not _held(run, gate):
        run = replace(
            run, steps={**run.steps, gate.key: replace(seen, phase=StepPhase.RUNNING, started_at=now, ended_at=None)}
        )
    after, events = run.step_waits(gate.key, replace(wait, blocked=True, memo=None), at=now)
    looks = [wait.requeue_after, LONGEST_LOOK]
    if run.approval:
        looks.append(max(run.approval.use_by - now, timedelta(0)) + A_MOMENT)
    held = Pending(f"gate {gate.kind}: {wait.why}", min(looks), blocked=True)
    return Stand(after, held, events)


def _passed(run: Run, answers: list[tuple[PlannedStep, Succeeded]], now: datetime) -> Stand:
    after, told, waited = run, list[Event](), False
    for gate, said in answers:
        if _held(run, gate):
            after, events = after.step_succeeded(gate.key, said, at=now)
            told, waited = [*told, *events], True
    return Stand(after, Succeeded(), tuple(told), waited)


def _held(run: Run, gate: PlannedStep) -> bool:
    return run.step(gate.key).phase is StepPhase.RUNNING
