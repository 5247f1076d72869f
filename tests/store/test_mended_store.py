"""What once went wrong in the store: cancelled writers, starving channels, two writers at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import ChannelId, MessageKey, RunId
from bot.domain.phase import Phase
from bot.domain.run import Pause
from bot.domain.target import Target
from bot.ports.chat import Content, Place
from bot.ports.narrator import Telling
from bot.ports.store import Transaction
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, added, heard, only_lease, saved, stored, telling

PROD = Target("api", "prod")
ONE, TWO, THREE = RunId("api-prod-1"), RunId("api-prod-2"), RunId("api-prod-3")
SECOND = timedelta(seconds=1)
AT_ONCE_S = 5
"""Far less than a transaction waits for a lock that nobody gives back."""


@pytest.mark.parametrize("turns", range(0, 30, 2))
async def test_a_cancelled_writer_leaves_nothing_locked(store: Database, turns: int) -> None:
    """Wherever it was cancelled, the next writer begins at once."""
    async with store:

        async def write() -> None:
            async with store.transaction() as tx:
                await tx.next_number(PROD)

        cancelled = asyncio.create_task(write())
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait({cancelled})
        async with asyncio.timeout(AT_ONCE_S):
            await write()


async def test_a_cancelled_listener_leaves_nothing_locked(store: Database) -> None:
    """What was heard is kept or not; whoever writes next does not wait for it."""
    async with store:
        listening = asyncio.create_task(store.hear(heard()))
        await asyncio.sleep(0)
        listening.cancel()
        await asyncio.wait({listening})
        async with asyncio.timeout(AT_ONCE_S), store.transaction() as tx:
            assert await tx.hear(heard("k2"))


async def test_a_busy_channel_leaves_room_for_another(store: Database) -> None:
    """The only message of one channel is among the first, whatever waits before it in another."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(f"m{number}") for number in range(60)], at=NOW)
        await tx.tell([Telling(MessageKey("lonely"), "#prod", Content("hello"))], at=NOW)
        assert [letter.key for letter in await tx.letters_due(NOW, limit=3)] == ["m0", "lonely", "m1"]


async def test_a_shut_lane_is_left_out(store: Database) -> None:
    """Nobody asks for what could not be sent."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m0"), Telling(MessageKey("lonely"), "#prod", Content("hello"))], at=NOW)
        assert [letter.key for letter in await tx.letters_due(NOW, limit=9, shut=["#deploys"])] == ["lonely"]


async def test_an_urgent_edit_is_found_behind_many_messages(store: Database) -> None:
    """A decision does not wait for everything that was told before it."""
    async with store, store.transaction() as tx:
        await tx.tell([telling(f"m{number}") for number in range(60)], at=NOW)
        await tx.tell([telling("live", urgent=True)], at=NOW)
        live = await tx.letter(MessageKey("live"))
        assert live is not None
        await place(tx, "live")
        await tx.tell([telling("live", "rejected", urgent=True)], at=NOW)
        assert [letter.key for letter in await tx.letters_due(NOW, limit=2)] == ["live", "m0"]


async def place(tx: Transaction, key: str) -> None:
    """A message stands in #deploys."""
    await tx.delivered(MessageKey(key), Place(ChannelId("C0DEPLOYS"), "1.1"), version=1, seeded=0)


# --- claims ---


async def test_only_one_delivers_in_a_lane(store: Database) -> None:
    """Another neither sees nor gets what comes after what is being delivered."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m0"), telling("m1")], at=NOW)
        assert await tx.claim(MessageKey("m0"), "a", NOW, duration=MINUTE)
        assert await tx.letters_due(NOW, limit=9, owner="b") == []
        for key in ("m0", "m1"):
            assert await tx.claim(MessageKey(key), "b", NOW, duration=MINUTE) is None


async def test_a_claim_is_its_owners_own(store: Database) -> None:
    """A process goes on with what it claimed before its delivery was broken off."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m0")], at=NOW)
        assert await tx.claim(MessageKey("m0"), "a", NOW, duration=MINUTE)
        assert [letter.key for letter in await tx.letters_due(NOW, limit=9, owner="a")] == ["m0"]
        assert await tx.claim(MessageKey("m0"), "a", NOW, duration=MINUTE)


