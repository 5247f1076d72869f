"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from runbooks.durations import Duration, PositiveDuration, parse, roughly, say


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2d", timedelta(days=2)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        ("90M", timedelta(minutes=90)),
        ("0s", timedelta(0)),
    ],
)
def test_reads_what_people_write(written: str, meant: timedelta) -> None:
    """Units go from large to small; spaces and capitals do not matter."""
    assert parse(written) == meant


@pytest.mark.parametrize(
    "written", ["", "  ", "m", "30", "30min", "m30", "30m1h", "-5m", "1.5h", "5m5m", None, True, []]
)
def test_refuses_what_is_no_duration(written: object) -> None:
    """The refusal shows how to write one."""
    with pytest.raises(ValueError, match=r"write it like 45s, 30m, 1h30m or 2d"):
        parse(written)


def test_a_number_without_unit_is_refused_with_the_fix() -> None:
    """Seconds or minutes: nobody can know, so both are offered."""
    with pytest.raises(ValueError, match=r"5 has no unit; write 5s for seconds or 5m for minutes"):
        parse(5)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9999)))
def test_said_durations_are_read_again(duration: timedelta) -> None:
    """Saying and reading lose nothing but fractions of a second."""
    assert parse(say(duration)) == timedelta(seconds=int(duration.total_seconds()))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0s"), (40, "40s"), (372, "6m12s"), (3_725, "1h2m"), (183_700, "2d3h"), (172_800, "2d")],
)
def test_ages_have_two_units_at_most(seconds: int, said: str) -> None:
    """Nobody wants to know the seconds of a release of last week."""
    assert roughly(timedelta(seconds=seconds)) == said


class Timed(BaseModel):
    """A model with both sorts of fields."""

    wait: Duration = timedelta(0)
    within: PositiveDuration = timedelta(minutes=1)


def test_a_field_is_dumped_as_it_is_written() -> None:
    """A plan holds `1h30m`, which the step reads again."""
    dumped = Timed(wait=timedelta(minutes=90)).model_dump(mode="json")
    assert dumped == {"wait": "1h30m", "within": "1m"}
    assert Timed.model_validate(dumped).wait == timedelta(minutes=90)


def test_a_positive_duration_is_not_nothing() -> None:
    """An approval that must come within no time can never come."""
    with pytest.raises(ValidationError, match="greater than"):
        Timed.model_validate({"within": "0s"})
