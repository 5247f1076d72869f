"""The last look at the votes before a change, and what happens when it cannot be made."""

from datetime import timedelta

from bot.domain.phase import Phase
from tests.crash.mortality import KilledError
from tests.fakes.people import ANN, BOB, CID
from tests.fakes.workspace import APPROVERS, DEPLOYS
from tests.scenarios.test_approvals import NO, YES, asked
from tests.scenarios.world import REPOSITORY, World, workload

MINUTE = timedelta(minutes=1)


async def approved_while_paused(world: World) -> None:
    """Two votes are counted; nothing may begin yet."""
    await asked(world)
    await world.says(ANN, "pause api-prod-1")
    for person in (BOB, CID):
        await world.reacts(person, YES)
    assert (await world.newest()).approval is not None


async def test_a_group_that_is_gone_at_the_last_look_never_passes(world: World) -> None:
    """Both votes are taken back and the group is deleted: who may vote is unknown, so nothing happens."""
    async with world:
        await approved_while_paused(world)
        for person in (BOB, CID):
            await world.takes_back(person, YES)
        del world.workspace.groups[APPROVERS]
        await world.says(ANN, "resume api-prod-1")
        await world.passes(10 * MINUTE)
        assert world.image_changes() == 0
        assert not (await world.newest()).changed


async def test_a_no_after_the_quorum_rejects(world: World) -> None:
    """Until the change starts one eligible no ends it; nobody is asked again."""
    async with world:
        await approved_while_paused(world)
        await world.reacts(BOB, NO)
        await world.says(ANN, "resume api-prod-1")
        await world.passes(MINUTE)
        assert (await world.newest()).phase is Phase.REJECTED
        assert world.image_changes() == 0


async def test_a_channel_shared_after_the_quorum_voids(world: World) -> None:
    """People of another organisation came in between vote and use."""
    async with world:
        await approved_while_paused(world)
        world.workspace.shares(DEPLOYS)
        await world.says(ANN, "resume api-prod-1")
        await world.passes(MINUTE)
        assert (await world.newest()).phase is Phase.EXPIRED
        assert world.image_changes() == 0


async def test_a_process_that_dies_between_arming_and_effect_looks_again(world: World) -> None:
    """Armed, killed, votes taken back, started again later: the effect had not landed, so the votes must still hold."""
    async with world:
        await asked(world)

        def die(when: str, _what: str) -> None:
            if when == "before":
                raise KilledError("right before the image is set")

        world.cluster.on_write = die
        await world.reacts(BOB, YES)
        try:
            await world.reacts(CID, YES)
        except KilledError:
            await world.kill()
        world.cluster.on_write = None
        for person in (BOB, CID):
            world.workspace.takes_back(person, world.ballot().place, YES)
        world.clock.advance(20 * MINUTE)
        await world.start()
        await world.passes(5 * MINUTE)
        assert world.image_changes() == 0
        assert (await world.newest()).edition == 2


async def test_a_world_that_keeps_changing_is_not_asked_about_for_ever(world: World) -> None:
    """After five ballots for one wish the run ends and says why."""
    async with world:
        await asked(world)
        for number in range(8):
            world.cluster.edit(workload("prod"), environment={"MODE": str(number)})
            await world.passes(5 * MINUTE)
        run = await world.newest()
        assert (run.phase, run.edition) == (Phase.EXPIRED, 5)
        assert "asked 5 times" in run.reason


async def test_an_outage_during_the_way_back_is_waited_out(world: World) -> None:
    """The cluster is away while a bad version is being undone: afterwards the way back goes on."""
    async with world:
        world.registry.push(REPOSITORY, "v9-crash")
        await world.says(ANN, "deploy api v9-crash staging")
        world.cluster.down = True
        await world.passes(15 * MINUTE)
        world.cluster.down = False
        run = await world.finishes()
        assert run.phase is Phase.RESTORED, run.reason
        assert world.image("staging") == "v1"
