"""canary: some pods of the new version take a share of the traffic, and the judge compares them with the old ones."""

from datetime import timedelta

from pydantic import Field

from bot.domain.json import Json
from bot.domain.outcome import Evidence, Failed, Outcome, Pending
from bot.domain.traffic import Route, Router, canary_pods, canary_pods_by_ratio, stable_pods_needed
from bot.ports.canaries import Canaries, CanaryClusters, TrafficState
from bot.ports.execution import StepContext
from runbooks.following import NEXT_LOOK, named
from runbooks.kinds import StepKind, StepSpec
from runbooks.percent import Percent
from runbooks.trial import Trial, TrialSpec, inherited

SHIFTED_LOOK = timedelta(seconds=1)


class CanarySpec(StepSpec):
    """`weight`: the canary's share of the traffic. `judge`: how long it is judged. `hold`: even a good one waits for
    people before the next step."""

    weight: Percent
    judge: TrialSpec = Field(default_factory=TrialSpec)
    hold: bool = False

    def read_aloud(self) -> str:
        then = ", then wait until people let it go on" if self.hold else ""
        return f"Give the new version {self.weight} % of the traffic, {self.judge.read_aloud()}{then}."


KIND = StepKind(
    name="canary",
    spec=CanarySpec,
    changes=True,
    deadline=timedelta(days=1),
    about="Run pods of the new version beside the old ones, give them a share of the traffic, and judge them.",
)


class Canary:
    """Brings the pods, then shifts the traffic, then lets the judge look: at most one write a pass."""

    def __init__(self, clusters: CanaryClusters, trial: Trial) -> None:
        self._clusters = clusters
        self._trial = trial

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, route = CanarySpec.model_validate(context.params), context.plan.traffic
        if route is None:
            return Failed("the plan has no way of traffic for a canary")
        canaries = self._clusters.canaries(route.workload.cluster)
        memo = dict(context.seen.memo)
        if "since" in memo:
            state = await canaries.observe(route)
            return await self._trial.judged(context, spec.judge, memo, state, hold=spec.hold)
        return await self._brought(context, canaries, route, spec.weight)

    async def _brought(self, context: StepContext, canaries: Canaries, route: Route, weight: int) -> Outcome:
        before = await canaries.observe(route)
        pods = pods_for(route, before.stable.desired, weight)
        state = await canaries.bring(route, context.plan.artifact.image, pods, context.fence)
        waits = _waits(state, pods, weight)
        if waits:
            return waits
        if state.weight != weight and route.router is not Router.REPLICAS:
            # Capacity is there for what comes; the look after this write sees the new weight.
            await canaries.shift(route, weight, context.fence)
            return Pending(f"giving it {weight} %", SHIFTED_LOOK, {"brought": True})
        memo: dict[str, Json] = {**inherited(context), "since": context.now.isoformat()}
        memo.setdefault("began", context.now.isoformat())
        return Pending(f"{weight} % of the traffic", SHIFTED_LOOK, memo)

    async def landed(self, context: StepContext) -> bool:
        """Whether this run has brought a canary."""
        route = context.plan.traffic
        if route is None:
            return False
        return (await self._clusters.canaries(route.workload.cluster).observe(route)).run == context.run.id

    async def overwritten(self, context: StepContext) -> str:
        """A canary is gone by the time a run ends, and is meant to be."""
        del context
        return ""

    async def halt(self, context: StepContext) -> None:
        """Nothing goes on by itself that the failure steps do not undo."""


def pods_for(route: Route, stable: int, weight: int) -> int:
    """How many canary pods the share needs."""
    by_pods = route.router is Router.REPLICAS
    return canary_pods_by_ratio(stable, weight) if by_pods else canary_pods(stable, weight)


def _waits(state: TrafficState, pods: int, weight: int) -> Outcome | None:
    """What has to be there before the traffic is shifted."""
    canary = state.canary
    if canary is None:
        return Pending("the canary is being made", SHIFTED_LOOK, {"brought": True})
    hopeless = [fault for fault in canary.faults if fault.hopeless]
    if hopeless:
        lines = tuple(f"{fault.kind} {fault.pod}: {fault.message}" for fault in hopeless)
        reason = f"the canary does not come up: {named(hopeless[0], len(hopeless))}"
        return Failed(reason, evidence=(Evidence("canary pods", lines),))
    if canary.ready < pods:
        return Pending(f"{canary.ready} of {pods} canary pods ready", NEXT_LOOK, {"brought": True})
    needed = stable_pods_needed(state.stable.desired, weight)
    if state.stable.ready < needed:
        why = f"only {state.stable.ready} of {needed} stable pods are ready that the rest of the traffic needs"
        return Pending(why, NEXT_LOOK, {"brought": True}, blocked=True)
    return None
