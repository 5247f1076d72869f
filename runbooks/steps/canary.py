"""canary: some pods of the new version take a share of the traffic, and the judge compares them with the old ones."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.domain.errors import NotFoundError, PermanentError
from bot.domain.json import Json
from bot.domain.outcome import Evidence, Failed, Outcome, Pending, Question
from bot.domain.target import WorkloadRef
from bot.domain.traffic import WHOLE, Route, Router, canary_pods, canary_pods_by_ratio, stable_pods_needed
from bot.ports.canaries import Canaries, CanaryClusters, TrafficState
from bot.ports.cluster import Clusters, Fault, Hint
from bot.ports.execution import StepContext
from runbooks.following import NEXT_LOOK, evidence, named
from runbooks.kinds import StepKind, StepSpec
from runbooks.percent import Percent
from runbooks.trial import PAUSED, Trial, TrialSpec, Wish, inherited

AT_ONCE, SHIFTED_LOOK = timedelta(0), timedelta(seconds=1)
BROUGHT: dict[str, Json] = {"brought": True}
"""What a step remembers from its first pass on: something may be there to undo."""

AGREED = "agreed"
"""People want the step's share set over what somebody changed by hand."""


def comparable(weight: int) -> int:
    """A share that leaves something to compare with; raises ValueError."""
    if weight >= WHOLE:
        raise ValueError("at 100 % nothing is left to compare the canary with; put 'promote' in its place")
    return weight


class CanarySpec(StepSpec):
    """`weight`: the canary's share of the traffic. `judge`: how long it is judged. `hold`: even a good one waits for
    people before the next step. `baseline`: what it is compared with: the stable pods, or as many fresh pods of the
    stable version, for a service that behaves otherwise while it is young."""

    weight: Annotated[Percent, AfterValidator(comparable)]
    judge: TrialSpec = Field(default_factory=TrialSpec)
    hold: bool = False
    baseline: Literal["stable", "fresh"] = "stable"

    def takes(self) -> timedelta:
        return self.judge.takes()

    def read_aloud(self) -> str:
        then = ", then wait until people let it go on" if self.hold else ""
        beside = " beside fresh pods of the old one" if self.baseline == "fresh" else ""
        return f"Give the new version {self.weight} % of the traffic{beside}, {self.judge.read_aloud()}{then}."


KIND = StepKind(
    name="canary",
    spec=CanarySpec,
    changes=True,
    deadline=timedelta(days=1),
    about="Run pods of the new version beside the old ones, give them a share of the traffic, and judge them.",
)


