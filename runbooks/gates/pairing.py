"""pairing: every service that this one needs runs in that environment in a version it can work with, and this version
is one that those who need it can work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from packaging.version import Version
from pydantic import Field

from bot.domain.errors import NotFoundError, UsageError
from bot.domain.image import ImageRef
from bot.domain.outcome import Evidence, Failed, Outcome, Succeeded
from bot.domain.pairing import proven_beside
from bot.domain.release import ReleaseRecord, identity
from bot.domain.target import Target
from bot.ports.cluster import Clusters
from bot.ports.execution import StepContext
from bot.ports.image_registry import ImageRegistry
from bot.ports.store import Store
from runbooks.durations import roughly
from runbooks.kinds import FILLED_IN, GateKind, StepSpec
from runbooks.needs import PROVEN, VERSION_LABEL, Need, meets, version_of
from runbooks.running import WorkloadOf, running_image

RECORDS = 200
"""How many release records back a proof may lie."""


class PairingSpec(StepSpec):
    """`needs` and `needed_by` are the catalogue's. `in`: where a pair must have been proven; empty: in the environment
    that the catalogue names before this one."""

    needs: dict[str, Need] = Field(default_factory=dict, description=FILLED_IN)
    needed_by: dict[str, Need] = Field(default_factory=dict, description=FILLED_IN)
    in_: str = Field(default="", alias="in")

    def read_aloud(self) -> str:
        return "What it needs, and who needs it, must run there in versions that go together."


KIND = GateKind(
    name="pairing",
    spec=PairingSpec,
    deadline=timedelta(minutes=10),
    about="The services that this one needs, or is needed by, run there in versions that go together.",
)


@dataclass(frozen=True, slots=True)
class Running:
    """Another service's image in the environment of the release, by what people call it."""

    service: str
    image: str
    ref: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Another service that is known not to run in the environment of the release."""

    service: str
    environment: str

    def __str__(self) -> str:
        first = f"`/deploy {self.service} <ref> {self.environment}` first"
        return f"{self.service} does not run in {self.environment} yet; {first}"


class PairingGate:
    """Looks at what runs there now, and at our own records of what ran together where the version comes from."""

    def __init__(self, clusters: Clusters, registry: ImageRegistry, store: Store, workload_of: WorkloadOf) -> None:
        self._clusters = clusters
        self._registry = registry
        self._store = store
        self._workload_of = workload_of

    async def reconcile(self, context: StepContext) -> Outcome:
        spec = PairingSpec.model_validate(context.params)
        faults, said = [], []
        for service, wanted in spec.needs.items():
            if wanted == PROVEN and not spec.in_:
                continue  # in the first environment of all nothing can have been proven yet
            running = await self._running(context, service)
            if not isinstance(running, Running):
                faults.append(str(running))
                continue
            fault = await self._needed(context, spec, running, wanted)
            faults += [fault] if fault else []
            said.append(f"{service} {running.ref}")
        for service, wanted in spec.needed_by.items():
            fault = await self._needing(context, service, wanted)
            faults += [fault] if fault else []
        if faults:
            evidence = (Evidence("Versions that do not go together", tuple(faults)),) if len(faults) > 1 else ()
            return Failed("; ".join(faults), evidence=evidence)
        return Succeeded(f"goes with {', '.join(said)}" if said else "goes with all that runs there")

    async def _running(self, context: StepContext, service: str) -> Running | Absent | str:
        """What runs of it in the environment; that nothing does; or why that is not known, as a clause."""
        place = Target(service, context.plan.target.environment)
        try:
            workload = self._workload_of(place.service, place.environment)
            state = await self._clusters.get(workload.cluster).observe(workload)
        except UsageError as exc:
            return f"nobody knows where {service} runs in {place.environment}: {exc}"
        except NotFoundError:
            return Absent(service, place.environment)
        image = running_image(state)
        return Running(service, image, called(image, await self._records(place)))

    async def _needed(self, context: StepContext, spec: PairingSpec, running: Running, wanted: str) -> str:
        """Why the release does not go with what runs, as a clause; empty: it does."""
        if wanted == PROVEN:
            return await self._unproven(context, spec.in_, running)
        version = await self._version(running.image, running.ref)
        service, place = context.plan.target.service, context.plan.target.environment
        repair = await self._repair(running.service, place, spec.in_, wanted)
        if version is None:
            why = f"`{running.ref}` is no version that {wanted} can be compared with"
            return f"{service} needs {running.service} {wanted}, and in {place} {why}; {repair}"
        if meets(version, wanted):
            return ""
        return f"{service} needs {running.service} {wanted}, and {place} runs `{running.ref}`; {repair}"

    async def _repair(self, service: str, place: str, before: str, wanted: str) -> str:
        """What brings a version that is wanted."""
        records = await self._records(Target(service, before)) if before else ()
        newest = records[0] if records else None
        version = await self._version(newest.image, newest.ref) if newest and newest.healthy else None
        if version is not None and meets(version, wanted):
            return f"`/promote {service} {before} {place}` first"
        return f"`/deploy {service} <a version {wanted}> {place}` first"

    async def _unproven(self, context: StepContext, before: str, running: Running) -> str:
        plan = context.plan
        own = await self._records(Target(plan.target.service, before))
        others = await self._records(Target(running.service, before))
        proven = proven_beside(plan.artifact.image, own, others, now=context.now)
        if identity(running.image) in proven:
            return ""
        what = f"{plan.target.service} `{plan.artifact.ref}`"
        if not proven:
            return (
                f"{what} has not run healthy in {before} beside any {running.service}; "
                f"`/deploy {plan.target.service} {plan.artifact.ref} {before}` first"
            )
        known = f"{what} was proven in {before} with {running.service} {_listed(proven, others)}"
        repair = _bring(proven, others, running, plan.target, before)
        return f"{known}, and {plan.target.environment} runs `{running.ref}`; {repair} first"

    async def _needing(self, context: StepContext, service: str, wanted: str) -> str:
        """Why somebody who needs this service cannot work with its new version, as a clause; empty: they can."""
        plan = context.plan
        running = await self._running(context, service)
        if wanted == PROVEN or isinstance(running, Absent):
            return ""  # a pair is proven from the side of who needs it; and who does not run needs nothing
        if isinstance(running, str):
            return running  # whoever may run somewhere may need it
        version = await self._version(plan.artifact.image, plan.artifact.ref)
        if version is not None and meets(version, wanted):
            return ""
        said = f"`{plan.artifact.ref}` is no version that can be compared" if version is None else f"this is {version}"
        place = plan.target.environment
        return f"{service} `{running.ref}` in {place} needs {plan.target.service} {wanted}, and {said}"

    async def _version(self, image: str, ref: str) -> Version | None:
        """What the image says of itself, else what it is called."""
        parsed = ImageRef.parse(image)
        found = await self._registry.resolve(parsed.repository, parsed.digest or parsed.tag or "")
        return version_of(found.labels.get(VERSION_LABEL, ""), ref, parsed.tag or "")

    async def _records(self, place: Target) -> Sequence[ReleaseRecord]:
        async with self._store.reading() as tx:
            return await tx.releases(place, limit=RECORDS)


def called(image: str, records: Sequence[ReleaseRecord]) -> str:
    """What people call an image: as it was released, else by its tag."""
    record = next((one for one in records if identity(one.image) == identity(image)), None)
    return record.ref if record else image.partition("@")[0].rpartition("/")[2].partition(":")[2] or image


def _listed(proven: dict[str, timedelta], records: Sequence[ReleaseRecord]) -> str:
    """The two versions that ran beside it the longest."""
    longest = list(proven.items())[:2]
    return " and ".join(f"`{called(image, records)}` ({roughly(lasted)})" for image, lasted in longest)


def _bring(
    proven: dict[str, timedelta], records: Sequence[ReleaseRecord], running: Running, to: Target, before: str
) -> str:
    """The command that brings a proven version."""
    newest = records[0] if records and records[0].until is None else None
    if newest and identity(newest.image) in proven:
        return f"`/promote {running.service} {before} {to.environment}`"
    best = next(iter(proven))
    return f"`/deploy {running.service} {called(best, records)} {to.environment}`"
