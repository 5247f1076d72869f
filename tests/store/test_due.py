"""When something is due next, and how much waits: the questions of alarms, metrics and the watchdog."""

from datetime import timedelta

from bot.domain.ids import MessageKey
from bot.domain.phase import Phase
from bot.domain.target import Target
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, added, heard, only_lease, saved, telling


async def test_nothing_waits_in_an_empty_database(store: Database) -> None:
    """No alarm, no backlog."""
    async with store, store.transaction() as tx:
        assert await tx.next_due(NOW) is None
        backlog = await tx.backlog(NOW)
        assert (dict(backlog.runs_by_phase), backlog.letters, backlog.invocations) == ({}, 0, 0)
        assert backlog.late == timedelta(0)


async def test_the_earliest_of_all_is_next(store: Database) -> None:
    """A run, an invocation or a message, whichever comes first."""
    async with store, store.transaction() as tx:
        await added(tx, wake_at=NOW + 3 * MINUTE)
        assert await tx.next_due(NOW) == NOW + 3 * MINUTE
        await tx.tell([telling("m")], at=NOW + 2 * MINUTE)
        assert await tx.next_due(NOW) == NOW + 2 * MINUTE
        await tx.hear(heard(at=NOW + MINUTE))
        assert await tx.next_due(NOW) == NOW + MINUTE


async def test_what_is_done_is_not_next(store: Database) -> None:
    """A delivered message and a handled invocation set no alarm."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("m"), telling("dropped")], at=NOW)
        await tx.delivered(MessageKey("m"), None, version=1, seeded=0)
        await tx.undelivered(MessageKey("dropped"), until=NOW, error="gone", drop=True)
        await tx.hear(heard())
        [one] = await tx.unhandled(NOW, limit=9)
        await tx.handled(one.number, at=NOW)
        assert await tx.next_due(NOW) is None


async def test_a_leased_run_is_next_when_its_lease_runs_out(store: Database) -> None:
    """Its owner may have died; until then nobody can take it."""
    async with store:
        async with store.transaction() as tx:
            await added(tx)
        await only_lease(store)
        async with store.transaction() as tx:
            assert await tx.next_due(NOW) == NOW + MINUTE


async def test_the_backlog_counts_what_waits(store: Database) -> None:
    """Runs by phase, messages not delivered, invocations not handled."""
    async with store:
        async with store.transaction() as tx:
            await added(tx, "api-prod-1")
            await added(tx, "web-prod-1", target=Target("web", "prod"), wake_at=NOW + MINUTE)
            await tx.tell([telling("a"), telling("b"), telling("dropped")], at=NOW)
            await tx.undelivered(MessageKey("dropped"), until=NOW, error="gone", drop=True)
            await tx.hear(heard())
        one = await only_lease(store)
        await saved(store, one, one.run.turn_came(at=NOW)[0], wake_at=NOW + MINUTE)
        async with store.transaction() as tx:
            backlog = await tx.backlog(NOW)
        assert backlog.runs_by_phase == {Phase.QUEUED: 1, Phase.PLANNING: 1}
        assert (backlog.letters, backlog.invocations) == (2, 1)


async def test_late_is_how_long_the_longest_due_run_has_waited(store: Database) -> None:
    """Also one that somebody holds: a pass of which nothing comes is late, too."""
    async with store:
        async with store.transaction() as tx:
            await added(tx)
            assert (await tx.backlog(NOW + 5 * MINUTE)).late == 5 * MINUTE
        await only_lease(store)
        async with store.transaction() as tx:
            assert (await tx.backlog(NOW + timedelta(seconds=59))).late == timedelta(seconds=59)
            assert (await tx.backlog(NOW + 2 * MINUTE)).late == 2 * MINUTE


async def test_a_reply_is_not_next_before_its_thread_has_a_place(store: Database) -> None:
    """An alarm for it would ring in vain, and drown the others."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("live"), telling("reply", under="live")], at=NOW)
        await tx.undelivered(MessageKey("live"), until=NOW + MINUTE, error="Slack does not answer")
        assert await tx.next_due(NOW) == NOW + MINUTE
        assert (await tx.backlog(NOW)).letters == 2


async def test_a_reply_to_a_message_that_was_dropped_waits_for_nothing(store: Database) -> None:
    """It is in no backlog: it would stay there for ever."""
    async with store, store.transaction() as tx:
        await tx.tell([telling("live"), telling("reply", under="live")], at=NOW)
        await tx.undelivered(MessageKey("live"), until=NOW, error="no such channel", drop=True)
        assert await tx.next_due(NOW) is None
        assert (await tx.backlog(NOW)).letters == 0
