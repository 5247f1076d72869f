"""Rollback is one command: it names what it will restore, and finds the way back whatever was lost."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.world import REPOSITORY, World, workload

YES = "white_check_mark"
SECOND = timedelta(seconds=1)


async def releases(world: World, *tags: str) -> None:
    """Versions are released to staging, one after another."""
    for tag in tags:
        await world.says(ANN, f"deploy api {tag} staging")
        await world.finishes()


async def back(world: World, *words: str) -> Phase:
    """ann rolls staging back; how that ended."""
    await world.says(ANN, " ".join(["rollback api staging", *words]))
    return (await world.finishes()).phase


async def test_it_goes_back_to_the_last_known_good(world: World) -> None:
    """And the message says to what before anything happens."""
    async with world:
        await releases(world, "v2", "v3")
        await world.says(ANN, "rollback api staging")
        assert "back to `v2` in *staging*" in world.live()
        assert world.image("staging") == "v2"
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_it_proves_that_the_service_answers(world: World) -> None:
    """A rollback is followed and tested like a deploy."""
    async with world:
        await releases(world, "v2")
        before = len(world.prober.requests)
        await back(world)
        assert len(world.prober.requests) == before + 1


async def test_it_passes_over_what_was_bad(world: World) -> None:
    """A release that was undone is no way back."""
    async with world:
        world.registry.push(REPOSITORY, "v9-crash")
        await releases(world, "v2", "v9-crash", "v3")
        assert await back(world) is Phase.SUCCEEDED
        assert world.image("staging") == "v2"


async def test_going_back_twice_goes_further(world: World) -> None:
    """Not to and fro between two versions… unless that is what is known."""
    async with world:
        await releases(world, "v2", "v3")
        assert await back(world) is Phase.SUCCEEDED
        assert await back(world, "to", "v2") is Phase.REFUSED
        assert "runs `v2` already" in world.workspace.whispers(ANN)[-1]


async def test_it_may_name_a_healthy_release(world: World) -> None:
    """Further back than the last."""
    async with world:
        await releases(world, "v2", "v3", "v2", "v3")
        assert await back(world, "to", "v2") is Phase.SUCCEEDED
        assert world.image("staging") == "v2"


async def test_a_release_that_never_ran_is_no_way_back(world: World) -> None:
    """The answer lists what there is."""
    async with world:
        await releases(world, "v2", "v3")
        assert await back(world, "to", "v7") is Phase.REFUSED
        assert "There are: `v2`" in world.workspace.whispers(ANN)[-1]


async def test_it_is_one_command_although_another_release_waits_for_votes(world: World) -> None:
    """v2 in prod is bad, and somebody has asked for v3: v3 is stopped, and the way back stands in the channel."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.finishes()
        await world.says(ANN, "deploy api v3 prod")
        await world.passes(5 * SECOND)
        await world.says(DAN, "rollback api prod")
        await world.passes(5 * SECOND)
        assert (await world.run("api-prod-2")).phase is Phase.ABORTED
        assert "`v1`" in world.live()
        await world.reacts(DAN, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v1"


async def test_on_call_votes_for_its_own_rollback_only(world: World) -> None:
    """dan is on call and no approver: his vote counts when he asked for the way back, and not when ann did."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.finishes()
        await world.says(ANN, "rollback api prod")
        await world.passes(5 * SECOND)
        await world.reacts(DAN, YES)
        await world.passes(60 * SECOND)
        assert world.image("prod") == "v2"
        assert "<@U0DAN> (is not in the group)" in world.live()
        await world.says(ANN, "abort api prod")
        await world.says(DAN, "rollback api prod")
        await world.passes(5 * SECOND)
        await world.reacts(DAN, YES)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("prod") == "v1"


async def test_the_very_first_release_has_a_way_back(world: World) -> None:
    """Nobody recorded v1, but the workload remembers what ran before."""
    async with world:
        await releases(world, "v2")
        assert await back(world) is Phase.SUCCEEDED
        assert world.image("staging") == "v1"


async def test_without_anything_before_it_says_so(world: World) -> None:
    """And changes nothing."""
    async with world:
        assert await back(world) is Phase.REFUSED
        assert "Nothing healthy is known for api/staging" in world.workspace.whispers(ANN)[-1]
        assert world.image_changes() == 0


async def test_a_lost_database_loses_no_way_back(world: World, template: Path) -> None:
    """The workload itself remembers its healthy images; numbers begin anew, and nothing is refused for that."""
    async with world:
        await releases(world, "v2", "v3")
        await world.kill()
        world.lose_database(template)
        await world.start()
        assert await back(world) is Phase.SUCCEEDED
        assert world.image("staging") == "v2"


async def test_after_a_lost_database_one_can_still_deploy(world: World, template: Path) -> None:
    """A mark of a run with a higher number does not fence the new ones out."""
    async with world:
        await releases(world, "v2", "v3")
        await world.kill()
        world.lose_database(template)
        await world.start()
        await releases(world, "v2")
        assert (await world.newest()).phase is Phase.SUCCEEDED


async def test_a_rollback_that_fails_brings_back_what_ran(world: World) -> None:
    """The old version does not come up any more: nobody is left with nothing."""
    async with world:
        await releases(world, "v2", "v3")
        await world.says(ANN, "rollback api staging")
        world.cluster.behave(workload("staging"), "crash")
        assert (await world.finishes()).phase is Phase.RESTORED
        assert world.image("staging") == "v3"


async def test_a_way_back_that_left_the_registry_is_not_begun(world: World) -> None:
    """The image was deleted: refused before anything changes."""
    async with world:
        await releases(world, "v2")
        del world.registry._images[REPOSITORY, world.registry._tags[REPOSITORY]["v1"]]
        assert await back(world) is Phase.REFUSED
        assert world.image("staging") == "v2"


async def test_a_dry_run_of_a_rollback_names_the_way_back(world: World) -> None:
    """And does nothing."""
    async with world:
        await releases(world, "v2")
        await world.says(ANN, "rollback api staging --dry-run")
        await world.passes(SECOND)
        assert "from `v2`" in world.workspace.whispers(ANN)[-1]
        assert "to `v1`" in world.workspace.whispers(ANN)[-1]
        assert world.image("staging") == "v2"
