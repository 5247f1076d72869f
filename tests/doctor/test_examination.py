"""Areas stand beside each other: what goes wrong in one hides nothing of the others, and nobody waits for ever."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.doctor.case import Case
from bot.doctor.examination import CHECKS, examined, unsettled
from bot.doctor.finding import Area, Finding, Grade, Tell
from bot.domain.errors import RefusedError, SetupError, UnreachableError
from bot.settings import Settings
from tests.fakes.clock import FakeClock
from tests.runbooks.catalogues import written


async def well(_case: Case, tell: Tell) -> None:
    """A check that finds nothing wrong."""
    tell(Area.SLACK.ok("all", "well"))


async def broken(_case: Case, tell: Tell) -> None:
    """A check of which something is known before a part of it fails."""
    tell(Area.DATABASE.ok("first", "well"))
    raise ExceptionGroup("parts", [KeyError("gone")])


async def endless(_case: Case, tell: Tell) -> None:
    """A check that waits for a server that never answers."""
    tell(Area.CLUSTER.ok("first", "well"))
    await asyncio.Event().wait()


async def found(folder: Path, **checks: object) -> list[tuple[Area, str, Grade]]:
    """What these checks find; the time is up at once."""
    settings = Settings.model_validate({"config": written(folder)})
    named = {Area(name): check for name, check in checks.items()}
    seen = await examined(settings, clock=FakeClock(), areas=[*named], limit=timedelta(seconds=0.05), checks=named)
    assert all("gone" in each.seen for each in seen if "itself" in each.seen)
    return [(each.area, each.subject, each.grade) for each in seen]


async def test_a_mistake_of_the_doctors_own_hides_nothing(tmp_path: Path) -> None:
    """What was found before it is kept, and the other areas are looked at."""
    assert await found(tmp_path, database=broken, slack=well) == [
        (Area.DATABASE, "first", Grade.OK),
        (Area.DATABASE, "all of it", Grade.UNKNOWN),
        (Area.SLACK, "all", Grade.OK),
    ]


async def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    """When the time is up, what was found is told, and that there may be more."""
    assert await found(tmp_path, cluster=endless, slack=well) == [
        (Area.SLACK, "all", Grade.OK),
        (Area.CLUSTER, "first", Grade.OK),
        (Area.CLUSTER, "all of it", Grade.UNKNOWN),
    ]


def test_every_area_is_looked_at() -> None:
    """The catalogue is read before the others."""
    assert {*CHECKS, Area.CATALOGUE} == set(Area)


def test_an_environment_that_cannot_be_read_is_a_finding() -> None:
    """Scripts read findings, whatever is wrong."""
    (only,) = unsettled(SetupError("the environment is not right: SLUICE_PORT: too high"))
    assert (only.grade, "SLUICE_PORT" in only.seen) == (Grade.FAULT, True)


@pytest.mark.parametrize(
    ("error", "grade"), [(UnreachableError("away"), Grade.UNKNOWN), (RefusedError("no"), Grade.FAULT)]
)
def test_of_what_is_away_nobody_knows(error: Exception, grade: Grade) -> None:
    """Anything else that a server says is a fault."""
    assert Area.CI.failed("main", error, "mend it").grade is grade


@pytest.mark.parametrize(("grade", "fix"), [(Grade.FAULT, ""), (Grade.WARNING, ""), (Grade.OK, "mend it")])
def test_whatever_is_not_well_has_a_fix(grade: Grade, fix: str) -> None:
    """And nothing else has one."""
    with pytest.raises(ValueError, match="needs a fix"):
        Finding(Area.CI, "main", grade, "seen", fix)
