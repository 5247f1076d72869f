"""soak: the very same image runs healthy in the environment before, and has done so for long enough."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.errors import UsageError
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.release import ReleaseRecord, same_image
from bot.domain.target import Target
from bot.ports.cluster import Clusters, WorkloadState
from bot.ports.execution import StepContext
from bot.ports.store import Store
from runbooks.durations import Duration, roughly, say
from runbooks.following import named
from runbooks.kinds import GateKind, StepSpec
from runbooks.running import WorkloadOf, running_image

NEXT_LOOK = timedelta(seconds=15)


class SoakSpec(StepSpec):
    """`for`: how long it must have run there; `0s`: it need only run, and be healthy. `in`: where; empty: in the
    environment it is promoted from, else in the one that the catalogue names before this one."""

    shorthand: ClassVar[str | None] = "for"
    for_: Duration = Field(default=timedelta(0), alias="for")
    in_: str = Field(default="", alias="in")

    def read_aloud(self) -> str:
        where = f" in {self.in_}" if self.in_ else " in the environment before"
        spent = f" for {say(self.for_)}" if self.for_ else ""
        return f"The same image must have run healthy{where}{spent}."


KIND = GateKind(
    name="soak",
    spec=SoakSpec,
    deadline=timedelta(minutes=30),
    about="The same image has run healthy in the environment before for long enough.",
)


class SoakGate:
    """Asks our own records how it came there, and the cluster whether it is well now. What is missing of the time is
    waited for within the gate's deadline."""

    def __init__(self, clusters: Clusters, store: Store, workload_of: WorkloadOf) -> None:
        self._clusters = clusters
        self._store = store
        self._workload_of = workload_of

    async def reconcile(self, context: StepContext) -> Outcome:
        spec, plan = SoakSpec.model_validate(context.params), context.plan
        place = Target(plan.target.service, spec.in_)
        try:
            workload = self._workload_of(place.service, place.environment)
        except UsageError as exc:
            return Failed(f"nobody knows where it should have soaked: {exc}")
        state = await self._clusters.get(workload.cluster).observe(workload)
        if not same_image(running_image(state), plan.artifact.image):
            return Failed(
                f"{place.environment} runs `{_tag(running_image(state))}`, not this image; {_first(context, place)}"
            )
        async with self._store.reading() as tx:
            records = await tx.releases(place, limit=1)
        record = records[0] if records and same_image(records[0].image, plan.artifact.image) else None
        if record is None:
            return Failed(f"nobody recorded how it came to {place.environment}; {_first(context, place)}")
        return _unwell(record, state) or _soaked(context, spec, record)


def _unwell(record: ReleaseRecord, state: WorkloadState) -> Outcome | None:
    where = record.target.environment
    if not record.healthy:
        return Failed(f"its release to {where} (`{record.run_id}`) did not end well")
    hopeless = [fault for fault in state.faults if fault.hopeless]
    if hopeless:
        return Failed(f"it is not healthy in {where} now: {named(hopeless[0], len(hopeless))}")
    if not state.settled:
        return Pending(f"{state.updated_available} of {state.desired} pods are ready in {where}", NEXT_LOOK)
    return None


def _soaked(context: StepContext, spec: SoakSpec, record: ReleaseRecord) -> Outcome:
    age, where = context.now - record.since, record.target.environment
    if age >= spec.for_:
        return Succeeded(f"healthy in {where} for {roughly(age)}")
    left, so_far = spec.for_ - age, f"has soaked {roughly(age)} of {say(spec.for_)} in {where}"
    begun = context.seen.started_at or context.now
    if left <= begun + context.step.deadline - context.now:
        return Pending(so_far, min(left, NEXT_LOOK))
    ready = record.since + spec.for_
    return Failed(f"{so_far}; ask again after {ready:%Y-%m-%d %H:%M} UTC, or now with `--at {ready:%Y-%m-%dT%H:%M}Z`")


def _first(context: StepContext, place: Target) -> str:
    return f"`/deploy {place.service} {context.plan.artifact.ref} {place.environment}` first"


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2]
