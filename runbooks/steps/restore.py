"""restore: the sealed previous version runs again. Needs no vote: it was part of the approved plan."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain.errors import NotFoundError, OverwriteError, PermanentError
from bot.domain.json import Json
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.plan import Previous
from bot.domain.release import ARTIFACT_FOUND, BRINGING, image_set_at
from bot.domain.traffic import Route
from bot.ports.canaries import Canaries, CanaryClusters
from bot.ports.cluster import Clusters, Hint, ImageChange
from bot.ports.execution import StepContext
from runbooks.effects import OnWorkload
from runbooks.following import NEXT_LOOK, follow
from runbooks.kinds import StepKind, StepSpec

AT_ONCE = timedelta(0)
NEXT_WRITE = timedelta(seconds=1)
CALM, WRITTEN, CLEAN = "calm", "written", "clean"
"""What a restore with a canary remembers: its traffic is gone, stable is ours and runs the previous version, nothing of
it is left."""

LEFT, STUCK = "left", "stuck"
"""And why stable was left as somebody else had set it, or why Sluice may not set it back."""


class RestoreSpec(StepSpec):
    """No parameters: what to restore was sealed into the plan before anything changed."""

    def read_aloud(self) -> str:
        return "Bring back the version that ran before, and follow it until every pod is available."


KIND = StepKind(
    name="restore",
    spec=RestoreSpec,
    changes=True,
    deadline=timedelta(minutes=15),
    about="Take the traffic from a canary, set the image back to the sealed previous version, and follow the rollout.",
)


class Restore(OnWorkload):
    """Takes the traffic from the canary, sets the previous image, removes the canary, and follows the rollout to its
    end: at most one write a pass, and a repeated pass finds it done."""

    def __init__(self, clusters: Clusters, canaries: CanaryClusters, hint: Hint) -> None:
        super().__init__(clusters)
        self._canaries = canaries
        self._hint = hint

    async def reconcile(self, context: StepContext) -> Outcome:
        plan = context.plan
        if plan.previous is None:
            return Failed("there is no earlier version to restore")
        cluster = self._clusters.get(plan.workload.cluster)
        cluster.watch(plan.workload, self._hint)
        if plan.traffic is not None:
            undone = await self._undone(context, plan.traffic, plan.previous)
            if undone is not None:
                return undone
        elif image_set_at(context.run) is None and (found := await self._found(context)):
            return Pending("the image was set by a pass that died", AT_ONCE, found)
        else:
            await self._set_back(context, plan.previous)
        untouched = plan.traffic is not None and not _begun(context)
        outcome = await follow(cluster, context, plan.previous.image, by_tag=untouched)
        if isinstance(outcome, Succeeded) and plan.traffic is not None:
            return Succeeded(f"{outcome.said}, the canary is gone", outcome.outputs)
        return outcome

    async def _undone(self, context: StepContext, route: Route, previous: Previous) -> Outcome | None:
        """The canary's part, one write a pass; `None` when nothing of it is left to do."""
        canaries, memo = self._canaries.canaries(route.workload.cluster), dict(context.seen.memo)
        if CALM not in memo:
            calm = await _calmed(context, canaries, route)
            return calm if calm.blocked else replace(calm, memo={CALM: True, **await self._found(context)})
        if WRITTEN not in memo:
            memo |= await self._claimed(context, previous)
            return Pending("removing the canary", AT_ONCE, memo)
        if CLEAN not in memo:
            return await _removed(context, canaries, route)
        if LEFT in memo:
            return Failed(str(memo[LEFT]), FailureCause.OVERWRITTEN)
        return Failed(str(memo[STUCK])) if STUCK in memo else None

    async def _found(self, context: StepContext) -> Mapping[str, Json]:
        """Whether stable was given the artifact, maybe by a pass that died before it could say so. It must be on record
        before it is set back."""
        plan = context.plan
        try:
            seen = await self._clusters.get(plan.workload.cluster).observe(plan.workload)
        except NotFoundError:
            return {}
        return {ARTIFACT_FOUND: True} if _begun(context) and plan.artifact.image in seen.images.values() else {}

    async def _claimed(self, context: StepContext, previous: Previous) -> Mapping[str, Json]:
        """Stable is this run's, at its newest token, and runs the previous version. Where no step of the run has begun
        to give it another, only the mark is written: it stays untouched."""
        plan, begun = context.plan, _begun(context)
        try:
            if begun:
                await self._set_back(context, previous)
            else:
                await self._clusters.get(plan.workload.cluster).claim(plan.workload, context.fence)
        except OverwriteError as exc:
            return {WRITTEN: True, LEFT: str(exc)}
        except PermanentError as exc:
            # What was never touched needs no mark to stay as it is. The canary goes in any case.
            return {WRITTEN: True, STUCK: str(exc)} if begun else {WRITTEN: True}
        return {WRITTEN: True}

    async def _set_back(self, context: StepContext, previous: Previous) -> None:
        plan = context.plan
        cause = f"sluice {context.run.id}: restore {previous.ref}, seal {plan.seal}"
        change = ImageChange(previous.image, cause, previous.history, (plan.artifact.image, previous.image))
        await self._clusters.get(plan.workload.cluster).set_image(plan.workload, change, context.fence)


def _begun(context: StepContext) -> bool:
    """Whether a step of the run has begun to give stable the artifact."""
    bringing = (step for step in context.plan.steps if step.kind in BRINGING)
    return any(context.run.step(step.key).phase is not StepPhase.PENDING for step in bringing)


async def _calmed(context: StepContext, canaries: Canaries, route: Route) -> Pending:
    """The canary has no traffic any more. Where that cannot be had, people are told, and it is tried on: going on would
    call a release undone that still serves people."""
    calm = Pending("the traffic is back on the old pods", AT_ONCE)
    try:
        state = await canaries.observe(route)
        if state.run == context.run.id:
            await canaries.shift(route, 0, context.fence)
            return replace(calm, why=f"{calm.why}; {state.shrunk}") if state.shrunk else calm
    except NotFoundError:
        return calm  # the router's object is gone, and the canary's share with it
    except PermanentError as exc:
        return Pending(f"the canary still has its traffic: {exc}", NEXT_LOOK, blocked=True)
    return calm


async def _removed(context: StepContext, canaries: Canaries, route: Route) -> Pending:
    """One object of the canary less. One that is not this run's is left alone."""
    memo = dict(context.seen.memo)
    try:
        gone = await canaries.remove(route, context.fence)
    except PermanentError as exc:
        if await _is_another(context, canaries, route):
            return Pending("no canary of this run is left", AT_ONCE, memo | {CLEAN: True})
        return Pending(f"the canary cannot be removed; it has no traffic: {exc}", NEXT_LOOK, memo, blocked=True)
    if not gone:
        return Pending("removing the canary", NEXT_WRITE, memo)
    return Pending("the canary is gone", AT_ONCE, memo | {CLEAN: True})


async def _is_another(context: StepContext, canaries: Canaries, route: Route) -> bool:
    """Whether what stands where the canary would is known to be somebody else's."""
    try:
        return (await canaries.observe(route)).run != context.run.id
    except PermanentError:
        return False
