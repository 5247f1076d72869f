"""soak: what the gate asks of the environment before, beyond what a chat shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.domain.errors import UsageError
from bot.domain.ids import RunId, StepKey
from bot.domain.json import Json
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.phase import StepPhase
from bot.domain.release import ReleaseRecord
from bot.domain.run import StepRun
from bot.domain.target import Target, WorkloadKind, WorkloadRef
from bot.ports.execution import StepContext
from bot.store.database import Database
from runbooks.gates.soak import SoakGate, SoakSpec
from tests.builders import OLD_DIGEST, REPOSITORY, a_plan, a_run, a_step
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.fakes.people import ANN

HOUR = timedelta(hours=1)
STAGING = WorkloadRef("main", "staging", WorkloadKind.DEPLOYMENT, "api")
KEY = StepKey("gates.soak")


class Cellar:
    """staging runs the image that prod shall get; its record is written when the test says so."""

    def __init__(self, store: Database) -> None:
        self.store, self.clock = store, FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.plan = a_plan()
        self.cluster.add(STAGING, self.plan.artifact.image)

    async def recorded(self, *, healthy: bool = True, image: str = "") -> None:
        """A release to staging has ended just now."""
        record = ReleaseRecord(
            Target("api", "staging"),
            image or self.plan.artifact.image,
            "v2",
            RunId("api-staging-4"),
            ANN,
            self.clock.now(),
            healthy=healthy,
        )
        async with self.store.transaction() as tx:
            await tx.add_release(record)

    async def asked(self, soak: str = "1h", *, place: str = "staging") -> Outcome:
        """What the gate says now; its first look."""
        params: dict[str, Json] = {"for": soak, "in": place}
        step = a_step("soak", section="gates", params=params, deadline=timedelta(minutes=30))
        seen = {KEY: StepRun(StepPhase.RUNNING, started_at=self.clock.now())}
        context = StepContext(a_run(plan=self.plan, steps=seen), step, self.clock.now(), token=1)
        return await SoakGate(FakeClusters(self.cluster), self.store, self._workload_of).reconcile(context)

    def _workload_of(self, service: str, environment: str) -> WorkloadRef:
        if environment != "staging":
            raise UsageError(f"{service} has no environment '{environment}'")
        return STAGING


def copied(template: Path, path: Path) -> Path:
    """A database of one's own."""
    path.write_bytes(template.read_bytes())
    return path


@asynccontextmanager
async def a_cellar(template: Path, folder: Path) -> AsyncIterator[Cellar]:
    """A cellar over an empty database."""
    async with Database(f"sqlite+aiosqlite:///{copied(template, folder / 'sluice.db')}") as store:
        yield Cellar(store)


async def test_it_passes_when_the_time_is_over(tmp_path: Path, template: Path) -> None:
    """To the second, and no sooner than that."""
    async with a_cellar(template, tmp_path) as cellar:
        await cellar.recorded()
        cellar.clock.advance(HOUR - timedelta(seconds=1))
        assert await cellar.asked() == Pending("has soaked 59m59s of 1h in staging", timedelta(seconds=1))
        cellar.clock.advance(timedelta(seconds=1))
        assert await cellar.asked() == Succeeded("healthy in staging for 1h")


async def test_no_time_asks_for_health_alone(tmp_path: Path, template: Path) -> None:
    """As for a promotion whose runbook does not soak."""
    async with a_cellar(template, tmp_path) as cellar:
        await cellar.recorded()
        assert isinstance(await cellar.asked("0s"), Succeeded)


async def test_it_waits_as_long_as_its_deadline_and_no_longer(tmp_path: Path, template: Path) -> None:
    """Half an hour left is waited for; a second more is for later, and the answer says when."""
    async with a_cellar(template, tmp_path) as cellar:
        await cellar.recorded()
        cellar.clock.advance(timedelta(minutes=29, seconds=59))
        refused = await cellar.asked()
        assert isinstance(refused, Failed)
        assert refused.reason.endswith("ask again after 2026-03-02 10:00 UTC, or now with `--at 2026-03-02T10:00Z`")
        cellar.clock.advance(timedelta(seconds=1))
        assert isinstance(await cellar.asked(), Pending)


async def test_another_image_there_fails_at_once(tmp_path: Path, template: Path) -> None:
    """The answer says what runs, and what to do first."""
    async with a_cellar(template, tmp_path) as cellar:
        cellar.cluster.edit(STAGING, image=f"{REPOSITORY}:v1@{OLD_DIGEST}")
        said = "staging runs `api:v1`, not this image; `/deploy api v2 staging` first"
        assert await cellar.asked() == Failed(said)


async def test_a_record_of_another_image_is_none(tmp_path: Path, template: Path) -> None:
    """Somebody set this one by hand since."""
    async with a_cellar(template, tmp_path) as cellar:
        await cellar.recorded(image=f"{REPOSITORY}:v1@{OLD_DIGEST}")
        outcome = await cellar.asked()
        assert isinstance(outcome, Failed)
        assert outcome.reason.startswith("nobody recorded how it came to staging")


async def test_a_release_that_did_not_end_well_never_soaks(tmp_path: Path, template: Path) -> None:
    """However long it has run since."""
    async with a_cellar(template, tmp_path) as cellar:
        await cellar.recorded(healthy=False)
        cellar.clock.advance(9 * HOUR)
        assert await cellar.asked() == Failed("its release to staging (`api-staging-4`) did not end well")


async def test_pods_that_are_not_ready_are_waited_for(tmp_path: Path, template: Path) -> None:
    """A rollout, or a node that is drained: not healthy now, and perhaps in a moment."""
    async with a_cellar(template, tmp_path) as cellar:
        await cellar.recorded()
        cellar.clock.advance(HOUR)
        cellar.cluster.scale(STAGING, 5)
        waits = await cellar.asked()
        assert isinstance(waits, Pending)
        assert waits.why == "3 of 5 pods are ready in staging"


async def test_an_environment_that_is_gone_is_named(tmp_path: Path, template: Path) -> None:
    """The catalogue was edited since the plan was made."""
    async with a_cellar(template, tmp_path) as cellar:
        said = "nobody knows where it should have soaked: api has no environment 'canary'"
        assert await cellar.asked(place="canary") == Failed(said)


async def test_a_tag_is_not_the_image_that_it_meant(tmp_path: Path, template: Path) -> None:
    """What runs there by a tag alone may be anything."""
    async with a_cellar(template, tmp_path) as cellar:
        cellar.cluster.edit(STAGING, image=f"{REPOSITORY}:v2")
        await cellar.recorded()
        assert isinstance(await cellar.asked("0s"), Failed)


def test_it_reads_aloud() -> None:
    """With and without a place and a time."""
    assert SoakSpec.model_validate({}).read_aloud() == "The same image must have run healthy in the environment before."
    spec = SoakSpec.model_validate({"for": "1h", "in": "staging"})
    assert spec.read_aloud() == "The same image must have run healthy in staging for 1h."
