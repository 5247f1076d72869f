"""Jobs of a release: which is which, what they leave behind, and when they must end."""

from datetime import timedelta
from pathlib import Path

from bot.domain.errors import UnreachableError
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import workload

YES = "white_check_mark"
MINUTE = timedelta(minutes=1)

UPDOWN = """
name: updown
about: Migrate up; on failure migrate down.
steps:
  - approval
  - job: [alembic, upgrade, head]
  - set_image
  - rollout
on_failure:
  - restore
  - job: [alembic, downgrade, "-1"]
"""

MIGRATING = """
name: migrating
about: Migrate, release.
steps:
  - approval
  - job: {name: migrate, run: [alembic, upgrade, head], deadline: 10m}
  - set_image
  - rollout
on_failure:
  - restore
"""


async def test_the_downgrade_job_of_on_failure_runs(tmp_path: Path, template: Path) -> None:
    """A job of on_failure must not be taken for the job of steps that has the same (default) name."""
    async with world_with(tmp_path, template, UPDOWN) as world:
        world.registry.push("registry.example/acme/api", "v9-crash")
        await world.says(ANN, "deploy api v9-crash staging --runbook updown")
        await world.finishes()
        commands = [job.spec.command for job in world.cluster.jobs.values()]
        assert ("alembic", "downgrade", "-1") in commands, commands


async def test_a_job_that_ran_in_an_outage_is_not_asked_about_anew(tmp_path: Path, template: Path) -> None:
    """The Job was made but its answer was lost; a vote is taken back in the outage."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        await world.says(ANN, "deploy api v2 prod --runbook migrating")
        await world.passes(timedelta(seconds=5))

        def lost(when: str, what: str) -> None:
            if when == "after" and what.startswith("run_job"):
                world.cluster.down = True
                raise UnreachableError("the answer was lost")

        world.cluster.on_write = lost
        await world.reacts(BOB, YES)
        await world.reacts(CID, YES)
        assert [w.verb for w in world.cluster.writes] == ["run_job"]
        await world.takes_back(CID, YES)
        await world.passes(2 * MINUTE)
        world.cluster.on_write = None
        world.cluster.down = False
        await world.passes(2 * MINUTE)
        await world.says(ANN, "abort api-prod-1")
        await world.passes(1 * MINUTE)
        assert "Nothing was changed" not in world.live()


async def test_an_abort_ends_the_running_job(tmp_path: Path, template: Path) -> None:
    """A migration must not go on in a release that everybody reads as undone, nor beside the next one."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        world.cluster.job_s = 600
        await world.says(ANN, "deploy api v2 staging --runbook migrating")
        await world.passes(timedelta(seconds=5))
        assert world.cluster.jobs
        await world.says(ANN, "abort api staging")
        run = await world.finishes()
        assert run.phase.final
        left = [
            name for (_, name), job in world.cluster.jobs.items() if world.cluster.job_state(job).phase == "running"
        ]
        assert not left, f"still running: {left}"


async def test_a_hand_change_during_a_job_is_not_overwritten(tmp_path: Path, template: Path) -> None:
    """Sluice has never written to the workload; the job fails; what people set by hand stays."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        world.registry.push("registry.example/acme/api", "v2-jobfail")
        world.cluster.job_s = 60
        await world.says(ANN, "deploy api v2-jobfail staging --runbook migrating")
        await world.passes(timedelta(seconds=5))
        world.cluster.edit(workload("staging"), image="registry.example/acme/api:v3")
        await world.finishes()
        assert world.cluster.image(workload("staging")) == "registry.example/acme/api:v3"


async def test_a_hand_change_during_a_job_is_not_overwritten_by_the_release(tmp_path: Path, template: Path) -> None:
    """The plan said v1 -> v2; meanwhile somebody set v3 by hand; the release must not write over it unseen."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        world.cluster.job_s = 60
        await world.says(ANN, "deploy api v2 prod --runbook migrating")
        await world.passes(timedelta(seconds=5))
        await world.reacts(BOB, YES)
        await world.reacts(CID, YES)
        await world.passes(timedelta(seconds=5))
        world.cluster.edit(workload("prod"), image="registry.example/acme/api:v3")
        await world.finishes()
        assert world.cluster.image(workload("prod")) == "registry.example/acme/api:v3"
