"""Gathers the facts for a plan, and tells later whether they still hold."""

import json
from collections.abc import Callable
from datetime import datetime

from bot.domain.errors import NotFoundError, PermanentError, RefusedError, UsageError
from bot.domain.image import DIGEST, ImageRef, is_mutable, short
from bot.domain.plan import Artifact, Plan, Previous, Request, Verb, goes_back
from bot.domain.release import ReleaseRecord, digest_of, identity, last_known_good, means, same_image
from bot.domain.target import Target, WorkloadRef
from bot.ports.cluster import HISTORY_MARK, RUN_MARK, Clusters, WorkloadState
from bot.ports.image_registry import ImageRegistry
from bot.ports.store import Store
from runbooks.budget_planning import promise_of
from runbooks.ci_planning import asks_ci
from runbooks.configuration import Configuration
from runbooks.newsroom import Newsroom
from runbooks.openapi_planning import api_facts
from runbooks.planner import Facts, make_plan
from runbooks.running import running_image
from runbooks.source import unknown
from runbooks.spec import Runbook
from runbooks.surveying import Surveyor

RECORDS = 50
"""How many release records back a rollback may name a release."""


class Gatherer:
    """`bot.ports.planning.Planning` over the catalogue, the cluster, the registry and our own records."""

    def __init__(
        self,
        *,
        configuration: Callable[[], Configuration],
        clusters: Clusters,
        registry: ImageRegistry,
        store: Store,
        surveyor: Surveyor,
        newsroom: Newsroom,
    ) -> None:
        self._configuration = configuration
        self._clusters = clusters
        self._registry = registry
        self._store = store
        self._surveyor = surveyor
        self._newsroom = newsroom

    async def plan(self, request: Request) -> Plan:
        """See the port."""
        catalogue = self._configuration().catalogue
        service, environment = request.target.service, request.target.environment
        runbook = self._runbook(request)
        state = await self._live(catalogue.workload(service, environment))
        async with self._store.reading() as tx:
            records = list(await tx.releases(request.target, limit=RECORDS))
        live = running_image(state)
        running, unsealed = await self._sealed(live)
        artifact = await self._artifact(request, records, way_back_from=(history(state), running))
        require_another(request.target, artifact, live)
        traffic = await self._surveyor.facts(catalogue, request.target, runbook, state)
        news, unread = await self._newsroom.news(
            catalogue.service(service).repository, running, artifact, catalogue.people
        )
        gates = () if goes_back(request.verb, runbook.name) else self._configuration().gates_of(request.target)
        facts = Facts(
            workload=state.ref,
            protected=catalogue.environment(environment).protected,
            artifact=artifact,
            previous=previous(state, running, records),
            live_template=state.template_sha256,
            live_mark=state.annotations.get(RUN_MARK, ""),
            policy=catalogue.policy(environment, self._votes_as(request, runbook), exempt=bool(request.exempt)),
            channel=catalogue.channel(service, environment),
            smoke=catalogue.smoke(service, environment),
            notes=(*exemption(request), *notes(state), *unsealed, *traffic.notes, *unread),
            traffic=traffic.route,
            signals=traffic.signals,
            soaks_in=request.origin or catalogue.environment_before(environment),
            gates=gates,
            needs=catalogue.service(service).needs,
            needed_by=catalogue.needed_by(service),
            news=news,
            supply_chain=catalogue.supply_chain(service),
            api=api_facts(catalogue, service),
            ci=catalogue.ci_place(service) if asks_ci(runbook, gates) else None,
            promise=promise_of(catalogue, request, (*runbook.gates, *gates)),
        )
        return make_plan(request, runbook, facts)

    async def drift(self, request: Request, plan: Plan) -> str | None:
        """See the port."""
        try:
            state = await self._clusters.get(plan.workload.cluster).observe(plan.workload)
        except NotFoundError:
            return f"{plan.workload} is gone"
        if state.template_sha256 != plan.live_template:
            return f"{plan.workload} was changed by somebody else"
        if self._runbook_sha256(plan) != plan.runbook.sha256:
            return f"the runbook '{plan.runbook.name}' was edited"
        return await self._moved_ref(request, plan)

    async def _moved_ref(self, request: Request, plan: Plan) -> str | None:
        ref = request.ref
        if request.verb is Verb.PROMOTE:
            try:
                runs = running_image(await self._origin(request))
            except (NotFoundError, RefusedError, UsageError) as exc:
                return f"what runs in {request.origin} cannot be told any more: {exc}"
            return None if same_image(runs, plan.artifact.image) else f"{request.origin} runs another version now"
        if request.verb is Verb.ROLLBACK or DIGEST.fullmatch(ref):
            return None
        repository = ImageRef.parse(plan.artifact.image).repository
        try:
            now = await self._registry.resolve(repository, ref)
        except NotFoundError:
            return f"`{ref}` is no longer in the registry"
        if now.digest == plan.artifact.digest:
            return None
        return f"`{ref}` now means sha256:{short(now.digest)}, not sha256:{short(plan.artifact.digest)}"

    # --- facts ---

    async def _artifact(
        self, request: Request, records: list[ReleaseRecord], *, way_back_from: tuple[tuple[str, ...], str]
    ) -> Artifact:
        """What shall run. For a rollback `way_back_from` is what the workload remembers, and what it runs."""
        match request.verb:
            case Verb.ROLLBACK:
                wanted = way_back(request, records, *way_back_from)
                return await self._pinned(wanted, ref_of(wanted, records))
            case Verb.PROMOTE:
                return await self._carried(request)
        return await self._resolved(self._configuration().catalogue.service(request.target.service).image, request.ref)

    async def _carried(self, request: Request) -> Artifact:
        """What runs in the environment that it is promoted from, by digest: nothing is built or looked up anew."""
        runs = running_image(await self._origin(request))
        place = Target(request.target.service, request.origin)
        if digest_of(runs) is None:
            raise UsageError(
                f"{place.environment} runs `{runs}`, known by its tag alone: nobody can say what would be promoted.",
                hint=f"Release it there with `/deploy {place.service} <ref> {place.environment}` first.",
            )
        async with self._store.reading() as tx:
            records = list(await tx.releases(place, limit=RECORDS))
        return await self._pinned(runs, ref_of(runs, records))

    async def _origin(self, request: Request) -> WorkloadState:
        workload = self._configuration().catalogue.workload(request.target.service, request.origin)
        return await self._clusters.get(workload.cluster).observe(workload)

    def _runbook(self, request: Request) -> Runbook:
        configuration = self._configuration()
        target = request.target
        name = request.runbook or configuration.catalogue.runbook_name(target.service, target.environment, request.verb)
        if name not in configuration.runbooks:
            raise UsageError(unknown(f"There is no runbook '{name}'", name, configuration.runbooks))
        return configuration.runbooks[name]

    def _runbook_sha256(self, plan: Plan) -> str:
        found = self._configuration().runbooks.get(plan.runbook.name)
        return found.sha256 if found else ""

    async def _live(self, workload: WorkloadRef) -> WorkloadState:
        state = await self._clusters.get(workload.cluster).observe(workload)
        if state.owner:
            raise RefusedError(
                f"{workload} belongs to {state.owner}, which would undo a change; change the image there, or set the "
                "annotation sluice.dev/allow: 'true' on the workload to let Sluice act"
            )
        return state

    def _votes_as(self, request: Request, runbook: Runbook) -> Verb:
        """The fewer votes of a rollback are for the road that is known to be one, not for any runbook called by it."""
        target = request.target
        usual = self._configuration().catalogue.runbook_name(target.service, target.environment, Verb.ROLLBACK)
        return request.verb if runbook.name == usual else Verb.DEPLOY

    async def _sealed(self, running: str) -> tuple[str, tuple[str, ...]]:
        """What runs now by its digest, so that restoring it brings this very image; where the registry does not know
        its tag, as it is, with the risk to tell."""
        parsed = ImageRef.parse(running)
        if parsed.digest:
            return running, ()
        tag = parsed.tag or "latest"
        try:
            found = await self._registry.resolve(parsed.repository, tag)
        except PermanentError:
            risk = f"what runs now is known only by its tag `{tag}`: restoring it may bring another image"
            return running, (risk,)
        return str(parsed.pinned(found.digest)), ()

    async def _resolved(self, repository: str, ref: str) -> Artifact:
        if is_mutable(ref):
            raise UsageError(f"`{ref}` is a name that everybody moves.", hint="Name a version, a commit or a digest.")
        found = await self._registry.resolve(repository, ref)
        image = ImageRef(repository, found.tag).pinned(found.digest)
        return Artifact(str(image), found.digest, ref, found.commit, found.platforms)

    async def _pinned(self, image: str, ref: str) -> Artifact:
        parsed = ImageRef.parse(image)
        found = await self._registry.resolve(parsed.repository, parsed.digest or parsed.tag or "")
        pinned = str(parsed.pinned(found.digest))
        return Artifact(pinned, found.digest, ref, found.commit, found.platforms)


