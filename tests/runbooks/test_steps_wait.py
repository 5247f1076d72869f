"""wait: some time has passed."""

from datetime import timedelta

from bot.domain.outcome import Pending, Succeeded
from runbooks.steps.wait import Wait, WaitSpec
from tests.runbooks.passes import Place

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


def test_it_is_read_aloud() -> None:
    """In whole units."""
    assert WaitSpec.model_validate({"for": "90s"}).read_aloud() == "Wait 1m30s."
