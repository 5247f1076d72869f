"""Release records, events and the hash-chained journal."""

from datetime import timedelta

from sqlalchemy import text

from bot.domain.events import Event, RunQueued, RunRequested, StepEnded
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.journal import AuditEntry, first_break
from bot.domain.outcome import Evidence
from bot.domain.release import ReleaseRecord
from bot.domain.target import Target
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import MINUTE, go_wrong, undone

PROD = Target("api", "prod")
ONE = RunId("api-prod-1")
ANN = UserId("U0ANN")


def a_record(ref: str, *, at_minute: int, target: Target = PROD, healthy: bool = True) -> ReleaseRecord:
    """`ref` began to run at some minute."""
    return ReleaseRecord(target, f"r/api:{ref}", ref, ONE, ANN, NOW + at_minute * MINUTE, healthy=healthy, reason="why")


async def filled_journal(store: Database, entries: int = 3) -> None:
    """A few entries, each in a transaction of its own."""
    for number in range(entries):
        async with store.transaction() as tx:
            await tx.audit(AuditEntry(NOW, ANN, "command", f"subject {number}", {"figure": 1.0, "at": [None, True]}))


async def test_a_new_record_ends_the_one_before(store: Database) -> None:
    """A target runs one thing at a time."""
    async with store, store.transaction() as tx:
        await tx.add_release(a_record("v1", at_minute=0))
        await tx.add_release(a_record("v2", at_minute=5, healthy=False))
        newest, former = await tx.releases(PROD)
        assert (newest.ref, newest.until, newest.healthy) == ("v2", None, False)
        assert (former.ref, former.until, former.reason) == ("v1", NOW + 5 * MINUTE, "why")


async def test_a_record_ends_none_of_another_target(store: Database) -> None:
    """staging goes on while prod changes."""
    staging = Target("api", "staging")
    async with store, store.transaction() as tx:
        await tx.add_release(a_record("v1", at_minute=0, target=staging))
        await tx.add_release(a_record("v2", at_minute=5))
        [record] = await tx.releases(staging)
        assert record == a_record("v1", at_minute=0, target=staging)


async def test_records_are_limited_to_the_newest(store: Database) -> None:
    """Looking back costs what was asked for."""
    async with store, store.transaction() as tx:
        for minute in range(4):
            await tx.add_release(a_record(f"v{minute}", at_minute=minute))
        assert [record.ref for record in await tx.releases(PROD, limit=2)] == ["v3", "v2"]


async def test_a_history_is_read_back_in_its_order(store: Database) -> None:
    """Each event as the kind that it was, with its evidence, and only those of the run."""
    events: list[Event] = [
        RunRequested(ONE, NOW, ANN, "deploy api v2 prod"),
        RunQueued(ONE, NOW, 1, RunId("api-prod-0")),
        StepEnded(
            ONE, NOW, StepKey("steps.smoke"), ok=False, said="no", elapsed_s=1.5, evidence=(Evidence("t", ("l",)),)
        ),
    ]
    async with store, store.transaction() as tx:
        await tx.add_events(events[:2])
        await tx.add_events([])
        await tx.add_events([RunRequested(RunId("web-prod-1"), NOW, ANN, "another"), events[2]])
        assert [*await tx.events(ONE)] == events


async def test_the_journal_is_chained(store: Database) -> None:
    """Every entry names the hash of the one before, over many transactions."""
    async with store:
        await filled_journal(store)
        async with store.transaction() as tx:
            entries = [*await tx.journal()]
        assert [entry.number for entry in entries] == [1, 2, 3]
        assert first_break(entries) is None


async def test_the_journal_is_read_in_pages(store: Database) -> None:
    """From an entry on, at most so many."""
    async with store:
        await filled_journal(store)
        async with store.transaction() as tx:
            assert [entry.number for entry in await tx.journal(after=1, limit=1)] == [2]


async def test_a_changed_entry_is_found(store: Database) -> None:
    """Whoever edits a row breaks the chain at that row."""
    async with store:
        await filled_journal(store)
        async with store.transaction() as tx:
            edit = text("UPDATE journal SET entry = replace(entry, 'subject 1', 'subject 9') WHERE number = 2")
            await tx._execute(edit)
            assert first_break(await tx.journal()) == 2


async def test_a_dropped_entry_is_found(store: Database) -> None:
    """Whoever deletes a row breaks the chain behind it."""
    async with store:
        await filled_journal(store)
        async with store.transaction() as tx:
            await tx._execute(text("DELETE FROM journal WHERE number = 2"))
            assert first_break(await tx.journal()) == 3


async def test_an_entry_of_a_transaction_that_failed_is_not_there(store: Database) -> None:
    """The journal holds what happened, and the chain has no gap."""
    async with store:
        with undone():
            async with store.transaction() as tx:
                await tx.audit(AuditEntry(NOW + timedelta(1), ANN, "command", "never"))
                go_wrong()
        await filled_journal(store, 1)
        async with store.transaction() as tx:
            assert [entry.entry.subject for entry in await tx.journal()] == ["subject 0"]