def require_another(target: Target, artifact: Artifact, live: str) -> None:
    """Raise UsageError where the very image runs already."""
    if artifact.digest == digest_of(live):
        digits = short(artifact.digest)
        raise UsageError(f"{target.service} in {target.environment} runs `{artifact.ref}` already (sha256:{digits}).")


def history(state: WorkloadState) -> tuple[str, ...]:
    """The healthy images that the workload itself remembers, newest first; empty when it remembers none."""
    try:
        written = json.loads(state.annotations.get(HISTORY_MARK, "[]"))
    except ValueError:
        return ()  # somebody edited the annotation by hand: it is only the second memory
    return tuple(image for image in written if isinstance(image, str)) if isinstance(written, list) else ()


def previous(state: WorkloadState, running: str, records: list[ReleaseRecord]) -> Previous:
    """What runs now, and what is known of it: from our records, else from the workload's own marks."""
    record = next((each for each in records if same_image(each.image, running)), None)
    known = tuple(image for image in history(state) if not same_image(image, running))
    since: datetime | None = record.since if record else None
    healthy = record.healthy if record else (False if state.faults else None)
    return Previous(running, ref_of(running, records), since, healthy, known)


def ref_of(image: str, records: list[ReleaseRecord]) -> str:
    """What people call an image: the reference it was released by, else its tag, else its short digest."""
    record = next((each for each in records if same_image(each.image, image)), None)
    if record:
        return record.ref
    parsed = ImageRef.parse(image)
    return parsed.tag or (f"sha256:{short(parsed.digest)}" if parsed.digest else image)


