"""One owner moves a run; a former owner writes nothing; what others wrote meanwhile stays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import FencedError
from bot.domain.ids import RunId, UserId
from bot.domain.phase import Phase
from bot.domain.run import Pause, Wish
from bot.domain.target import Target
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, added, leased, only_lease, saved, stored

WISH = Wish(UserId("U0BOB"), "stop")
PAUSE = Pause(UserId("U0BOB"), "wait")
HOUR = timedelta(hours=1)


async def due(store: Database, run_id: str = "api-prod-1") -> None:
    """A run that is due now."""
    async with store.transaction() as tx:
        await added(tx, run_id)


async def amended(store: Database, **change: Wish | Pause | None) -> None:
    """Somebody writes a wish or a pause beside a pass."""
    run = await stored(store)
    async with store.transaction() as tx:
        await tx.amend(replace(run, **change))  # type: ignore[arg-type]  # a field's name and its value


async def test_a_leased_run_is_not_leased_again(store: Database) -> None:
    """While its owner's time lasts."""
    async with store:
        await due(store)
        await only_lease(store, owner="a")
        assert await leased(store, owner="b", now=NOW + timedelta(seconds=59)) == []


async def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_token(store: Database) -> None:
    """A dead owner holds a run for its lease's time and no longer."""
    async with store:
        await due(store)
        first = await only_lease(store, owner="a")
        second = await only_lease(store, owner="b", now=NOW + MINUTE)
        assert first.lease.token < second.lease.token
        assert second.lease.until == NOW + 2 * MINUTE


async def test_a_former_owner_writes_nothing(store: Database) -> None:
    """Its save is refused, and the run stays as the newer owner left it."""
    async with store:
        await due(store)
        old = await only_lease(store, owner="a")
        new = await only_lease(store, owner="b", now=NOW + MINUTE)
        with pytest.raises(FencedError, match="newer owner"):
            await saved(store, old, old.run.turn_came(at=NOW)[0], wake_at=NOW)
        assert (await stored(store)).phase is Phase.QUEUED
        await saved(store, new, new.run.turn_came(at=NOW)[0], wake_at=NOW)
        assert (await stored(store)).phase is Phase.PLANNING


async def test_a_former_owner_is_refused_after_the_newer_one_has_finished(store: Database) -> None:
    """The token decides, not whether somebody holds a lease at the moment."""
    async with store:
        await due(store)
        old = await only_lease(store, owner="a")
        new = await only_lease(store, owner="b", now=NOW + MINUTE)
        await saved(store, new, new.run, wake_at=NOW + HOUR)
        with pytest.raises(FencedError):
            await saved(store, old, old.run, wake_at=NOW)


async def test_a_run_that_is_gone_cannot_be_saved(store: Database) -> None:
    """A lease of a database that was lost is worth nothing."""
    async with store:
        await due(store)
        one = await only_lease(store)
        with pytest.raises(FencedError):
            await saved(store, one, replace(one.run, id=RunId("api-prod-7")), wake_at=NOW)


async def test_a_save_gives_the_lease_up(store: Database) -> None:
    """The next pass may be anybody's, at its time."""
    async with store:
        await due(store)
        one = await only_lease(store, owner="a")
        await saved(store, one, one.run, wake_at=NOW + timedelta(seconds=5))
        assert await leased(store, owner="b") == []
        assert (await only_lease(store, owner="b", now=NOW + timedelta(seconds=5))).lease.token > one.lease.token


async def test_a_run_that_ended_is_never_due(store: Database) -> None:
    """Not even when somebody wakes it."""
    async with store:
        await due(store)
        one = await only_lease(store)
        await saved(store, one, one.run.ended(Phase.ABORTED, "", at=NOW)[0], wake_at=None)
        async with store.transaction() as tx:
            await tx.wake(one.run.id, at=NOW)
        assert await leased(store, now=NOW + HOUR) == []


