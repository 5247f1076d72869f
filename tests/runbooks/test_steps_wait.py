"""wait: some time has passed."""

from datetime import timedelta

import pytest

from bot.domain.outcome import Pending, Succeeded
from runbooks.source import Faults
from runbooks.steps.wait import Wait, WaitSpec
from tests.runbooks.passes import Place
from tests.runbooks.test_planner import planned

MINUTE = timedelta(minutes=1)


async def test_it_waits_until_the_time_is_over() -> None:
    """Its next look is when that is, and it says how much is left."""
    place = Place()
    place.clock.advance(2 * MINUTE)
    assert await Wait().reconcile(place.context("wait", {"for": "5m"})) == Pending("3m of 5m left", 3 * MINUTE)
    place.clock.advance(3 * MINUTE)
    assert await Wait().reconcile(place.context("wait", {"for": "5m"})) == Succeeded("waited 5m")


async def test_a_restart_does_not_begin_anew() -> None:
    """The time counts from the step's first pass, which is in the database."""
    place = Place()
    place.clock.advance(timedelta(days=1))
    assert isinstance(await Wait().reconcile(place.context("wait", {"for": "5m"})), Succeeded)


def test_its_deadline_covers_what_it_waits() -> None:
    """A wait that was written is waited, whatever wakes the run meanwhile."""
    [waits] = planned("wait: 10d").steps
    assert waits.deadline >= timedelta(days=10)


def test_a_deadline_that_is_shorter_is_a_fault() -> None:
    """It would undo the release in the middle of the wait."""
    with pytest.raises(Faults, match=r"4:32: the deadline is shorter than the 10d that the step takes; leave it out"):
        planned("wait: {for: 10d, deadline: 2d}")


def test_it_is_read_aloud() -> None:
    """In whole units."""
    assert WaitSpec.model_validate({"for": "90s"}).read_aloud() == "Wait 1m30s."
