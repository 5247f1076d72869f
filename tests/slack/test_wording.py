"""How values read."""

from datetime import timedelta

import pytest

from bot.domain.plan import Previous
from bot.slack.wording import age, bar, duration, health, key_word, ref_word, step_word
from commands.wording import slash_line
from tests.slack.samples import a_step


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (12.4, "12 s"),
        (372, "6 min 12 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, said: str) -> None:
    """Twelve seconds matter in a minute and not in a day."""
    assert duration(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("minutes", "said"), [(-5, "0 min"), (4, "4 min"), (60, "1 h"), (26 * 60, "26 h"), (2 * 24 * 60, "2 d")]
)
def test_an_age_has_one_unit(minutes: int, said: str) -> None:
    """Two days and a bit are two days."""
    assert age(timedelta(minutes=minutes)) == said


def test_references_are_short_enough_to_say() -> None:
    """Commits by seven digits, digests by twelve, tags as they are."""
    assert ref_word("9f2c1e7" + "0" * 33) == "9f2c1e7"
    assert ref_word("sha256:" + "8c1d" * 16) == "sha256:8c1d8c1d8c1d"
    assert ref_word("v1.4.2") == "v1.4.2"


def test_a_line_is_shown_as_it_is_typed() -> None:
    """Verbs without a slash command of their own are words of `/release`."""
    assert slash_line("rollback api prod") == "/rollback api prod"
    assert slash_line("abort api-prod-42") == "/release abort api-prod-42"


def test_a_step_reads_as_something_being_done() -> None:
    """A kind that has no phrase yet reads by its name."""
    assert step_word(a_step("steps.x", kind="rollout")) == "rolling out"
    assert step_word(a_step("steps.x", kind="shift_traffic")) == "shift traffic"
    assert key_word("on_failure.set_image") == "set image"


def test_a_long_runbook_is_drawn_to_scale() -> None:
    """The bar never grows wider than a phone."""
    assert bar(1, 4) == "▰▱▱▱"
    assert bar(20, 40) == "▰" * 8 + "▱" * 8
    assert bar(0, 0) == ""


def test_unknown_health_is_called_unknown() -> None:
    """Nobody recorded it: that is neither healthy nor not."""
    assert [health(Previous("i", "r", healthy=known)) for known in (True, False, None)] == [
        "healthy",
        "not healthy",
        "health unknown",
    ]
