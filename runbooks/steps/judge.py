"""judge: the canary is looked at for longer, with the share of the traffic that it has."""

from datetime import timedelta
from typing import ClassVar

from bot.domain.json import Json
from bot.domain.outcome import Failed, Outcome, Pending
from bot.ports.canaries import CanaryClusters
from bot.ports.execution import StepContext
from runbooks.kinds import StepKind
from runbooks.trial import Trial, TrialSpec, Wish, inherited

FIRST_LOOK = timedelta(seconds=1)


class JudgeSpec(TrialSpec):
    """`for` and `least` as in the step `canary`."""

    shorthand: ClassVar[str | None] = "for"

    def read_aloud(self) -> str:
        return f"Look at the canary with the traffic that it has; it is {super().read_aloud()}."


KIND = StepKind(
    name="judge",
    spec=JudgeSpec,
    changes=False,
    deadline=timedelta(days=1),
    about="Judge the canary for longer, without shifting more traffic to it.",
)


class JudgeCanary:
    """The trial of the step before goes on."""

    def __init__(self, clusters: CanaryClusters, trial: Trial) -> None:
        self._clusters = clusters
        self._trial = trial

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, route = JudgeSpec.model_validate(context.params), context.plan.traffic
        memo: dict[str, Json] = dict(context.seen.memo) or inherited(context)
        if route is None or "began" not in memo:
            return Failed("there is no canary to judge; put a step 'canary' before this one")
        if "since" not in memo:
            return Pending("looking", FIRST_LOOK, memo | {"since": context.now.isoformat()})
        return await self._trial.judged(context, Wish(spec), memo, self._clusters.canaries(route.workload.cluster))
