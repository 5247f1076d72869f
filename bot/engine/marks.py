"""What runs leave on the workload itself: asked when the database alone cannot tell what happened."""

from bot.domain.errors import NotFoundError
from bot.domain.run import Run
from bot.ports.cluster import RUN_MARK, Clusters


class Marks:
    """Reads the marks of runs on workloads."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    async def landed(self, run: Run) -> bool:
        """Whether the workload carries this run's mark: an effect of it has happened."""
        plan = run.sealed_plan()
        try:
            seen = await self._clusters.get(plan.workload.cluster).observe(plan.workload)
        except NotFoundError:
            return False
        return seen.annotations.get(RUN_MARK) == run.id
