"""How far two clocks are apart, as far as a header of whole seconds can tell."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from bot.doctor.finding import Area, Grade
from bot.doctor.skew import Skew, by_header, clock_finding
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)


def told(theirs_ahead: timedelta, *, took: timedelta = timedelta()) -> Skew:
    """What an answer says of a server whose clock is so far ahead of ours."""
    now = START + theirs_ahead + took / 2
    found = by_header({"date": format_datetime(now, usegmt=True)}, asked=START, answered=START + took)
    assert found is not None
    return found


def test_what_rounding_may_hide_is_no_skew() -> None:
    """Half a second either way, and half of what the answer took."""
    assert told(timedelta(milliseconds=999)).certain == timedelta()
    assert told(timedelta(seconds=3), took=timedelta(seconds=6)).certain == timedelta()


@pytest.mark.parametrize(
    ("theirs", "grade", "says"),
    [
        (timedelta(seconds=2), Grade.OK, "less than 2 s apart"),
        (timedelta(seconds=10), Grade.WARNING, "10 s behind it"),
        (-timedelta(seconds=10), Grade.WARNING, "10 s ahead of it"),
        (timedelta(minutes=2), Grade.FAULT, "120 s behind it: leases"),
        (-timedelta(minutes=2), Grade.FAULT, "120 s ahead of it: leases"),
    ],
)
def test_a_skew_is_told_by_what_it_does(theirs: timedelta, grade: Grade, says: str) -> None:
    """Beyond two seconds nobody keeps the clock; from a minute on it takes leases."""
    found = clock_finding(Area.CLOCK, "Slack", told(theirs))
    assert found.grade is grade
    assert says in found.seen


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}, {"Date": ""}])
def test_a_server_that_tells_no_time(headers: dict[str, str]) -> None:
    """Nothing is made up."""
    assert by_header(headers, asked=START, answered=START) is None


@pytest.mark.parametrize("date", ["", "now", f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT"])
def test_a_header_that_is_no_time_tells_nothing(date: str) -> None:
    """Whatever a server answers."""
    assert by_header({"date": date}, asked=START, answered=START) is None
