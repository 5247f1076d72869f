"""rollout: the workload's pods run the artifact and are available; a hopeless one fails at once with its cause."""

from datetime import timedelta

from pydantic import Field

from bot.domain.outcome import Outcome
from bot.ports.cluster import Clusters, Hint
from bot.ports.execution import StepContext
from runbooks.durations import Duration
from runbooks.following import READY_WITHIN, follow
from runbooks.kinds import StepKind, StepSpec


class RolloutSpec(StepSpec):
    """`ready_within`: how long a running container may stay unready beyond what its own probes allow."""

    ready_within: Duration = Field(default=READY_WITHIN)

    def read_aloud(self) -> str:
        return "Follow the rollout until every pod runs the artifact and is available; fail as soon as it is hopeless."


KIND = StepKind(
    name="rollout",
    spec=RolloutSpec,
    changes=False,
    deadline=timedelta(minutes=15),
    about="Follow the rollout like kubectl rollout status, but fail at once with the named cause.",
)


class Rollout:
    """Looks at the workload; waits, succeeds, or names what keeps its pods from coming up."""

    def __init__(self, clusters: Clusters, hint: Hint) -> None:
        self._clusters = clusters
        self._hint = hint

    async def reconcile(self, context: StepContext) -> Outcome:
        plan, spec = context.plan, RolloutSpec.model_validate(context.params)
        cluster = self._clusters.get(plan.workload.cluster)
        # Watch before looking: what changes after the look is then never missed.
        cluster.watch(plan.workload, self._hint)
        return await follow(cluster, context, plan.artifact.image, ready_within=spec.ready_within)
