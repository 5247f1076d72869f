"""restore: the sealed previous version runs again. Needs no vote: it was part of the approved plan."""

from datetime import timedelta

from bot.domain.outcome import Failed, Outcome
from bot.ports.cluster import Clusters, Hint, ImageChange
from bot.ports.execution import StepContext
from runbooks.effects import OnWorkload
from runbooks.following import follow
from runbooks.kinds import StepKind, StepSpec


class RestoreSpec(StepSpec):
    """No parameters: what to restore was sealed into the plan before anything changed."""

    def read_aloud(self) -> str:
        return "Bring back the version that ran before, and follow it until every pod is available."


KIND = StepKind(
    name="restore",
    spec=RestoreSpec,
    changes=True,
    deadline=timedelta(minutes=15),
    about="Set the image back to the sealed previous version and follow the rollout.",
)


class Restore(OnWorkload):
    """Sets the previous image (once; a repeated pass finds it there) and follows it to its end."""

    def __init__(self, clusters: Clusters, hint: Hint) -> None:
        super().__init__(clusters)
        self._hint = hint

    async def reconcile(self, context: StepContext) -> Outcome:
        plan = context.plan
        if plan.previous is None:
            return Failed("there is no earlier version to restore")
        cluster = self._clusters.get(plan.workload.cluster)
        cluster.watch(plan.workload, self._hint)
        cause = f"sluice {context.run.id}: restore {plan.previous.ref}, seal {plan.seal}"
        over = (plan.artifact.image, plan.previous.image)
        change = ImageChange(plan.previous.image, cause, plan.previous.history, over)
        await cluster.set_image(plan.workload, change, context.fence)
        return await follow(cluster, context, plan.previous.image)