async def test_the_longest_due_comes_first_and_no_more_than_asked_for(store: Database) -> None:
    """Nobody starves behind newer ones."""
    async with store:
        async with store.transaction() as tx:
            await added(tx, "api-prod-1", wake_at=NOW)
            await added(tx, "web-prod-1", wake_at=NOW - MINUTE, target=Target("web", "prod"))
            await added(tx, "job-prod-1", wake_at=NOW + MINUTE, target=Target("job", "prod"))
        assert [one.run.id for one in await leased(store, limit=1)] == ["web-prod-1"]
        assert [one.run.id for one in await leased(store, limit=9)] == ["api-prod-1"]


async def test_leases_of_one_owner_are_given_up_together(store: Database) -> None:
    """Those of others stay."""
    async with store:
        await due(store)
        await only_lease(store, owner="a")
        async with store.transaction() as tx:
            assert await tx.release_leases("b") == 0
            assert await tx.release_leases("a") == 1
        await only_lease(store, owner="b")


async def test_a_sole_process_frees_everything_at_its_start(store: Database) -> None:
    """Whoever held it is dead, whatever its name was."""
    async with store:
        await due(store)
        await only_lease(store, owner="long-gone")
        async with store.transaction() as tx:
            assert await tx.release_leases(None) == 1
        await only_lease(store, owner="b")


async def test_a_hint_brings_the_next_look_forward(store: Database) -> None:
    """It never puts it off."""
    async with store:
        async with store.transaction() as tx:
            run = await added(tx, wake_at=NOW + HOUR)
            await tx.wake(run.id, at=NOW + MINUTE)
            await tx.wake(run.id, at=NOW + 2 * HOUR)
        assert await leased(store, now=NOW) == []
        await only_lease(store, now=NOW + MINUTE)


async def test_a_hint_during_a_pass_is_not_lost(store: Database) -> None:
    """The pass wanted to look again in an hour; what happened meanwhile makes it look at once."""
    async with store:
        await due(store)
        one = await only_lease(store)
        async with store.transaction() as tx:
            await tx.wake(one.run.id, at=NOW)
        await saved(store, one, one.run, wake_at=NOW + HOUR)
        await only_lease(store, owner="b")


async def test_a_hint_counts_for_one_pass_only(store: Database) -> None:
    """The pass that it brought forward answers it."""
    async with store:
        await due(store)
        one = await only_lease(store)
        async with store.transaction() as tx:
            await tx.wake(one.run.id, at=NOW)
        await saved(store, one, one.run, wake_at=NOW + HOUR)
        again = await only_lease(store)
        await saved(store, again, again.run, wake_at=NOW + HOUR)
        assert await leased(store, now=NOW + MINUTE) == []


async def test_a_wish_written_during_a_pass_stays(store: Database) -> None:
    """The pass did not know of it and must not undo it."""
    async with store:
        await due(store)
        one = await only_lease(store)
        await amended(store, wish=WISH)
        await saved(store, one, one.run.turn_came(at=NOW)[0], wake_at=NOW)
        found = await stored(store)
        assert (found.wish, found.phase) == (WISH, Phase.PLANNING)


async def test_a_pause_written_during_a_pass_stays(store: Database) -> None:
    """The same for a pause."""
    async with store:
        await due(store)
        one = await only_lease(store)
        await amended(store, pause=PAUSE)
        await saved(store, one, one.run, wake_at=NOW)
        assert (await stored(store)).pause == PAUSE


async def test_a_resume_during_a_pass_stays(store: Database) -> None:
    """The pass began while the run was paused; it is not paused again by being saved."""
    async with store:
        await due(store)
        await amended(store, pause=PAUSE)
        one = await only_lease(store)
        await amended(store, pause=None)
        await saved(store, one, one.run, wake_at=NOW)
        assert (await stored(store)).pause is None


async def test_a_pause_that_the_pass_itself_wants_is_written(store: Database) -> None:
    """A run that could not tell pauses itself; one that goes back is no longer paused."""
    async with store:
        await due(store)
        one = await only_lease(store)
        paused, _ = one.run.paused(None, "could not tell", at=NOW)
        await saved(store, one, paused, wake_at=NOW)
        assert (await stored(store)).pause == Pause(None, "could not tell")
        one = await only_lease(store)
        await saved(store, one, replace(one.run, pause=None, wish=WISH), wake_at=NOW)
        found = await stored(store)
        assert (found.pause, found.wish) == (None, WISH)
