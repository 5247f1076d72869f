"""What happened: release records, events, the journal. Only ever appended to (but for a record's end)."""

from collections.abc import Sequence

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.events import Event
from bot.domain.ids import RunId
from bot.domain.journal import AuditEntry, ChainedEntry, chain
from bot.domain.release import ReleaseRecord
from bot.domain.target import Target
from bot.store.mapping import ENTRY, EVENT, entry_of, event_text, release_of, text_of
from bot.store.rows import EventRow, JournalRow, ReleaseRow
from bot.store.tables import Tables

RELEASES = ReleaseRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
EVENTS = EventRow.__table__  # type: ignore[attr-defined]  # the same
JOURNAL = JournalRow.__table__  # type: ignore[attr-defined]  # the same


class HistoryTables(Tables):
    """The part of a transaction that deals with the past."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._unlinked: list[AuditEntry] = []

    async def add_release(self, record: ReleaseRecord) -> None:
        mine = (RELEASES.c.service == record.target.service) & (RELEASES.c.environment == record.target.environment)
        await self._execute(update(RELEASES).where(mine, RELEASES.c.until.is_(None)).values(until=record.since))
        row = {
            "service": record.target.service,
            "environment": record.target.environment,
            "image": record.image,
            "ref": record.ref,
            "run_id": record.run_id,
            "by": record.by,
            "since": record.since,
            "until": record.until,
            "healthy": record.healthy,
            "reason": record.reason,
        }
        await self._execute(insert(RELEASES).values(row))

    async def releases(self, target: Target, *, limit: int = 20) -> Sequence[ReleaseRecord]:
        query = (
            select(RELEASES)
            .where(RELEASES.c.service == target.service, RELEASES.c.environment == target.environment)
            .order_by(RELEASES.c.number.desc())
            .limit(limit)
        )
        return [release_of(row) for row in await self._rows(query)]

    async def add_events(self, events: Sequence[Event]) -> None:
        if events:
            rows = [{"run_id": event.run_id, "body": event_text(event)} for event in events]
            await self._execute(insert(EVENTS).values(rows))

    async def events(self, run_id: RunId) -> Sequence[Event]:
        rows = await self._rows(select(EVENTS).where(EVENTS.c.run_id == run_id).order_by(EVENTS.c.number))
        return [EVENT.validate_json(row.body) for row in rows]

    async def audit(self, entry: AuditEntry) -> None:
        self._unlinked.append(entry)

    async def link_audits(self) -> None:
        """Append what this transaction has to say to the chain: at its end, as whoever waits for the chain's end with
        rows of others locked would make a deadlock."""
        while self._unlinked:
            await self._link(self._unlinked.pop(0))

    async def _link(self, entry: AuditEntry) -> None:
        if self._connection.dialect.name == "postgresql":
            # The chain has one end: whoever appends waits for whoever appends before.
            await self._execute(text("LOCK TABLE journal IN EXCLUSIVE MODE"))
        newest = await self._row(select(JOURNAL).order_by(JOURNAL.c.number.desc()).limit(1))
        # Chained as it will be read back, so that verification sees the very same values.
        stored = ENTRY.validate_json(text_of(ENTRY, entry))
        linked = chain(stored, after=entry_of(newest) if newest else None)
        row = {
            "number": linked.number,
            "entry": text_of(ENTRY, stored),
            "previous": linked.previous,
            "hash": linked.hash,
        }
        await self._execute(insert(JOURNAL).values(row))

    async def journal(self, *, after: int = 0, limit: int = 1000) -> Sequence[ChainedEntry]:
        await self.link_audits()
        query = select(JOURNAL).where(JOURNAL.c.number > after).order_by(JOURNAL.c.number).limit(limit)
        return [entry_of(row) for row in await self._rows(query)]
