"""Rows to domain values and back."""

from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter
from sqlalchemy.engine import Row

from bot.domain.events import Event
from bot.domain.ids import ChannelId, MessageKey, RunId, UserId
from bot.domain.invocation import Invocation
from bot.domain.journal import AuditEntry, ChainedEntry
from bot.domain.release import ReleaseRecord
from bot.domain.run import Consent, Pause, Run, Wish
from bot.domain.target import Target
from bot.ports.chat import Place
from bot.ports.narrator import Telling
from bot.ports.store import Letter

T = TypeVar("T")

INVOCATION = TypeAdapter(Invocation)
RUN = TypeAdapter(Run)
WISH = TypeAdapter(Wish)
PAUSE = TypeAdapter(Pause)
CONSENT = TypeAdapter(Consent)
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
ENTRY = TypeAdapter(AuditEntry)
TELLING = TypeAdapter(Telling)


def text_of(adapter: TypeAdapter[T], value: T) -> str:
    """A value as JSON text."""
    return adapter.dump_json(value).decode()


def event_text(event: Event) -> str:
    """An event as JSON text; a picture that it does not have is not named."""
    return EVENT.dump_json(event, exclude=None if getattr(event, "picture", None) else {"picture"}).decode()


def telling_text(telling: Telling) -> str:
    """A message as JSON text; a picture that it does not have is not named: what was told before pictures were still
    reads the same when it is told again."""
    return TELLING.dump_json(telling, exclude=None if telling.content.picture else {"content": {"picture"}}).decode()


def run_of(row: Row[Any]) -> Run:
    """A run with what others may have written beside its state."""
    run = RUN.validate_json(row.state)
    wish = WISH.validate_json(row.wish) if row.wish else None
    pause = PAUSE.validate_json(row.pause) if row.pause else None
    consent = CONSENT.validate_json(row.consent) if row.consent else None
    return run.amended(wish=wish, pause=pause, consent=consent)


def release_of(row: Row[Any]) -> ReleaseRecord:
    """A release record."""
    return ReleaseRecord(
        target=Target(row.service, row.environment),
        image=row.image,
        ref=row.ref,
        run_id=RunId(row.run_id),
        by=UserId(row.by),
        since=row.since,
        until=row.until,
        healthy=row.healthy,
        reason=row.reason,
    )


def entry_of(row: Row[Any]) -> ChainedEntry:
    """An entry of the journal, exactly as it was chained."""
    return ChainedEntry(row.number, ENTRY.validate_json(row.entry), row.previous, row.hash)


def letter_of(row: Row[Any]) -> Letter:
    """A message; `under_channel` and `under_ts` are those of the message whose thread it belongs to."""
    return Letter(
        key=MessageKey(row.key),
        number=row.number,
        telling=TELLING.validate_json(row.telling),
        channel=ChannelId(row.channel_id) if row.channel_id else None,
        place=_place(row.channel_id, row.ts),
        under=_place(row.under_channel, row.under_ts),
        wanted=row.wanted,
        delivered=row.delivered,
        seeded=row.seeded,
        attempted_at=row.attempted_at,
        failures=row.failures,
        error=row.error,
    )


def _place(channel: str | None, ts: str | None) -> Place | None:
    return Place(ChannelId(channel), ts) if channel and ts else None