def way_back(request: Request, records: list[ReleaseRecord], marked: tuple[str, ...], running: str) -> str:
    """The image a rollback shall bring: the last known good one below what runs, or the healthy release that was named.

    Our records come first, then the marks on the workload: losing the database loses no way back. What is known by a
    tag alone is never offered. Raises UsageError that lists what there is.
    """
    healthy = known_good(records, marked)
    offer = ", ".join(f"`{ref_of(image, records)}`" for image in healthy if not same_image(image, running)) or "none"
    if not request.ref:
        best = _default(records, marked, running)
        if best is None:
            raise UsageError(
                f"Nothing healthy is known for {request.target} before what runs now.",
                hint=f"Name a version behind `to` (there are: {offer}), or deploy one.",
            )
        return best
    named = [image for image in healthy if means(request.ref, image, _refs(image, records))]
    if not named:
        raise UsageError(f"`{request.ref}` is no healthy release of {request.target}.", hint=f"There are: {offer}.")
    return named[0]


def known_good(records: list[ReleaseRecord], marked: tuple[str, ...]) -> list[str]:
    """Every image that proved healthy once, newest first: recorded ones, then what only the workload remembers."""
    recorded = {identity(record.image) for record in records}
    healthy = [record.image for record in records if record.healthy]
    remembered = [image for image in marked if identity(image) not in recorded]
    return list({identity(image): image for image in (*healthy, *remembered) if digest_of(image)}.values())


def _default(records: list[ReleaseRecord], marked: tuple[str, ...], running: str) -> str | None:
    good = last_known_good(records, running=running)
    recorded = {identity(record.image) for record in records} | {identity(running)}
    remembered = (image for image in marked if identity(image) not in recorded and digest_of(image))
    return good.image if good else next(remembered, None)


def _refs(image: str, records: list[ReleaseRecord]) -> list[str]:
    return [record.ref for record in records if same_image(record.image, image)]


def exemption(request: Request) -> tuple[str, ...]:
    """What those who vote must not miss: they let a change through a freeze."""
    if not request.exempt:
        return ()
    return (f"EXEMPT FROM THE FREEZE of {request.target.environment} if this is approved: {request.exempt}",)


def notes(state: WorkloadState) -> tuple[str, ...]:
    """Risks that people should see before they say yes."""
    said = []
    if state.faults:
        said.append(f"what runs now is not healthy: {state.faults[0].kind}, {state.faults[0].message}")
    if state.paused:
        said.append("the rollout of the workload is paused in the cluster")
    return tuple(said)
