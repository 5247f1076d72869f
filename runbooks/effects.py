"""What steps leave on the workload itself: shared by those that write to it."""

from bot.domain.errors import NotFoundError
from bot.domain.release import same_image
from bot.ports.cluster import RUN_MARK, Clusters, WorkloadState
from bot.ports.execution import StepContext


class OnWorkload:
    """`bot.ports.execution.Effect` of a step that gives the workload its artifact."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    async def landed(self, context: StepContext) -> bool:
        """Whether this run has set the image. The claim after the look refuses what a former owner still sends."""
        plan = context.plan
        cluster = self._clusters.get(plan.workload.cluster)
        try:
            before = await cluster.observe(plan.workload)
            if _shows(before, plan.artifact.image):
                return before.annotations.get(RUN_MARK) == context.run.id
            return _shows(await cluster.claim(plan.workload, context.fence), plan.artifact.image)
        except NotFoundError:
            return False

    async def overwritten(self, context: StepContext) -> str:
        """Whether somebody else has set another image since."""
        plan = context.plan
        try:
            seen = await self._clusters.get(plan.workload.cluster).observe(plan.workload)
        except NotFoundError:
            return f"{plan.workload} is gone"
        if _shows(seen, plan.artifact.image):
            return ""
        return f"somebody else changed the image to {', '.join(seen.images.values())}; it is left as it is"

    async def halt(self, context: StepContext) -> None:
        """Nothing goes on by itself that the failure steps do not undo."""


def _shows(state: WorkloadState, image: str) -> bool:
    return any(same_image(each, image) for each in state.images.values())
