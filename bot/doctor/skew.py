"""How far two clocks are apart, and what that means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.doctor.finding import Area, Finding
from bot.engine.worker import LEASE

NOTICED = timedelta(seconds=2)
"""A clock that NTP keeps is off by milliseconds, and HTTP tells whole seconds: beyond this nobody keeps it, and it will
go on drifting. From a scrape interval on (some 15 s) the judge would look for metrics at moments that have none."""

TOO_FAR = LEASE
"""So much makes a server take the lease of another one that lives. Slack's requests are refused at five minutes."""

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Skew:
    """How far this machine's clock is ahead of another one (negative: behind), give or take `uncertain`."""

    ahead: timedelta
    uncertain: timedelta

    @classmethod
    def between(cls, told: datetime, *, asked: datetime, answered: datetime, step: timedelta = timedelta()) -> "Skew":
        """From a time that somebody told between two of our own moments, cut off to whole `step`s."""
        ours, theirs = asked + (answered - asked) / 2, told + step / 2
        return cls(ours - theirs, (answered - asked) / 2 + step / 2)

    @property
    def certain(self) -> timedelta:
        """How far they are apart at least."""
        return max(abs(self.ahead) - self.uncertain, timedelta())

    @property
    def is_noticed(self) -> bool:
        """Whether there is something to say."""
        return self.certain > NOTICED

    def __str__(self) -> str:
        if not self.is_noticed:
            return f"less than {NOTICED.total_seconds():g} s apart"
        way = "ahead of" if self.ahead > timedelta() else "behind"
        return f"this machine's clock is {abs(self.ahead).total_seconds():.0f} s {way} it"


def by_header(headers: Mapping[str, str], *, asked: datetime, answered: datetime) -> Skew | None:
    """From the header `Date` of an answer; `None`: it has none that can be read."""
    written = next((value for name, value in headers.items() if name.lower() == "date"), "")
    try:
        told = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return Skew.between(told, asked=asked, answered=answered, step=SECOND)


def clock_finding(area: Area, subject: str, skew: Skew, *, whose: str = "the one that is wrong") -> Finding:
    """What the skew means. `whose` clock is to be set."""
    if not skew.is_noticed:
        return area.ok(subject, str(skew))
    fix = f"let NTP keep the clock of {whose} (`timedatectl set-ntp true`)"
    if skew.certain >= TOO_FAR:
        return area.fault(subject, f"{skew}: leases and votes are timed by it", fix)
    return area.warning(subject, str(skew), fix)
