"""order: an older build never overtakes a newer one; what nobody can tell never passes."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import NotFoundError, RefusedError, SluiceError, UnreachableError, UsageError
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.plan import Artifact, Previous, Verb
from bot.ports.commits import Ancestry
from bot.ports.execution import StepContext
from bot.ports.image_registry import REVISION
from runbooks.gates.order import OrderGate
from tests.builders import NOW, REPOSITORY, a_plan, a_planned_run, a_step
from tests.fakes.commits import FakeCommits
from tests.fakes.image_registry import FakeRegistry

SOURCE = "github.com/acme/api"
OLD, NEW = "1" * 40, "2" * 40
DAY = timedelta(days=1)
ZERO = datetime(1970, 1, 1, tzinfo=UTC)


class Shelf:
    """v1 runs, v2 is to run; each has the commit and the build time that a test gives it."""

    def __init__(self) -> None:
        self.registry, self.commits = FakeRegistry(), FakeCommits()
        self.repository: str | None = SOURCE
        self.verb = Verb.DEPLOY
        self.previous: str | None = None

    async def asked(
        self, *, commits: tuple[str, str] = ("", ""), built: tuple[datetime | None, datetime | None] = (None, None)
    ) -> Outcome:
        """What the gate says; each pair is (what runs, what is to run)."""
        digests = [
            self.registry.push(REPOSITORY, tag, labels={REVISION: commit} if commit else {}, created=at)
            for tag, commit, at in zip(("v1", "v2"), commits, built, strict=True)
        ]
        running = self.previous or f"{REPOSITORY}:v1@{digests[0]}"
        plan = a_plan(
            verb=self.verb,
            artifact=Artifact(f"{REPOSITORY}:v2@{digests[1]}", digests[1], "v2"),
            previous=Previous(running, "v1"),
        )
        context = StepContext(a_planned_run(plan=plan), a_step("order", section="gates"), NOW, token=1)
        return await OrderGate(self.registry, self.commits, lambda _service: self.repository).reconcile(context)


BOTH = (OLD, NEW)


@pytest.mark.parametrize(
    ("ancestry", "said"), [(Ancestry.AHEAD, "3 commits ahead of what runs"), (Ancestry.IDENTICAL, "the same commit")]
)
async def test_what_holds_all_of_what_runs_passes(ancestry: Ancestry, said: str) -> None:
    """By commit, whatever the images say of their build times."""
    shelf = Shelf()
    shelf.commits.stands(SOURCE, OLD, NEW, ancestry, total=3)
    found = await shelf.asked(commits=BOTH, built=(NOW, NOW - DAY))
    assert isinstance(found, Succeeded)
    assert found.said.startswith(said)
    assert found.link == f"https://{SOURCE}/compare"


async def test_without_commits_the_build_times_decide() -> None:
    """As where the catalogue names no repository."""
    shelf = Shelf()
    assert await shelf.asked(built=(NOW - DAY, NOW)) == Succeeded("built 1d after what runs")
    shelf.repository = None
    assert await shelf.asked(commits=BOTH, built=(NOW - DAY, NOW)) == Succeeded("built 1d after what runs")


async def test_a_rollback_may_be_older() -> None:
    """That is what it is for."""
    shelf = Shelf()
    shelf.verb = Verb.ROLLBACK
    assert isinstance(await shelf.asked(built=(NOW, NOW - DAY)), Succeeded)


@pytest.mark.parametrize(
    ("ancestry", "said"),
    [(Ancestry.BEHIND, "older than the one that runs"), (Ancestry.DIVERGED, "have diverged")],
)
async def test_what_lacks_something_that_runs_fails(ancestry: Ancestry, said: str) -> None:
    """With what to do, though it was built later."""
    shelf = Shelf()
    shelf.commits.stands(SOURCE, OLD, NEW, ancestry, total=3)
    found = await shelf.asked(commits=BOTH, built=(NOW - DAY, NOW))
    assert isinstance(found, Failed)
    assert said in found.reason
    assert "`/rollback api prod to v2`" in found.reason


async def test_what_was_built_before_fails() -> None:
    """By as much as it says."""
    found = await Shelf().asked(built=(NOW, NOW - DAY))
    assert isinstance(found, Failed)
    assert "built 1d before what runs" in found.reason


@pytest.mark.parametrize(
    "built",
    [
        (None, None),
        (None, NOW),
        (NOW, None),
        (ZERO, NOW),
        (ZERO, ZERO),
        (NOW - DAY, ZERO),
        (datetime(1980, 1, 1, tzinfo=UTC), NOW),
        (NOW - DAY, NOW + DAY),
        (NOW + DAY, NOW + 2 * DAY),
        (NOW, NOW),
        (NOW - DAY, NOW.replace(tzinfo=None)),
        (NOW - DAY, datetime.max.replace(tzinfo=UTC)),
    ],
    ids=str,
)
async def test_times_that_say_nothing_never_pass(built: tuple[datetime | None, datetime | None]) -> None:
    """Absent, zero, equal, without a zone or in the future: it waits, and says how to make it known."""
    found = await Shelf().asked(built=built)
    assert isinstance(found, Pending)
    assert "org.opencontainers.image.revision" in found.why


@pytest.mark.parametrize("previous", [f"{REPOSITORY}:v1", f"{REPOSITORY}:v0@sha256:{'9' * 64}"])
async def test_what_runs_must_be_known_by_its_digest(previous: str) -> None:
    """A tag may mean another image by now, and a digest may be gone from the registry."""
    shelf = Shelf()
    shelf.previous = previous
    found = await shelf.asked(built=(NOW - DAY, NOW))
    assert isinstance(found, Pending)
    assert "what runs (`v1`)" in found.why


@pytest.mark.parametrize(
    "error", [UnreachableError("down"), RefusedError("HTTP 403"), NotFoundError("no such commit")], ids=str
)
async def test_a_server_that_does_not_tell_is_not_passed_over(error: SluiceError) -> None:
    """The engine makes a wait or a failure of it; the build times are no second opinion."""
    shelf = Shelf()
    shelf.commits.error = error
    with pytest.raises(type(error)):
        await shelf.asked(commits=BOTH, built=(NOW - DAY, NOW))


async def test_a_repository_without_a_server_fails_with_what_is_missing() -> None:
    """It is named in the catalogue, so somebody meant it to be asked."""
    shelf = Shelf()
    shelf.commits.error = UsageError("nobody knows a server for github.com; write 'repositories'")
    found = await shelf.asked(commits=BOTH, built=(NOW - DAY, NOW))
    assert isinstance(found, Failed)
    assert "write 'repositories'" in found.reason
