"""set_image: the workload is told to run the plan's artifact."""

from datetime import timedelta

from bot.domain.errors import OverwriteError
from bot.domain.outcome import Outcome, Pending, Succeeded, Voided
from bot.ports.cluster import ImageChange
from bot.ports.execution import StepContext
from runbooks.changes import change_cause, history
from runbooks.effects import OnWorkload
from runbooks.kinds import StepKind, StepSpec

FIRST_LOOK = timedelta(seconds=5)


class SetImageSpec(StepSpec):
    """No parameters: workload, container and image come from the sealed plan."""

    def read_aloud(self) -> str:
        return "Tell the workload to run the artifact, by digest."


KIND = StepKind(
    name="set_image",
    spec=SetImageSpec,
    changes=True,
    deadline=timedelta(minutes=5),
    about="Change the image of the workload's container to the plan's digest, once.",
)


class SetImage(OnWorkload):
    """Writes the image with a resourceVersion precondition; a repeated pass finds its effect already there."""

    async def reconcile(self, context: StepContext) -> Outcome:
        plan = context.plan
        cluster = self._clusters.get(plan.workload.cluster)
        over = (plan.previous.image,) if plan.previous else ()
        change = ImageChange(plan.artifact.image, change_cause(context), history(context), over)
        try:
            seen = await cluster.set_image(plan.workload, change, context.fence)
        except OverwriteError as exc:
            return Voided(str(exc))
        if plan.artifact.image not in seen.images.values():
            why = "the workload does not show the new image yet"
            return Pending(why, requeue_after=FIRST_LOOK, memo={"written": True})
        return Succeeded(f"{plan.artifact.ref} set", {"generation": seen.generation, "image": plan.artifact.image})
