"""Pause, resume and abort: people stay in charge of a release under way."""

from datetime import timedelta

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.world import World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
RUN = "api-staging-1"


async def under_way(world: World) -> None:
    """ann's release rolls out."""
    await world.says(ANN, "deploy api v2 staging")
    await world.passes(2 * SECOND)
    assert world.image("staging") == "v2"


# --- abort ---


async def test_an_abort_before_the_change_changes_nothing(world: World) -> None:
    """The ballot is closed, nobody needs to vote any more, and it is said who stopped it."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await world.says(BOB, 'abort api-prod-1 --reason "wrong version"')
        run = await world.finishes()
        assert run.phase is Phase.ABORTED
        assert world.image_changes() == 0
        assert "was aborted by <@U0BOB>: wrong version" in world.live()
        assert "Nothing was changed; `v1` still runs" in world.live()


async def test_votes_after_an_abort_do_nothing(world: World) -> None:
    """The voter is told."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await world.says(ANN, "abort api-prod-1")
        for person in (BOB, CID):
            await world.reacts(person, "white_check_mark")
        await world.passes(5 * MINUTE)
        assert world.image_changes() == 0
        assert any("the release has ended: aborted" in text for text in world.workspace.whispers(BOB))


async def test_an_abort_after_the_change_restores_without_a_vote(world: World) -> None:
    """The old version runs and answers again, and the thread says by whom and why."""
    async with world:
        await under_way(world)
        await world.says(BOB, f'abort {RUN} --reason "too slow"')
        run = await world.finishes()
        assert run.phase is Phase.RESTORED
        assert world.image("staging") == "v1"
        assert any("*Abort asked* by <@U0BOB>: too slow; `v1` will be restored" in text for text in world.thread())
        assert "`v1` is restored" in world.live()


async def test_an_abort_by_its_target_is_the_same(world: World) -> None:
    """Nobody has to look a run up."""
    async with world:
        await under_way(world)
        await world.says(BOB, "abort api staging")
        assert (await world.finishes()).phase is Phase.RESTORED


async def test_a_second_abort_is_told_of_the_first(world: World) -> None:
    """Twice wished is once done."""
    async with world:
        await under_way(world)
        world.cluster.down = True
        await world.says(BOB, f"abort {RUN}")
        await world.says(CID, f"abort {RUN}")
        world.cluster.down = False
        await world.finishes()
        assert len([text for text in world.thread() if "Abort asked" in text]) == 1


async def test_an_abort_that_comes_too_late_says_so(world: World) -> None:
    """The release has ended; the answer says how."""
    async with world:
        await under_way(world)
        await world.finishes()
        await world.says(BOB, f"abort {RUN}")
        await world.passes(SECOND)
        assert "has ended (succeeded); there is nothing left to act on" in world.workspace.whispers(BOB)[-1]
        assert world.image("staging") == "v2"


async def test_a_rollback_during_a_release_is_its_abort(world: World) -> None:
    """The fastest way back, and the next in line is named so that nobody is surprised."""
    async with world:
        await under_way(world)
        await world.says(BOB, "deploy api v3 staging")
        await world.says(DAN, "rollback api staging")
        await world.says(DAN, "abort api-staging-2")
        await world.finishes()
        assert (await world.run(RUN)).phase is Phase.RESTORED
        assert world.image("staging") == "v1"
        assert any("Next in line is `api-staging-2`" in text for text in world.workspace.whispers(DAN))


# --- pause and resume ---


async def test_a_paused_release_begins_no_further_step(world: World) -> None:
    """It finishes the one it is at, and stands; the message says by whom, why, and how to go on."""
    async with world:
        await under_way(world)
        await world.says(BOB, f'pause {RUN} --reason "database is busy"')
        await world.passes(30 * MINUTE)
        assert (await world.newest()).phase is Phase.RUNNING
        assert world.prober.requests == []
        assert "*Paused* by <@U0BOB>: database is busy. Go on: `/release resume api-staging-1`" in world.live()


async def test_a_resumed_release_goes_on_at_once(world: World) -> None:
    """To its end."""
    async with world:
        await under_way(world)
        await world.says(BOB, f"pause {RUN}")
        await world.passes(5 * MINUTE)
        await world.says(CID, f"resume {RUN}")
        await world.passes(5 * SECOND)
        assert (await world.newest()).phase is Phase.SUCCEEDED
        assert any("*Resumed* by <@U0CID>" in text for text in world.thread())


async def test_a_pause_survives_a_restart(world: World) -> None:
    """It is in the database, not in the process."""
    async with world:
        await under_way(world)
        await world.says(BOB, f"pause {RUN}")
        await world.kill()
        await world.start()
        await world.passes(20 * MINUTE)
        assert (await world.newest()).phase is Phase.RUNNING


async def test_a_paused_release_can_be_aborted(world: World) -> None:
    """Standing still is no reason to stay."""
    async with world:
        await under_way(world)
        await world.says(BOB, f"pause {RUN}")
        await world.passes(MINUTE)
        await world.says(BOB, f"abort {RUN}")
        assert (await world.finishes()).phase is Phase.RESTORED


async def test_pausing_what_is_paused_names_who_did_it(world: World) -> None:
    """And resuming what is not paused says that."""
    async with world:
        await under_way(world)
        await world.says(BOB, f"pause {RUN}")
        await world.says(CID, f"pause {RUN}")
        await world.says(CID, f"resume {RUN}")
        await world.says(CID, f"resume {RUN}")
        told = world.workspace.whispers(CID)
        assert f"`{RUN}` was paused by <@U0BOB> already" in told[0]
        assert "is not paused" in told[-1] or "has ended" in told[-1]
