"""One release at a time on a target; the others wait in line, and begin by themselves."""

from datetime import timedelta

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FIRST, SECOND_RUN, THIRD = "api-staging-1", "api-staging-2", "api-staging-3"


async def three_ask(world: World) -> None:
    """Three people want three versions at once."""
    for person, tag in ((ANN, "v2"), (BOB, "v3"), (CID, "v2")):
        await world.says(person, f"deploy api {tag} staging")


async def test_a_second_deploy_waits_and_begins_by_itself(world: World) -> None:
    """Nobody has to come back and ask again."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        await world.says(BOB, "deploy api v3 staging")
        await world.passes(SECOND)
        assert (await world.run(SECOND_RUN)).phase is Phase.QUEUED
        await world.finishes()
        assert (await world.run(FIRST)).phase is Phase.SUCCEEDED
        assert (await world.run(SECOND_RUN)).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v3"


async def test_everybody_in_line_is_told_their_place(world: World) -> None:
    """And behind whom, and how to leave."""
    async with world:
        await three_ask(world)
        await world.passes(SECOND)
        for person, place, run in ((BOB, 1, SECOND_RUN), (CID, 2, THIRD)):
            told = [text for text in world.workspace.whispers(person) if f"place {place}, behind `{FIRST}`" in text]
            assert len(told) == 1
            assert f"`/release abort {run}` leaves the line" in told[0]


async def test_the_line_moves_in_order(world: World) -> None:
    """Whoever asked first is first."""
    async with world:
        await three_ask(world)
        await world.finishes()
        changes = [write.detail.rpartition("@")[0].rpartition(":")[2] for write in world.cluster.writes]
        assert changes == ["v2", "v3", "v2"]
        begun = [(await world.run(run)).started_at for run in (FIRST, SECOND_RUN, THIRD)]
        assert begun == sorted(begun, key=str)


async def test_one_who_leaves_the_line_does_not_hold_it_up(world: World) -> None:
    """Nothing of it happens, only its requester is told, and the next moves up."""
    async with world:
        await three_ask(world)
        await world.says(BOB, f"abort {SECOND_RUN}")
        await world.finishes()
        run = await world.run(SECOND_RUN)
        assert (run.phase, run.changed) == (Phase.ABORTED, False)
        assert any("was aborted by <@U0BOB>" in text for text in world.workspace.whispers(BOB))
        assert not any("v3" in text for text in world.workspace.live())
        assert (await world.run(THIRD)).phase is Phase.REFUSED


async def test_another_target_does_not_wait(world: World) -> None:
    """prod is not staging."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        await world.says(BOB, "deploy api v2 prod")
        assert (await world.run("api-prod-1")).phase is Phase.RUNNING


async def test_a_failed_release_lets_the_next_begin(world: World) -> None:
    """It is undone first."""
    async with world:
        world.registry.push("registry.example/acme/api", "v9-crash")
        await world.says(ANN, "deploy api v9-crash staging")
        await world.says(BOB, "deploy api v3 staging")
        await world.finishes()
        assert (await world.run(FIRST)).phase is Phase.RESTORED
        assert (await world.run(SECOND_RUN)).phase is Phase.SUCCEEDED
        previous = (await world.run(SECOND_RUN)).sealed_plan().previous
        assert previous is not None
        assert previous.ref == "v1"


# --- later ---


async def test_a_release_for_later_begins_at_its_time(world: World) -> None:
    """Not a minute before, and it says so when it is asked for."""
    async with world:
        await world.says(ANN, "deploy api v2 staging --at 10:00")
        await world.passes(SECOND)
        assert any("It begins at 10:00 UTC" in text for text in world.workspace.whispers(ANN))
        await world.passes(timedelta(minutes=59))
        assert world.image_changes() == 0
        await world.passes(2 * MINUTE)
        assert (await world.run(FIRST)).phase is Phase.SUCCEEDED


async def test_a_release_for_later_stands_in_nobodys_way(world: World) -> None:
    """Others release meanwhile; it plans against what runs then."""
    async with world:
        await world.says(ANN, "deploy api v2 staging --at 10:00")
        await world.says(BOB, "deploy api v3 staging")
        await world.finishes()
        assert world.image("staging") == "v3"
        await world.passes(timedelta(hours=1, minutes=1))
        assert world.image("staging") == "v2"
        previous = (await world.run(FIRST)).sealed_plan().previous
        assert previous is not None
        assert previous.ref == "v3"


async def test_a_release_for_later_can_be_taken_back(world: World) -> None:
    """And never happens."""
    async with world:
        await world.says(ANN, "deploy api v2 staging --at 10:00")
        await world.says(ANN, f"abort {FIRST}")
        await world.passes(timedelta(hours=2))
        assert (await world.run(FIRST)).phase is Phase.ABORTED
        assert world.image_changes() == 0


async def test_a_release_for_later_survives_a_restart(world: World) -> None:
    """Its time is in the database."""
    async with world:
        await world.says(ANN, "deploy api v2 staging --at 10:00")
        await world.kill()
        world.clock.advance(timedelta(hours=3))
        await world.start()
        await world.passes(MINUTE)
        assert (await world.run(FIRST)).phase is Phase.SUCCEEDED