async def test_a_claim_runs_out(store: Database) -> None:
    """What a dead process had claimed is due again, and somebody is woken for it then."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m0")], at=NOW)
        await tx.claim(MessageKey("m0"), "a", NOW, duration=MINUTE)
        assert await tx.next_due(NOW) == NOW + MINUTE
        assert await tx.claim(MessageKey("m0"), "b", NOW + MINUTE, duration=MINUTE)


async def test_what_was_delivered_meanwhile_cannot_be_claimed(store: Database) -> None:
    """Whoever saw it due a moment ago must not post it again."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m0")], at=NOW)
        await place(tx, "m0")
        assert await tx.claim(MessageKey("m0"), "b", NOW, duration=MINUTE) is None
        await tx.tell([telling("m1")], at=NOW)
        assert await tx.claim(MessageKey("m1"), "c", NOW, duration=MINUTE)


async def test_a_sole_process_takes_over_at_once(store: Database) -> None:
    """Its predecessor is dead: nobody waits for its claims."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m0")], at=NOW)
        await tx.claim(MessageKey("m0"), "dead", NOW, duration=MINUTE)
        await tx.release_leases(None)
        assert await tx.claim(MessageKey("m0"), "b", NOW, duration=MINUTE)


async def test_two_processes_never_get_one_number(url: str) -> None:
    """Each asks in transactions of its own, at the same time, also for a target that nobody knows yet."""

    async def number(store: Database) -> int:
        async with store.transaction() as tx:
            return await tx.next_number(PROD)

    async with Database(url) as one, Database(url) as other:
        numbers = await asyncio.gather(*(number(store) for _ in range(5) for store in (one, other)))
    assert sorted(numbers) == list(range(1, 11))


async def test_a_long_key_is_kept_whole(store: Database) -> None:
    """Names of services and steps may be long."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("k" * 500)], at=NOW)
        assert await tx.letter(MessageKey("k" * 500))


# --- runs and targets ---


@pytest.mark.parametrize("phase", [Phase.RESTORING, Phase.FAILED])
async def test_a_pause_that_came_too_late_is_gone(store: Database, phase: Phase) -> None:
    """It was written while a pass began to restore or ended the run: that run does not pause."""
    async with store:
        async with store.transaction() as tx:
            await added(tx)
        one = await only_lease(store)
        async with store.transaction() as tx:
            await tx.amend(replace(one.run, pause=Pause(None, "wait")))
        await saved(store, one, replace(one.run, phase=phase), wake_at=NOW)
        assert (await stored(store)).pause is None


async def test_a_pause_stays_while_a_run_goes_on(store: Database) -> None:
    """A pass that moved nothing must not undo what somebody wrote meanwhile."""
    async with store:
        async with store.transaction() as tx:
            await added(tx)
        one = await only_lease(store)
        async with store.transaction() as tx:
            await tx.amend(replace(one.run, pause=Pause(None, "wait")))
        await saved(store, one, replace(one.run, phase=Phase.PLANNING), wake_at=NOW)
        assert (await stored(store)).pause == Pause(None, "wait")


async def test_a_run_that_leaves_the_line_makes_room(store: Database) -> None:
    """The target is free, and the one behind it is next."""
    async with store, store.transaction() as tx:
        for run in (ONE, TWO, THREE):
            await added(tx, run, at=NOW + int(run[-1]) * SECOND)
        await tx.take_target(PROD, ONE, at=NOW)
        assert await tx.free_target(PROD, TWO) is None
        await tx.free_target(PROD, ONE)
        assert await tx.free_target(PROD, ONE) == TWO
        assert await tx.free_target(PROD, TWO) == ONE
