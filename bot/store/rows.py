"""The tables. Bodies are JSON of domain values; what SQL must decide by has a column of its own."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlmodel import Field, SQLModel

LONGEST_KEY = 500
"""Of a message: names of services, environments and steps go into it."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware in Python, UTC in the database, whatever the database keeps of time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


def _time(**options: Any) -> Any:  # SQLModel's Field is typed as the field's own type
    return Field(sa_type=UtcDateTime, **options)


def _text(**options: Any) -> Any:  # as above
    return Field(sa_type=Text, **options)


class InvocationRow(SQLModel, table=True):
    """What was heard; `due_at` says when it may be tried (again), `handled_at` that it is done."""

    __tablename__ = "invocations"
    number: int | None = Field(default=None, primary_key=True)
    dedupe_key: str = Field(unique=True, max_length=200)
    body: str = _text()
    due_at: datetime | None = _time(nullable=True, index=True)
    handled_at: datetime | None = _time(default=None, nullable=True)
    attempts: int = 0


class RunRow(SQLModel, table=True):
    """A run. `wish`, `pause` and `consent` have columns of their own: others may write them during a pass."""

    __tablename__ = "runs"
    id: str = Field(primary_key=True, max_length=200)
    number: int = 0
    service: str = Field(max_length=100, index=True)
    environment: str = Field(max_length=100)
    phase: str = Field(max_length=20, index=True)
    state: str = _text()
    wish: str | None = _text(default=None, nullable=True)
    pause: str | None = _text(default=None, nullable=True)
    consent: str | None = _text(default=None, nullable=True)
    created_at: datetime = _time()
    lined_up_at: datetime | None = _time(default=None, nullable=True)
    wake_at: datetime | None = _time(default=None, nullable=True, index=True)
    hinted_at: datetime | None = _time(default=None, nullable=True)
    lease_owner: str | None = Field(default=None, max_length=100)
    lease_until: datetime | None = _time(default=None, nullable=True)
    token: int = 0


class TargetRow(SQLModel, table=True):
    """The lock of a target, and the number of its newest run."""

    __tablename__ = "targets"
    service: str = Field(primary_key=True, max_length=100)
    environment: str = Field(primary_key=True, max_length=100)
    counter: int = 0
    holder: str | None = Field(default=None, max_length=200)
    since: datetime | None = _time(default=None, nullable=True)


class ReleaseRow(SQLModel, table=True):
    """A release record."""

    __tablename__ = "releases"
    number: int | None = Field(default=None, primary_key=True)
    service: str = Field(max_length=100, index=True)
    environment: str = Field(max_length=100)
    image: str = Field(max_length=500)
    ref: str = Field(max_length=200)
    run_id: str = Field(max_length=200)
    by: str = Field(max_length=100)
    since: datetime = _time()
    until: datetime | None = _time(default=None, nullable=True)
    healthy: bool = True
    reason: str = _text(default="")


class EventRow(SQLModel, table=True):
    """Something that happened to a run."""

    __tablename__ = "events"
    number: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(max_length=200, index=True)
    body: str = _text()


class JournalRow(SQLModel, table=True):
    """An entry of the hash-chained journal; `entry` is its JSON."""

    __tablename__ = "journal"
    number: int = Field(primary_key=True)
    entry: str = _text()
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class FreezeRow(SQLModel, table=True):
    """A person's freeze of an environment, or of everything."""

    __tablename__ = "freezes"
    scope: str = Field(primary_key=True, max_length=100)
    by: str = Field(max_length=100)
    since: datetime = _time()
    until: datetime | None = _time(default=None, nullable=True)
    reason: str = _text(default="")


class LockRow(SQLModel, table=True):
    """A person's lock of a target."""

    __tablename__ = "locks"
    service: str = Field(primary_key=True, max_length=100)
    environment: str = Field(primary_key=True, max_length=100)
    owner: str = Field(max_length=100)
    since: datetime = _time()
    reason: str = _text(default="")
    reminded_at: datetime | None = _time(default=None, nullable=True)


class LetterRow(SQLModel, table=True):
    """A message: what is wanted and what is known to be delivered."""

    __tablename__ = "letters"
    number: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=LONGEST_KEY)
    telling: str = _text()
    lane: str = Field(default="", max_length=200, index=True)
    urgent: bool = False
    under: str | None = Field(default=None, max_length=LONGEST_KEY)
    channel_id: str | None = Field(default=None, max_length=100, index=True)
    ts: str | None = Field(default=None, max_length=40, index=True)
    wanted: int = 1
    delivered: int = 0
    seeds: int = 0
    seeded: int = 0
    attempted_at: datetime | None = _time(default=None, nullable=True)
    due_at: datetime | None = _time(default=None, nullable=True, index=True)
    claimed_by: str | None = Field(default=None, max_length=100)
    claimed_until: datetime | None = _time(default=None, nullable=True)
    failures: int = 0
    error: str = _text(default="")
