"""Runs are numbered, kept whole and listed."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.approval import Approval, Ballot, IgnoredVote
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.outcome import Pending, Question
from bot.domain.phase import Phase
from bot.domain.run import Pause, Wish
from bot.domain.target import Target
from bot.store.database import Database
from tests.builders import NOW, a_request, a_run, a_running_run
from tests.store.stored import MINUTE, added, go_wrong, only_lease, saved, stored, undone

STAGING = Target("api", "staging")


async def test_runs_of_a_target_are_counted_from_one(store: Database) -> None:
    """Each target counts for itself."""
    async with store, store.transaction() as tx:
        assert await tx.next_number(Target("api", "prod")) == 1
        assert await tx.next_number(Target("api", "prod")) == 2
        assert await tx.next_number(Target("api", "staging")) == 1


async def test_a_number_is_given_back_with_its_transaction(store: Database) -> None:
    """What fails leaves no gap and no trace."""
    async with store:
        with undone():
            async with store.transaction() as tx:
                await added(tx)
                go_wrong()
        async with store.transaction() as tx:
            assert await tx.run(RunId("api-prod-1")) is None
            assert await tx.next_number(Target("api", "prod")) == 1


async def test_a_run_is_read_back_whole(store: Database) -> None:
    """Plan, steps, memos, ballot, approval, wish and pause are what they were, to the microsecond."""
    run = a_running_run(
        ballot=Ballot(1, "3f9a-c21e", NOW, (UserId("U0BOB"),), (IgnoredVote(UserId("U0EVE"), "is a guest"),)),
        approval=Approval((UserId("U0BOB"),), NOW, NOW + MINUTE + timedelta(microseconds=7), used=True),
        wish=Wish(UserId("U0CID"), "too early"),
        pause=Pause(None, "could not tell"),
        changed=True,
    )
    run, _ = run.step_started(StepKey("steps.smoke"), at=NOW)
    wait = Pending(
        "attempt 1",
        MINUTE,
        {"attempts": 1, "seen": [1.5, None]},
        blocked=True,
        asks=Question.UNDECIDED,
        detail="1 of 2",
    )
    run, _ = run.step_waits(StepKey("steps.smoke"), wait, at=NOW)
    async with store:
        async with store.transaction() as tx:
            await tx.add_run(a_run(), wake_at=NOW)
        one = await only_lease(store)
        await saved(store, one, run, wake_at=NOW)
        assert await stored(store) == run


async def test_the_seal_survives_the_database(store: Database) -> None:
    """A plan that was read back has the seal that people voted on."""
    run = a_running_run()
    async with store:
        async with store.transaction() as tx:
            await tx.add_run(run, wake_at=NOW)
        assert (await stored(store)).sealed_plan().sha256 == run.sealed_plan().sha256


async def test_an_unknown_run_is_none(store: Database) -> None:
    """A slip of the keyboard is no error of the database."""
    async with store, store.transaction() as tx:
        assert await tx.run(RunId("api-prod-99")) is None


async def test_runs_are_listed_newest_first(store: Database) -> None:
    """Of two that were asked for at the same moment, the higher number is the newer."""
    async with store, store.transaction() as tx:
        await added(tx, "api-prod-1")
        await added(tx, "api-prod-2")
        await added(tx, "api-prod-3", at=NOW - MINUTE)
        assert [run.id for run in await tx.runs()] == ["api-prod-2", "api-prod-1", "api-prod-3"]
        assert [run.id for run in await tx.runs(limit=1)] == ["api-prod-2"]


async def test_runs_are_listed_by_target(store: Database) -> None:
    """Another environment of the same service is another target."""
    async with store, store.transaction() as tx:
        await added(tx, "api-prod-1")
        await added(tx, "api-staging-1", target=STAGING)
        assert [run.id for run in await tx.runs(target=STAGING)] == ["api-staging-1"]


async def test_runs_are_listed_by_whether_they_have_ended(store: Database) -> None:
    """An aborted run is no longer active."""
    async with store:
        async with store.transaction() as tx:
            await added(tx, "api-prod-1")
            await added(tx, "api-staging-1", target=STAGING, wake_at=NOW + MINUTE)
        one = await only_lease(store)
        ended, _ = one.run.ended(Phase.ABORTED, "aborted", at=NOW)
        await saved(store, one, ended, wake_at=None)
        async with store.transaction() as tx:
            assert [run.id for run in await tx.runs(active=True)] == ["api-staging-1"]
            assert [run.id for run in await tx.runs(active=False)] == ["api-prod-1"]


async def test_a_wish_reaches_a_run_that_nobody_moves(store: Database) -> None:
    """amend writes wish and pause, and nothing else of the run."""
    async with store:
        async with store.transaction() as tx:
            run = await added(tx)
            wished = replace(run, wish=Wish(UserId("U0BOB"), "stop"), reason="not to be written")
            await tx.amend(wished)
        found = await stored(store)
        assert found.wish == Wish(UserId("U0BOB"), "stop")
        assert found.reason == ""


async def test_times_come_back_in_utc(store: Database) -> None:
    """Whatever the database keeps of time zones."""
    async with store:
        async with store.transaction() as tx:
            await tx.add_run(a_run(request=a_request()), wake_at=NOW)
        assert (await stored(store)).created_at == NOW
        assert (await stored(store)).created_at.utcoffset() == timedelta(0)
