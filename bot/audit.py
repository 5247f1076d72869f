"""The journal as a whole: read to its end, and proven."""

from dataclasses import dataclass

from bot.domain.errors import SluiceError
from bot.domain.journal import ChainedEntry, first_break
from bot.ports.store import Store, Transaction

PAGE = 1000


class BrokenJournalError(SluiceError):
    """An entry was changed or dropped."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A chain without a break. `head` is the beginning of its last entry's hash."""

    entries: int
    head: str

    def __str__(self) -> str:
        return f"{self.entries} entries, chain intact, head {self.head}."


async def proven(store: Store) -> Proof:
    """Read all of it and follow its chain. Raises BrokenJournalError, naming the first entry that does not fit."""
    async with store.reading() as tx:
        entries = await whole(tx)
    return Proof(len(entries), entries[-1].hash[:12] if entries else "empty")


async def whole(tx: Transaction) -> list[ChainedEntry]:
    """All entries, their chain followed. Raises BrokenJournalError."""
    entries: list[ChainedEntry] = []
    while page := await tx.journal(after=len(entries), limit=PAGE):
        entries += page
    broken = first_break(entries)
    if broken is not None:
        raise BrokenJournalError(f"The journal is broken at entry {broken} of {len(entries)}.")
    return entries
