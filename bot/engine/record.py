"""One transaction's worth of telling: history, journal and messages of a change go together or not at all."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.events import Event, StepWaited
from bot.domain.journal import AuditEntry
from bot.domain.json import plain
from bot.ports.narrator import Telling
from bot.ports.store import Transaction

SLUICE = "sluice"
"""The actor of what nobody asked for by name."""


async def record(tx: Transaction, events: Sequence[Event], tellings: Sequence[Telling], *, at: datetime) -> None:
    """Append events and audit entries of a change, and want its messages to stand in their channels.

    `tellings` are made before the transaction begins: others wait for it.
    """
    await tx.add_events(events)
    for event in events:
        # A wait is told to people but decides nothing; the journal holds what was asked, decided and done.
        if not isinstance(event, StepWaited) or event.asks:
            await tx.audit(_entry(event))
    await tx.tell(tellings, at=at)


def _entry(event: Event) -> AuditEntry:
    by = getattr(event, "by", None)
    actor = by if isinstance(by, str) else SLUICE
    details = plain(event)
    if isinstance(details, dict):
        # What was drawn beside a result is kept with the event; the journal holds the result.
        details.pop("picture", None)
    return AuditEntry(event.at, actor, event.kind, event.run_id, details)
