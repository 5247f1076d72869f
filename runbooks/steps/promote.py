"""promote: the stable pods take the artifact while the canary carries its share, and then the canary goes."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.errors import OverwriteError, PermanentError
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Succeeded
from bot.ports.canaries import CanaryClusters
from bot.ports.cluster import Clusters, Hint, ImageChange
from bot.ports.execution import StepContext
from runbooks.changes import change_cause, history
from runbooks.effects import OnWorkload
from runbooks.following import NEXT_LOOK, follow
from runbooks.kinds import StepKind, StepSpec
from runbooks.trial import PAUSED, Trial, inherited

NEXT_WRITE = timedelta(seconds=1)


class PromoteSpec(StepSpec):
    """No parameters: workload, image and traffic come from the sealed plan."""

    def read_aloud(self) -> str:
        return "Let the old pods take the new version, give them all traffic back, and remove the canary."


KIND = StepKind(
    name="promote",
    spec=PromoteSpec,
    changes=True,
    deadline=timedelta(minutes=30),
    about="Roll the artifact out to the stable pods, return the traffic to them, and clean the canary up.",
)


class Promote(OnWorkload):
    """First the image, then the rollout, then the traffic, then the clean-up: one write a pass."""

    def __init__(self, clusters: Clusters, canaries: CanaryClusters, trial: Trial, hint: Hint) -> None:
        super().__init__(clusters)
        self._canaries = canaries
        self._trial = trial
        self._hint = hint

    async def reconcile(self, context: StepContext) -> Outcome:
        plan, memo = context.plan, context.seen.memo
        if "settled" not in memo:
            return await self._watched(context)
        if plan.traffic is None:
            return Succeeded(f"{plan.artifact.ref} promoted")
        try:
            gone = await self._canaries.canaries(plan.workload.cluster).remove(plan.traffic, context.fence)
        except PermanentError as exc:
            # Both run the new version, and it was found good: nothing of that is a reason to undo it.
            return Pending(f"the canary cannot be removed: {exc}", NEXT_LOOK, dict(memo), blocked=True)
        if not gone:
            return Pending("the canary is being cleaned up", NEXT_WRITE, dict(memo))
        return Succeeded(f"{plan.artifact.ref} promoted, the canary is gone")

    async def _watched(self, context: StepContext) -> Outcome:
        """The rollout, while the canary has its share and is looked at on."""
        harm, memo = await self._trial.watched(context, {**inherited(context), **context.seen.memo})
        if harm:
            return harm
        if context.run.pause and "written" not in memo:
            return Pending(PAUSED, NEXT_LOOK, memo, blocked=True)
        outcome = await self._rolled_out(context)
        return replace(outcome, memo={**memo, **(outcome.memo or {})}) if isinstance(outcome, Pending) else outcome

    async def _rolled_out(self, context: StepContext) -> Outcome:
        plan = context.plan
        cluster = self._clusters.get(plan.workload.cluster)
        cluster.watch(plan.workload, self._hint)
        over = (plan.previous.image,) if plan.previous else ()
        change = ImageChange(plan.artifact.image, change_cause(context), history(context), over)
        try:
            await cluster.set_image(plan.workload, change, context.fence)
        except OverwriteError as exc:
            return Failed(str(exc), FailureCause.OVERWRITTEN)
        outcome = await follow(cluster, context, plan.artifact.image)
        match outcome:
            case Succeeded(said):
                return Pending(f"{said}; the traffic goes back to them", NEXT_WRITE, {"written": True, "settled": True})
            case Pending(why, wait):
                return Pending(why, wait, {"written": True})
        return outcome
