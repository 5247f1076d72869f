"""Freeze windows: when nothing may change in an environment, by the calendar. Pure functions of time.

`cron` is read by APScheduler's `CronTrigger` (https://apscheduler.readthedocs.io/en/3.x/modules/triggers/cron.html).
Its weekdays count from Monday = 0, where cron counts from Sunday = 0, so only their names are taken here; and where
cron takes day of month *or* weekday, it takes both, so only one of them may be narrowed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from pydantic import AfterValidator, Field, model_validator

from bot.domain.hold import EVERYTHING, Freeze
from bot.domain.ids import UserId
from runbooks.durations import PositiveDuration
from runbooks.parts import Part

WEEKDAYS = re.compile(r"\*|[a-z]{3}(-[a-z]{3})?(,[a-z]{3}(-[a-z]{3})?)*", re.IGNORECASE)
ONE_MINUTE = re.compile(r"\d{1,2}")
FIELDS = 5
FAR = timedelta(days=400)
"""Windows that follow one another for longer than this have no end worth naming."""

TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
ANY_YEAR = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
"""A leap year, so that the 29th of February comes."""

BEGINS = "When each window begins: minute, hour, day, month, weekday by name."


def zone(name: str) -> str:
    """The name of a time zone; raises ValueError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # ZoneInfoNotFoundError is a KeyError; a folder is an OSError
        raise ValueError(f"there is no time zone '{name}'; write it like Europe/Berlin or UTC") from exc
    return name


def cron(written: str) -> str:
    """A cron line that can be read in one way only; raises ValueError with what to write instead."""
    fields = written.split()
    if len(fields) != FIELDS:
        raise ValueError(f"'{written}' has {len(fields)} fields; write five: minute hour day month weekday")
    minute, _, day, _, weekday = fields
    if not ONE_MINUTE.fullmatch(minute):
        raise ValueError(f"'{minute}' is not one minute; a window begins at one, like the 0 of '0 16 * * FRI'")
    if not WEEKDAYS.fullmatch(weekday):
        raise ValueError(
            f"write the weekday '{weekday}' by its name, like FRI or MON-FRI: numbers are counted in two ways"
        )
    if day != "*" and weekday != "*":
        raise ValueError("a day of the month and a weekday together are read in two ways; write two windows")
    if _trigger(" ".join(fields), "UTC").get_next_fire_time(None, ANY_YEAR) is None:
        raise ValueError(f"'{written}' names a day that never comes")
    return " ".join(fields)


class FreezeWindow(Part):
    """A time in which nothing may change, by the calendar. It is elapsed time, whatever clocks do meanwhile."""

    # As a default the field would be called `cron` before its own annotation is read.
    cron: Annotated[str, AfterValidator(cron), Field(description=BEGINS)]
    for_: PositiveDuration = Field(alias="for", description="How long each lasts.")
    reason: str = Field(min_length=1, max_length=200, description="Why; told to everybody whom it stops.")
    timezone: Annotated[str, AfterValidator(zone)] = Field(default="UTC", description="Whose clocks `cron` means.")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.for_ > FAR:
            raise ValueError("a window of more than 400 days never ends; use `/release freeze` for that")
        return self

    def end(self, at: datetime) -> datetime | None:
        """When the window that covers `at` ends; `None`: none does. A window holds its beginning and not its end."""
        begins = list(self._begins(after=at - self.for_, until=at))
        return begins[-1] + self.for_ if begins else None

    def next_begin(self, after: datetime) -> datetime | None:
        """When the next window begins, `after` then or at it, in UTC; `None`: never again."""
        begin: datetime | None = _trigger(self.cron, self.timezone).get_next_fire_time(None, after)
        return begin and begin.astimezone(after.tzinfo)

    def _begins(self, *, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every beginning later than `after`, up to `until`, in UTC."""
        trigger, utc = _trigger(self.cron, self.timezone), until.tzinfo
        begin: datetime | None = trigger.get_next_fire_time(None, after + TICK)
        while begin is not None and begin.astimezone(utc) <= until:
            yield begin.astimezone(utc)
            begin = trigger.get_next_fire_time(None, begin.astimezone(utc) + SECOND)


def whole_minute(at: datetime) -> datetime:
    """The first whole minute that is not before `at`: people read and type no seconds."""
    return at + (-timedelta(seconds=at.second, microseconds=at.microsecond) % MINUTE)


@dataclass(frozen=True, slots=True)
class Frozen:
    """Why nothing may change in an environment, and until when, all that covers it taken together; `until` `None`:
    nobody knows. `by` `None`: the calendar's window. `exemptible`: people may let a single change through."""

    environment: str
    until: datetime | None
    reason: str
    by: UserId | None = None
    exemptible: bool = True

    @property
    def opens_at(self) -> datetime | None:
        """The first whole minute at which nothing freezes it: what a person can type is open then."""
        return whole_minute(self.until) if self.until else None

    def __str__(self) -> str:
        until = f"until {self.opens_at:%Y-%m-%d %H:%M} UTC" if self.opens_at else "until somebody lifts it"
        by = f" by <@{self.by}>" if self.by else ""
        what = f"{self.environment} is frozen" if self.exemptible else "everything is frozen"
        return f"{what}{by} {until}: {self.reason}"


def frozen(environment: str, windows: Sequence[FreezeWindow], freezes: Sequence[Freeze], at: datetime) -> Frozen | None:
    """What freezes an environment at `at`; `None`: nothing does.

    What stops everything is named first, then what a person said, then the calendar.
    """
    people = sorted(
        (one for one in freezes if one.covers(environment, at)), key=lambda one: (one.scope != EVERYTHING, one.since)
    )
    until = _until(environment, windows, freezes, at)
    if people:
        first = people[0]
        return Frozen(environment, until, first.reason, first.by, exemptible=first.scope != EVERYTHING)
    covering = next((window for window in windows if window.end(at)), None)
    return Frozen(environment, until, covering.reason) if covering else None


def _until(
    environment: str, windows: Sequence[FreezeWindow], freezes: Sequence[Freeze], at: datetime
) -> datetime | None:
    """The first time at which nothing covers the environment any more."""
    reached = at
    while reached - at < FAR:
        people = [one.until for one in freezes if one.covers(environment, reached)]
        ends = [end for end in (window.end(reached) for window in windows) if end]
        if None in people:
            return None
        ends += [end for end in people if end]
        if not ends:
            return reached
        reached = max(ends)
    return None


@lru_cache(maxsize=256)
def _trigger(line: str, timezone: str) -> CronTrigger:
    """Raises ValueError for a line that is no cron line."""
    return CronTrigger.from_crontab(line, timezone=ZoneInfo(timezone))
