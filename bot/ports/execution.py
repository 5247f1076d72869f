"""How the engine drives gates and steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.domain.ids import UserId
from bot.domain.json import Json
from bot.domain.outcome import Outcome
from bot.domain.plan import Plan, PlannedStep
from bot.domain.run import Run, StepRun
from bot.ports.cluster import Fence


@dataclass(frozen=True, slots=True)
class StepContext:
    """Everything a pass over one step may know. `token` is the fencing token of the run's lease; `consent` are the
    people who let a step go on that waits for them, where so many and such people said so as the plan's policy asks."""

    run: Run
    step: PlannedStep
    now: datetime
    token: int
    consent: tuple[UserId, ...] = ()

    @property
    def plan(self) -> Plan:
        """The run's sealed plan."""
        return self.run.sealed_plan()

    @property
    def params(self) -> Mapping[str, Json]:
        """The step's parameters, all looked up but for outputs of earlier steps."""
        return self.step.params

    @property
    def seen(self) -> StepRun:
        """How far this step was at the end of the last pass."""
        return self.run.step(self.step.key)

    @property
    def fence(self) -> Fence:
        """The right to write for this step."""
        return Fence(self.run.id, self.step.key, self.token, self.plan.live_mark)


class Executor(Protocol):
    """A gate or a step kind. One pass: look, act at most once, answer. Safe to die on any line; never sleeps."""

    async def reconcile(self, context: StepContext) -> Outcome:
        """One pass. A TemporaryError becomes a blocked wait, a PermanentError a failure; both are the engine's work."""
        ...


@runtime_checkable
class Effect(Protocol):
    """What a step kind leaves in the world, asked where the database alone cannot tell what happened. All raise as a
    reconcile pass does."""

    async def landed(self, context: StepContext) -> bool:
        """Whether an effect of this very step is in the world already. Looks; and closes the door behind it: what a
        former owner of the run still sends must be refused from now on."""
        ...

    async def overwritten(self, context: StepContext) -> str:
        """Why the effect of this step, which succeeded, no longer stands, as a clause; empty: it stands."""
        ...

    async def halt(self, context: StepContext) -> None:
        """The run moves on without this step: end what would go on by itself. Safe to repeat."""
        ...


class Executors(Protocol):
    """All kinds that the program knows."""

    def get(self, kind: str) -> Executor:
        """The executor of a kind. Raises KeyError: a plan with an unknown kind is a fault of ours."""
        ...

    def effect(self, kind: str) -> Effect:
        """The effects of a kind that changes something. Raises KeyError."""
        ...