class Canary:
    """Brings the pods, then shifts the traffic, then lets the judge look: at most one write a pass."""

    def __init__(self, clusters: Clusters, canaries: CanaryClusters, trial: Trial, hint: Hint) -> None:
        self._clusters = clusters
        self._canaries = canaries
        self._trial = trial
        self._hint = hint

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, route = CanarySpec.model_validate(context.params), context.plan.traffic
        if route is None:
            return Failed("the plan has no way of traffic for a canary")
        canaries = self._canaries.canaries(route.workload.cluster)
        if "since" in context.seen.memo and not (context.consent and context.seen.asks is Question.SHARE):
            wish = Wish(spec.judge, spec.hold, spec.weight)
            return await self._trial.judged(context, wish, context.seen.memo, canaries)
        self._clusters.get(route.workload.cluster).watch(route.canary, self._hint)
        memo: dict[str, Json] = {**inherited(context), **context.seen.memo}
        harm, memo = await self._trial.watched(context, memo)
        if harm:
            return harm
        if context.run.pause:
            return Pending(PAUSED, NEXT_LOOK, memo, blocked=True)
        try:
            return await self._brought(context, canaries, spec.weight, memo)
        except PermanentError as exc:
            if "began" not in memo:
                raise
            # It has traffic already, and may be as good as ever: what stands in the way is for people to mend.
            return Pending(f"its share cannot be changed: {exc}", NEXT_LOOK, memo, blocked=True)

    async def _brought(self, context: StepContext, canaries: Canaries, weight: int, memo: dict[str, Json]) -> Outcome:
        route = context.plan.traffic
        if route is None:
            raise RuntimeError("a plan without traffic has no canary")
        before = await canaries.observe(route)
        if context.consent:
            memo = memo | {AGREED: True}
        if before.edited and AGREED not in memo:
            why = f"somebody changed the traffic by hand: {before.edited}; put it back, or let Sluice set {weight} %"
            return Pending(why, NEXT_LOOK, memo, blocked=True, asks=Question.SHARE)
        pods = pods_for(route, _stable_pods(before), weight)
        state = await canaries.bring(route, context.plan.artifact.image, pods, context.fence)
        if route.router is Router.REPLICAS:
            # Pods alone divide the requests: the first of them takes its share before any other look.
            memo = {"began": context.now.isoformat(), **memo}
        memo = memo | BROUGHT
        waits = await self._hopeless(route, state) or _waits(route, state, pods, weight)
        if waits:
            return replace(waits, memo=memo) if isinstance(waits, Pending) else waits
        if state.weight != weight and route.router is not Router.REPLICAS:
            if "began" not in memo:
                return _begins(context, memo)
            # Capacity is there for what comes; the look after this write sees the new weight.
            await canaries.shift(route, weight, context.fence)
            return Pending(f"giving it {weight} %", SHIFTED_LOOK, memo)
        memo.setdefault("began", context.now.isoformat())
        memo.pop(AGREED, None)
        return Pending(f"{state.weight} % of the traffic", SHIFTED_LOOK, memo | {"since": context.now.isoformat()})

    async def _hopeless(self, route: Route, state: TrafficState) -> Outcome | None:
        """Why the new pods will never be ready, with the cluster's events and their last words."""
        for what, ref, pods in (
            ("canary", route.canary, state.canary),
            ("fresh baseline", route.baseline, state.baseline),
        ):
            faults = [fault for fault in pods.faults if fault.hopeless] if pods else []
            if faults:
                shown = await self._shown(ref, faults[0])
                return Failed(f"the {what} does not come up: {named(faults[0], len(faults))}", evidence=shown)
        return None

    async def _shown(self, ref: WorkloadRef, fault: Fault) -> tuple[Evidence, ...]:
        try:
            return await evidence(self._clusters.get(ref.cluster), ref, fault)
        except NotFoundError:
            return ()  # it went while we looked; what was seen of it still holds

    async def landed(self, context: StepContext) -> bool:
        """Whether this run has brought a canary. The claim refuses what a former owner still sends."""
        route = context.plan.traffic
        if route is None:
            return False
        canaries = self._canaries.canaries(route.workload.cluster)
        if (await canaries.observe(route)).run == context.run.id:
            return True
        await self._clusters.get(route.workload.cluster).claim(route.workload, context.fence)
        return (await canaries.observe(route)).run == context.run.id

    async def overwritten(self, context: StepContext) -> str:
        """A canary is gone by the time a run ends, and is meant to be."""
        del context
        return ""

    async def halt(self, context: StepContext) -> None:
        """Nothing goes on by itself that the failure steps do not undo."""


def _begins(context: StepContext, memo: dict[str, Json]) -> Pending:
    """Note the moment before the first share is given, so that no request to the canary is ever left out of the trial,
    whoever dies in between."""
    return Pending("about to get its first share", AT_ONCE, memo | {"began": context.now.isoformat()})


def pods_for(route: Route, stable: int, weight: int) -> int:
    """How many canary pods the share needs."""
    if route.router is Router.REPLICAS:
        return canary_pods_by_ratio(stable, weight, fresh_baseline=route.fresh_baseline)
    return canary_pods(stable, weight)


def _stable_pods(state: TrafficState) -> int:
    """How many stable pods all of the traffic needs: an autoscaler may have taken some since the canary has a share."""
    return max(state.stable.desired, state.stable_before or 0)


def _waits(route: Route, state: TrafficState, pods: int, weight: int) -> Outcome | None:
    """What has to be there before the traffic is shifted."""
    if state.canary is None or (route.fresh_baseline and state.baseline is None):
        return Pending("the canary is being made", SHIFTED_LOOK)
    if state.canary.ready < pods:
        return Pending(f"{state.canary.ready} of {pods} canary pods ready", NEXT_LOOK)
    if state.baseline is not None and state.baseline.ready < pods:
        return Pending(f"{state.baseline.ready} of {pods} fresh baseline pods ready", NEXT_LOOK)
    needed = stable_pods_needed(_stable_pods(state), weight)
    if state.stable.ready < needed:
        why = f"only {state.stable.ready} of {needed} stable pods are ready that the rest of the traffic needs"
        return Pending(why, NEXT_LOOK, blocked=True)
    return None
