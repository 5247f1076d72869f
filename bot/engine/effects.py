"""What is known of the effects that a run has had. Pure."""

from datetime import datetime

from bot.domain.phase import Phase, StepPhase
from bot.domain.plan import WATCHING, PlannedStep
from bot.domain.run import Run, StepRun
from bot.engine.timing import FRESH


def overslept(run: Run, planned: PlannedStep, now: datetime) -> bool:
    """Whether the run slept between arming a step and its first effect: what let it begin must be looked at again."""
    begun = run.step(planned.key).started_at
    asked = run.approval is not None or any(gate.standing for gate in run.sealed_plan().gates)
    waiting = run.phase is Phase.RUNNING and asked and not landed(run)
    return waiting and begun is not None and now - begun > FRESH


def must_watch(run: Run, planned: PlannedStep) -> bool:
    """Whether a canary has traffic, so that a pause must not keep the step from looking at it."""
    return run.changed and planned.kind in WATCHING


def landed(run: Run) -> bool:
    """Whether an effect of a changing step is known to have happened."""
    return run.changed and any(
        run.step(step.key).phase in (StepPhase.SUCCEEDED, StepPhase.FAILED) or _acted(run.step(step.key))
        for step in run.sealed_plan().steps
        if step.changes
    )


def _acted(seen: StepRun) -> bool:
    """Whether what a step remembers means an effect; one that only announces what it will do says `acted: false`."""
    return bool(seen.memo) and seen.memo.get("acted") is not False
