"""A person keeps a target to themselves: others wait in line and are told, and the way back stays open."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.phase import Phase
from commands.locking import remind
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.scenarios.world import World

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HELD = "locked by <@U0ANN> since 2026-03-02 09:00 UTC: looking into slow logins"


async def locked(world: World, environment: str = "staging") -> None:
    """ann keeps api to herself."""
    await world.says(ANN, f"lock api {environment} looking into slow logins")
    await world.passes(SECOND)


def told(world: World, text: str) -> bool:
    """Whether some message in a channel says so."""
    return any(text in message.text for message in world.workspace.messages)


async def test_the_channel_is_told_who_holds_it(world: World) -> None:
    """And how to free it."""
    async with world:
        await locked(world)
        assert told(world, ":lock: *api* in *staging* is locked by <@U0ANN>")
        assert told(world, "looking into slow logins · `/release unlock api staging`")


async def test_others_wait_in_line_and_begin_when_it_is_free(world: World) -> None:
    """They are told who holds it, since when, and their place; and called when it is their turn."""
    async with world:
        await locked(world)
        for person, tag, place in ((BOB, "v2", 1), (CID, "v3", 2)):
            await world.says(person, f"deploy api {tag} staging")
            await world.passes(5 * SECOND)
            assert f"It waits at place {place} in the line: {HELD}." in world.workspace.whispers(person)[-1]
        first = await world.run("api-staging-1")
        assert (first.phase, first.plan, first.waiting_for) == (Phase.QUEUED, None, HELD)
        await world.says(BOB, "why api-staging-1")
        assert HELD in world.workspace.whispers(BOB)[-1]
        await world.says(ANN, "unlock api staging")
        await world.passes(SECOND)
        assert told(world, ":bell: <@U0BOB>, it is your turn: <@U0ANN> has unlocked *api* in *staging*")
        await world.finishes()
        assert (await world.run("api-staging-1")).phase is Phase.SUCCEEDED
        assert (await world.run("api-staging-2")).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v3"


async def test_nobody_is_called_for_a_turn_that_they_had(world: World) -> None:
    """A release that is in the middle of its change waited for no lock."""
    async with world:
        await world.says(BOB, "deploy api v2 staging")
        assert world.image_changes() == 1
        await locked(world)
        await world.says(ANN, "unlock api staging")
        await world.passes(2 * SECOND)
        assert told(world, ":unlock: *api* in *staging* is free")
        assert not told(world, "it is your turn")


async def test_who_locks_a_target_that_is_taken_is_told_how_to_get_it(world: World) -> None:
    """The release that has it waits for the lock, and the owner's own would wait behind it."""
    async with world:
        await world.says(BOB, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await locked(world, "prod")
        assert (
            "your own releases wait behind it: `/release abort api-prod-1` makes way"
            in (world.workspace.whispers(ANN)[-1])
        )
        await world.says(ANN, "deploy api v3 prod")
        await world.passes(SECOND)
        assert (
            "behind `api-prod-1`, which waits for your own lock: `/release abort api-prod-1` makes way, "
            "`/release unlock api prod` lets that one go on."
        ) in world.workspace.whispers(ANN)[-1]
        await world.says(ANN, "abort api-prod-1")
        await world.passes(5 * SECOND)
        assert (await world.run("api-prod-2")).ballot is not None


async def test_why_offers_no_unlocking_of_what_is_free(world: World) -> None:
    """Whoever waited for a lock that is gone waits for those before them, as everybody does."""
    async with world:
        await world.says(ANN, "lock api staging my test")
        await world.says(BOB, "deploy api v2 staging")
        await world.says(CID, "deploy api v3 staging")
        await world.says(ANN, "unlock api staging")
        await world.says(CID, "why api-staging-2")
        await world.passes(SECOND)
        said = world.workspace.whispers(CID)[-1]
        assert "behind `api-staging-1`" in said
        assert "unlock" not in said


async def test_the_owner_goes_past_those_who_wait(world: World) -> None:
    """That is what the lock is for."""
    async with world:
        await locked(world)
        await world.says(BOB, "deploy api v2 staging")
        await world.says(ANN, "deploy api v3 staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v3"
        assert (await world.run("api-staging-1")).phase is Phase.QUEUED


async def test_a_lock_holds_up_a_run_that_was_approved(world: World) -> None:
    """It has its turn, but has changed nothing yet."""
    async with world:
        await world.says(BOB, "deploy api v2 prod")
        await world.passes(5 * SECOND)
        await locked(world, "prod")
        for person in (ANN, CID):
            await world.reacts(person, "white_check_mark")
        await world.passes(5 * SECOND)
        run = await world.newest()
        assert (run.phase, run.changed) == (Phase.RUNNING, False)
        assert "*Waits:* gate lock: locked by <@U0ANN>" in world.live()
        await world.says(ANN, "unlock api prod")
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_rollback_goes_through_and_is_told_loudly(world: World) -> None:
    """The way back never depends on finding whoever holds the lock."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        await world.finishes()
        await world.says(ANN, "lock api staging my test")
        await world.says(CID, "deploy api v3 staging")
        await world.says(CID, "abort api-staging-2")
        await world.says(DAN, "deploy api v3 staging")
        await world.says(BOB, "rollback api staging to v1")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert world.image("staging") == "v1"
        assert told(world, ":rotating_light: <@U0ANN>: <@U0BOB> rolls *api* in *staging* back *through your lock*")


async def test_a_restore_goes_through(world: World) -> None:
    """A lock that comes in the middle of a release does not keep it from going back."""
    async with world:
        world.registry.push("registry.example/acme/api", "v9-crash")
        await world.says(BOB, "deploy api v9-crash staging")
        await world.passes(SECOND)
        assert world.image_changes() == 1
        await locked(world)
        assert (await world.finishes(within=HOUR)).phase is Phase.RESTORED


async def test_who_may_unlock(world: World) -> None:
    """The owner; and those who vote there or are on call, with a reason that the owner is told."""
    async with world:
        await locked(world, "prod")
        await world.says(DAN, "unlock api prod")
        assert "This is the lock of <@U0ANN>" in world.workspace.whispers(DAN)[-1]
        world.workspace.groups["@on-call"] = set()
        await world.says(DAN, "unlock api prod please")
        assert "members of @release-approvers and @on-call may unlock it" in world.workspace.whispers(DAN)[-1]
        await world.says(BOB, "unlock api prod ann is on holiday")
        await world.passes(SECOND)
        assert told(world, "<@U0BOB> has taken the lock of <@U0ANN> away after 1s: ann is on holiday")


async def test_a_forgotten_lock_is_asked_about_once_a_day(world: World) -> None:
    """After a day, and then daily, until it is gone."""
    async with world:
        await locked(world)
        asked = []
        for hours in (23, 1, 1, 22, 1, 1):
            await world.passes(hours * HOUR)
            asked.append(await remind(world.store, world.clock, world.configured.catalogue()))
        assert asked == [0, 1, 0, 0, 1, 0]
        await world.passes(SECOND)
        assert told(world, ":alarm_clock: <@U0ANN>, do you still need it?")


async def test_two_processes_ask_once(world: World) -> None:
    """Whoever comes second finds that it was asked."""
    async with world:
        await locked(world)
        await world.passes(25 * HOUR)
        catalogue = world.configured.catalogue()
        both = await asyncio.gather(*(remind(world.store, world.clock, catalogue) for _ in range(2)))
        await world.passes(SECOND)
        assert sorted(both) == [0, 1]
        assert sum("do you still need it?" in message.text for message in world.workspace.messages) == 1


async def test_status_shows_freezes_and_locks(world: World) -> None:
    """What keeps a release from beginning comes first, with the line behind it."""
    async with world:
        await locked(world)
        await world.says(BOB, "deploy api v2 staging")
        await world.says(ANN, "freeze prod 2h audit")
        await world.says(DAN, "status")
        said = world.workspace.whispers(DAN)[-1]
        assert ":snowflake: *prod* is frozen by <@U0ANN> until 11:01 UTC: audit" in said
        assert ":lock: *api* in *staging* is locked by <@U0ANN>" in said
        assert "waiting: 1. `api-staging-1`" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lock api staging", "A lock needs a reason"),
        ("lock api", "needs an environment"),
        ("lock api prd x", "did you mean 'prod'"),
        ("lock api staging mine too", "is locked by <@U0ANN>"),
        ("unlock api prod", "Nobody has locked api in prod"),
    ],
)
async def test_slips_are_told_with_their_fix(world: World, line: str, said: str) -> None:
    """And nothing is changed."""
    async with world:
        await locked(world)
        await world.says(BOB, line)
        assert said in world.workspace.whispers(BOB)[-1]
        async with world.store.reading() as tx:
            assert [lock.owner for lock in await tx.locks()] == [ANN]
