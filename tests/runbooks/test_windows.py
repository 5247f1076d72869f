"""Freeze windows: pure functions of time, over summer time, year ends, overlaps and nonsense."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from bot.domain.hold import EVERYTHING, Freeze
from runbooks.windows import FreezeWindow, frozen
from tests.fakes.people import ANN, BOB

HOUR = timedelta(hours=1)
WEEKEND = "0 16 * * FRI"


def at(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_window(cron: str = WEEKEND, lasts: str = "64h", timezone: str = "UTC", reason: str = "weekend") -> FreezeWindow:
    """A window as the catalogue writes it."""
    return FreezeWindow.model_validate({"cron": cron, "for": lasts, "timezone": timezone, "reason": reason})


BERLIN = "Europe/Berlin"
COVERED = [
    # an ordinary weekend: the beginning is in it, the end is not
    (WEEKEND, "64h", "UTC", "2026-03-06T15:59:59", None),
    (WEEKEND, "64h", "UTC", "2026-03-06T16:00:00", "2026-03-09T08:00"),
    (WEEKEND, "64h", "UTC", "2026-03-09T07:59:59.999999", "2026-03-09T08:00"),
    (WEEKEND, "64h", "UTC", "2026-03-09T08:00:00", None),
    # the same by the clocks of Berlin, in winter and in summer
    (WEEKEND, "64h", BERLIN, "2026-03-06T14:59:59", None),
    (WEEKEND, "64h", BERLIN, "2026-03-06T15:00:00", "2026-03-09T07:00"),
    (WEEKEND, "64h", BERLIN, "2026-07-03T13:59:59", None),
    (WEEKEND, "64h", BERLIN, "2026-07-03T14:00:00", "2026-07-06T06:00"),
    # over both changes of the clock: elapsed hours count
    (WEEKEND, "64h", BERLIN, "2026-03-27T15:00:00", "2026-03-30T07:00"),
    (WEEKEND, "64h", BERLIN, "2026-10-23T14:00:00", "2026-10-26T06:00"),
    # a time that does not exist on that night is the one after the gap
    ("30 2 * * *", "1h", BERLIN, "2026-03-29T01:30:00", "2026-03-29T02:30"),
    ("30 2 * * *", "1h", BERLIN, "2026-03-29T01:29:59", None),
    # a time that exists twice begins twice: no minute between is open
    ("30 2 * * *", "1h", BERLIN, "2026-10-25T00:30:00", "2026-10-25T01:30"),
    ("30 2 * * *", "1h", BERLIN, "2026-10-25T01:30:00", "2026-10-25T02:30"),
    # over the end of a year, and on a day that comes every fourth year
    ("0 0 20 DEC *", "16d", "UTC", "2027-01-04T23:59:59", "2027-01-05T00:00"),
    ("0 0 20 DEC *", "16d", "UTC", "2027-01-05T00:00:00", None),
    ("0 0 29 FEB *", "1d", "UTC", "2028-02-29T12:00:00", "2028-03-01T00:00"),
    ("0 0 29 FEB *", "1d", "UTC", "2027-02-28T12:00:00", None),
    # one that begins again before it ends: the later beginning counts
    ("0 * * * *", "90m", "UTC", "2026-03-06T10:30:00", "2026-03-06T11:30"),
]


@pytest.mark.parametrize(("cron", "lasts", "timezone", "now", "end"), COVERED)
def test_when_a_window_ends(cron: str, lasts: str, timezone: str, now: str, end: str | None) -> None:
    """And when it does not cover a time at all."""
    assert a_window(cron, lasts, timezone).end(at(now)) == (at(end) if end else None)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"for": "0s"}, "greater than"),
        ({"for": "64"}, "is not a duration"),
        ({"for": "401d"}, "never ends"),
        ({"cron": "0 16 * *"}, "has 4 fields"),
        ({"cron": "0 16 * * 5"}, "by its name"),
        ({"cron": "0 16 * * FRO"}, "FRO"),
        ({"cron": "0 25 * * *"}, "25"),
        ({"cron": "* 16 * * FRI"}, "is not one minute"),
        ({"cron": "*/5 16 * * FRI"}, "is not one minute"),
        ({"cron": "0 16 1 * FRI"}, "write two windows"),
        ({"cron": "0 0 30 FEB *"}, "never comes"),
        ({"cron": "@weekly"}, "has 1 fields"),
        ({"timezone": "Europe/Berlyn"}, "no time zone"),
        ({"timezone": "../etc/passwd"}, "no time zone"),
        ({"reason": ""}, "at least 1 character"),
        ({"until": "MON"}, "Extra inputs"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(written: dict[str, str], fault: str) -> None:
    """A window that is not the one that was meant is worse than none."""
    with pytest.raises(ValidationError, match=fault):
        FreezeWindow.model_validate({"cron": WEEKEND, "for": "64h", "reason": "weekend", **written})


NOON = at("2026-03-06T12:00")


def a_freeze(scope: str = "prod", hours: int | None = 2, **said: object) -> Freeze:
    """ann has frozen something at noon."""
    until = None if hours is None else NOON + hours * HOUR
    return Freeze(scope, ANN, NOON, until, str(said.get("reason", "moving house")))


def test_when_a_window_begins_next() -> None:
    """By the clocks that it means, told in UTC; at its very beginning that is now."""
    friday = a_window(timezone=BERLIN)
    assert friday.next_begin(at("2026-03-02T09:00:00")) == at("2026-03-06T15:00:00")
    assert friday.next_begin(at("2026-03-06T15:00:00")) == at("2026-03-06T15:00:00")
    assert friday.next_begin(at("2026-03-06T15:00:01")) == at("2026-03-13T15:00:00")


def test_nothing_covers_it() -> None:
    """Neither window nor person, nor a person's freeze of another place."""
    assert frozen("prod", [a_window()], [a_freeze("staging")], NOON) is None


def test_what_follows_at_once_is_one_freeze() -> None:
    """Two people and the weekend: the time that is named is the one at which it is really open."""
    people = [a_freeze(hours=5), Freeze("prod", BOB, NOON, NOON + HOUR, "shorter")]
    found = frozen("prod", [a_window()], people, NOON + timedelta(minutes=1))
    assert found is not None
    assert (found.until, found.by) == (at("2026-03-09T08:00"), ANN)


def test_windows_that_never_leave_a_gap_have_no_end() -> None:
    """A day that begins anew every day: nobody is told a time at which it would still be frozen."""
    found = frozen("prod", [a_window("0 0 * * *", "24h")], [], NOON)
    assert found is not None
    assert found.until is None


def test_what_stops_everything_is_named_first() -> None:
    """And no exemption passes it."""
    found = frozen("prod", [a_window()], [a_freeze(), Freeze(EVERYTHING, BOB, NOON, None, "stop")], NOON)
    assert found is not None
    assert (found.by, found.exemptible, found.until) == (BOB, False, None)
    assert str(found) == "everything is frozen by <@U0BOB> until somebody lifts it: stop"


def test_a_freeze_that_is_over_freezes_nothing() -> None:
    """To the second."""
    assert frozen("prod", [], [a_freeze()], NOON + 2 * HOUR) is None
    assert frozen("prod", [], [a_freeze()], NOON + 2 * HOUR - timedelta(seconds=1)) is not None
