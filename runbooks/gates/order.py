"""order: what is to run is not older than what runs; only a rollback goes back.

By commit where both images name theirs (`org.opencontainers.image.revision`) and the catalogue names the repository;
else by the time at which they were built.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import assert_never

from bot.domain.errors import NotFoundError, UsageError
from bot.domain.image import ImageRef
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.plan import Verb
from bot.ports.commits import Ancestry, Commits, Comparison
from bot.ports.execution import StepContext
from bot.ports.image_registry import ImageRegistry, ResolvedImage
from runbooks.durations import roughly
from runbooks.kinds import GateKind, StepSpec

NEXT_LOOK = timedelta(seconds=15)
AHEAD_OF_US = timedelta(minutes=5)
"""How far the clock of a build machine may be ahead of ours."""

BEFORE_IMAGES = datetime(2013, 3, 20, tzinfo=UTC)
"""Docker was first shown in March 2013. What claims to be built before was built reproducibly, with a time set to zero
(https://reproducible-builds.org/docs/source-date-epoch/; 1970, or 1980 from a ZIP archive)."""

RepositoryOf = Callable[[str], str | None]
"""The repository of a service, as the catalogue names it. Raises UsageError."""


class OrderSpec(StepSpec):
    """There is nothing to set: whoever wants to go back rolls back."""

    def read_aloud(self) -> str:
        return "The version must not be older than what runs, unless this is a rollback."


KIND = GateKind(
    name="order",
    spec=OrderSpec,
    deadline=timedelta(minutes=2),
    about="An older build never overtakes a newer one, except by rollback.",
)


class OrderGate:
    """Compares what is to run with what ran when the plan was sealed. `commits` `None`: no server of repositories is
    configured, and the build times decide."""

    def __init__(self, registry: ImageRegistry, commits: Commits | None, repository_of: RepositoryOf) -> None:
        self._registry = registry
        self._commits = commits
        self._repository_of = repository_of

    async def reconcile(self, context: StepContext) -> Outcome:
        plan = context.plan
        if plan.verb is Verb.ROLLBACK:
            return Succeeded("a rollback may be older")
        if plan.previous is None:
            return Succeeded("nothing ran before")
        new, running = await self._found(plan.artifact.image), await self._found(plan.previous.image)
        if new is None or running is None:
            which = "this image" if new is None else f"what runs (`{plan.previous.ref}`)"
            return _unknown(f"the registry does not know {which} by its digest", context)
        repository = self._repository_of(plan.target.service)
        if repository and self._commits and new.commit and running.commit:
            try:
                compared = await self._commits.compare(repository, running.commit, new.commit)
            except UsageError as exc:
                return Failed(f"{repository} cannot be asked which commit is older: {exc}")
            return _by_commit(compared, context)
        return _by_time(new.created, running.created, context)

    async def _found(self, image: str) -> ResolvedImage | None:
        """By digest alone: a tag may mean another image by now."""
        parsed = ImageRef.parse(image)
        if parsed.digest is None:
            return None
        try:
            return await self._registry.resolve(parsed.repository, parsed.digest)
        except NotFoundError:
            return None


def _by_commit(found: Comparison, context: StepContext) -> Outcome:
    count = f"{found.total} commit{'' if found.total == 1 else 's'}"
    match found.ancestry:
        case Ancestry.AHEAD:
            return Succeeded(f"{count} ahead of what runs", link=found.url)
        case Ancestry.IDENTICAL:
            return Succeeded("the same commit as what runs", link=found.url)
        case Ancestry.BEHIND:
            return Failed(f"its commit is older than the one that runs; {_back(context)}", link=found.url)
        case Ancestry.DIVERGED:
            said = "its commit and the one that runs have diverged: it lacks something that runs now"
            return Failed(f"{said}; merge or rebase, build, and release that, or {_back(context)}", link=found.url)
        case _:
            assert_never(found.ancestry)


def _by_time(new: datetime | None, running: datetime | None, context: StepContext) -> Outcome:
    built, before = _believable(new, context.now), _believable(running, context.now)
    if built is None or before is None:
        which = "this image" if built is None else "what runs"
        return _unknown(f"{which} does not say when it was built, or says a time that cannot be", context)
    if built == before:
        return _unknown("both images say the same build time", context)
    if built > before:
        return Succeeded(f"built {roughly(built - before)} after what runs")
    return Failed(f"it was built {roughly(before - built)} before what runs; {_back(context)}")


def _believable(at: datetime | None, now: datetime) -> datetime | None:
    if at is None or at.tzinfo is None:
        return None
    return at if BEFORE_IMAGES <= at <= now + AHEAD_OF_US else None


def _unknown(why: str, context: StepContext) -> Pending:
    """Waits, until the gate's deadline makes it a failure: a registry may still be copying."""
    fix = "build it with the label org.opencontainers.image.revision and name the service's repository in sluice.yaml"
    return Pending(f"nobody can tell which is older: {why}; {fix}, or {_back(context)}", NEXT_LOOK)


def _back(context: StepContext) -> str:
    target, ref = context.plan.target, context.plan.artifact.ref
    return f"to go back on purpose: `/rollback {target.service} {target.environment} to {ref}`"
