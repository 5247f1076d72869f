"""Where a process can die: before and after every write to the database, the cluster and the chat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from bot.store.database import Database
from bot.store.transaction import SqlTransaction


class KilledError(BaseException):
    """The process is gone. No `except Exception` may catch it, as none can catch kill -9."""


class Mortality:
    """Counts the moments at which the process could die, and lets it die at one of them, or at every so-and-so-manieth
    from that one on."""

    def __init__(self, *, die_at: int | None = None, again_after: int | None = None) -> None:
        self.awake = False
        self.moments: list[str] = []
        self.die_at = die_at
        self._again_after = again_after

    def __call__(self, when: str, what: str) -> None:
        if not self.awake:
            return
        self.moments.append(f"{when} {what}")
        if self.die_at is not None and len(self.moments) == self.die_at:
            self.die_at = None if self._again_after is None else self.die_at + self._again_after
            raise KilledError(self.moments[-1])


class MortalDatabase(Database):
    """The real store; the process may die right before or right after each commit."""

    def __init__(self, url: str, mortality: Mortality) -> None:
        super().__init__(url)
        self._mortality = mortality

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqlTransaction]:
        """As in the real store, with two more moments to die at; a transaction that only read is none."""
        wrote = False
        async with super().transaction() as tx:
            before = await self._changes(tx)
            yield tx
            wrote = await self._changes(tx) > before
            if wrote:
                self._mortality("before", "commit")
        if wrote:
            self._mortality("after", "commit")

    async def _changes(self, tx: SqlTransaction) -> int:
        rows = await tx._rows(text("SELECT total_changes() AS many"))
        return int(rows[0].many)
