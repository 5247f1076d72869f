"""Runbooks that people wrote themselves: jobs, waits, words, and what one step tells another."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID
from tests.fakes.workspace import PROD
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import REPOSITORY, World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

MIGRATING = """
name: migrating
about: Migrate, release, tell.
gates: [image]
steps:
  - approval
  - job: {name: migrate, run: [alembic, upgrade, head], deadline: 10m}
  - set_image
  - rollout
  - notify: {text: "schema ${steps.migrate.outputs.revision} runs under ${artifact.ref} (${run})", channel: "#prod"}
on_failure:
  - restore
"""

BAKING = """
name: baking
about: Release, and look again after a while.
steps:
  - set_image
  - rollout: {deadline: 1m}
  - wait: 30m
  - smoke
  - notify: "`${artifact.ref}` has baked in ${environment}."
on_failure:
  - restore
"""


async def migrates(world: World, environment: str = "staging", tag: str = "v2") -> None:
    """ann releases by the runbook that migrates."""
    world.cluster.job_said = ("upgraded", '{"revision": "a1b2"}')
    await world.says(ANN, f"deploy api {tag} {environment} --runbook migrating")


async def test_a_job_runs_before_the_image_is_set(tmp_path: Path, template: Path) -> None:
    """With the new image, once."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        await migrates(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert [write.verb for write in world.cluster.writes] == ["run_job", "set_image"]
        [job] = world.cluster.jobs.values()
        assert ":v2@" in job.spec.image


async def test_what_a_job_said_is_told_by_a_later_step(tmp_path: Path, template: Path) -> None:
    """Its last line is JSON, and `${steps.migrate.outputs.revision}` looks into it; the channel is another one."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        await migrates(world)
        await world.finishes()
        assert world.workspace.live(PROD) == ["schema a1b2 runs under v2 (api-staging-1)"]


async def test_an_output_that_was_never_said_fails_the_step(tmp_path: Path, template: Path) -> None:
    """And what was changed is undone: nobody guesses a value."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        await world.says(ANN, "deploy api v2 staging --runbook migrating")
        run = await world.finishes()
        assert run.phase is Phase.RESTORED
        assert "the step migrate gave no output 'revision'" in run.reason
        assert world.image("staging") == "v1"


async def test_a_job_that_fails_stops_the_release_before_the_image(tmp_path: Path, template: Path) -> None:
    """Its last words are in the thread."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        world.registry.push(REPOSITORY, "v2-jobfail")
        await migrates(world, tag="v2-jobfail")
        await world.finishes()
        assert world.image("staging") == "v1"
        assert any("BackoffLimitExceeded" in text and "exit status 1" in text for text in world.thread())


async def test_a_job_waits_for_the_votes(tmp_path: Path, template: Path) -> None:
    """A migration changes something, too."""
    async with world_with(tmp_path, template, MIGRATING) as world:
        await migrates(world, "prod")
        await world.passes(MINUTE)
        assert world.cluster.writes == []
        for person in (BOB, CID):
            await world.reacts(person, "white_check_mark")
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_protected_environment_refuses_a_runbook_that_asks_nobody(tmp_path: Path, template: Path) -> None:
    """With the step, its file and line, and what to write."""
    async with world_with(tmp_path, template, BAKING) as world:
        await world.says(ANN, "deploy api v2 prod --runbook baking")
        await world.passes(SECOND)
        said = world.workspace.whispers(ANN)[-1]
        assert "changes prod before anybody is asked: its step 'set_image'" in said
        assert "Put '- approval' before it." in said
        assert world.image_changes() == 0


async def test_a_wait_takes_its_time_and_says_how_much_is_left(tmp_path: Path, template: Path) -> None:
    """Then the release goes on by itself, and tells."""
    async with world_with(tmp_path, template, BAKING) as world:
        await world.says(ANN, "deploy api v2 staging --runbook baking")
        await world.passes(MINUTE)
        assert "waiting: 30m of 30m left" in world.live()
        await world.passes(timedelta(minutes=28))
        assert (await world.newest()).phase is Phase.RUNNING
        await world.passes(2 * MINUTE)
        assert (await world.newest()).phase is Phase.SUCCEEDED
        assert "`v2` has baked in staging." in world.workspace.live()


async def test_a_wait_goes_on_counting_while_the_process_is_dead(tmp_path: Path, template: Path) -> None:
    """Half an hour is half an hour."""
    async with world_with(tmp_path, template, BAKING) as world:
        await world.says(ANN, "deploy api v2 staging --runbook baking")
        await world.passes(MINUTE)
        await world.kill()
        world.clock.advance(40 * MINUTE)
        await world.start()
        await world.passes(5 * SECOND)
        assert (await world.newest()).phase is Phase.SUCCEEDED


async def test_a_wait_can_be_aborted(tmp_path: Path, template: Path) -> None:
    """At once, and what was released is undone."""
    async with world_with(tmp_path, template, BAKING) as world:
        await world.says(ANN, "deploy api v2 staging --runbook baking")
        await world.passes(5 * MINUTE)
        await world.says(BOB, "abort api staging")
        await world.passes(10 * SECOND)
        assert (await world.newest()).phase is Phase.RESTORED
        assert world.image("staging") == "v1"


async def test_a_step_with_a_short_deadline_is_undone_when_it_is_over(tmp_path: Path, template: Path) -> None:
    """Slow pods, an impatient runbook."""
    async with world_with(tmp_path, template, BAKING.replace("deadline: 1m", "deadline: 10s")) as world:
        world.registry.push(REPOSITORY, "v2-slow")
        await world.says(ANN, "deploy api v2-slow staging --runbook baking")
        run = await world.finishes()
        assert run.phase is Phase.RESTORED
        assert run.reason == "rollout failed: not done within 10 s: 0 of 3 pods ready"


async def test_a_hotfix_tells_the_channel(world: World) -> None:
    """The library's own: impatient, and it reminds everybody of the way back to the main line."""
    async with world:
        await world.says(ANN, "deploy api v2 staging --runbook hotfix")
        await world.finishes()
        assert any("Hotfix `v2` of api runs in staging (api-staging-1)" in text for text in world.workspace.live())
