"""Following a rollout: shared by the steps that wait for pods."""

from datetime import timedelta

from bot.domain.outcome import Evidence, Failed, FailureCause, Outcome, Pending, Succeeded
from bot.domain.release import may_be
from bot.domain.target import WorkloadRef
from bot.ports.cluster import Cluster, Fault, WorkloadState
from bot.ports.execution import StepContext

NEXT_LOOK = timedelta(seconds=5)
"""The watch wakes the run on every change; this look only covers a lost hint."""

READY_WITHIN = timedelta(seconds=25)
"""How long a running container may stay unready beyond its own probes' time: a slow starter declares a startupProbe."""


async def follow(
    cluster: Cluster,
    context: StepContext,
    image: str,
    *,
    ready_within: timedelta = READY_WITHIN,
    by_tag: bool = False,
) -> Outcome:
    """One look at the rollout of `image` on the plan's workload: done, hopeless with its cause, or how far. `by_tag`:
    its tag alone will do, as somebody wrote it into a template that this run has not touched."""
    ref = context.plan.workload
    seen = await cluster.observe(ref, ready_within_s=ready_within.total_seconds())
    names = may_be if by_tag else str.__eq__
    if not any(names(running, image) for running in seen.images.values()):
        return Failed(
            f"somebody else changed the image to {', '.join(seen.images.values())} during the rollout",
            FailureCause.OVERWRITTEN,
        )
    hopeless = [fault for fault in seen.faults if fault.hopeless]
    if hopeless:
        return Failed(named(hopeless[0], len(hopeless)), evidence=await evidence(cluster, ref, hopeless[0]))
    if seen.settled:
        return Succeeded(f"{seen.desired} of {seen.desired} pods", {"generation": seen.generation})
    return Pending(progress(seen), requeue_after=NEXT_LOOK)


def progress(seen: WorkloadState) -> str:
    """How far the rollout is, as a clause."""
    if seen.paused:
        return "the rollout is paused in the cluster; `kubectl rollout resume` lets it go on"
    if seen.observed_generation < seen.generation:
        return "waiting for the controller to see the change"
    waiting = f"; {seen.faults[0].kind}: {seen.faults[0].message}" if seen.faults else ""
    return f"{seen.updated_available} of {seen.desired} pods ready{waiting}"


def named(fault: Fault, count: int) -> str:
    """The cause as one clause: the cluster's word first."""
    pods = f" in {count} pods" if count > 1 else f" in pod {fault.pod}" if fault.pod else ""
    return f"{fault.kind}{pods}: {fault.message}"


async def evidence(cluster: Cluster, ref: WorkloadRef, fault: Fault) -> tuple[Evidence, ...]:
    """The cluster's newest warnings about a workload, and the last words of the container that fails."""
    events = await cluster.recent_events(ref)
    lines = await cluster.logs(ref, fault.pod, fault.container) if fault.pod and fault.container else ()
    found = (Evidence("events", events), Evidence(f"last lines of {fault.pod}/{fault.container}", lines))
    return tuple(one for one in found if one.lines)
