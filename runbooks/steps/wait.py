"""wait: some time has passed."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.outcome import Outcome, Pending, Succeeded
from bot.ports.execution import StepContext
from runbooks.durations import Duration, say
from runbooks.kinds import StepKind, StepSpec


class WaitSpec(StepSpec):
    """`for`: how long."""

    shorthand: ClassVar[str | None] = "for"
    for_: Duration = Field(alias="for")

    def read_aloud(self) -> str:
        return f"Wait {say(self.for_)}."

    def takes(self) -> timedelta:
        return self.for_


KIND = StepKind(
    name="wait",
    spec=WaitSpec,
    changes=False,
    deadline=timedelta(days=8),
    about="Let some time pass; abort and pause work meanwhile.",
)


class Wait:
    """Counts from the step's first pass, so that a restart does not begin anew."""

    async def reconcile(self, context: StepContext) -> Outcome:
        spec = WaitSpec.model_validate(context.params)
        left = (context.seen.started_at or context.now) + spec.for_ - context.now
        if left <= timedelta(0):
            return Succeeded(f"waited {say(spec.for_)}")
        return Pending(f"{say(left)} of {say(spec.for_)} left", requeue_after=left)
