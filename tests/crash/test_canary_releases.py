"""Whole canary releases, from the command to the last message, of a process that may die at any moment."""

import os
from pathlib import Path

import pytest

from bot.domain.traffic import Router
from tests.crash.canary_lives import STORIES, End, Life, a_world
from tests.crash.mortality import Mortality

STRIDE = int(os.environ.get("CANARY_CRASH_STRIDE", "95"))
"""Every which moment is tried; 1 tries them all, some 1,900 lives. An odd number meets moments before writes, and
after."""

SHARDS = 2
"""The moments of a story are dealt to so many tests, which run side by side."""

OFTEN = 13
"""A process that dies at every so-and-so-manieth moment gets through a few passes between two deaths."""

ROUTERS = (Router.GATEWAY_API, Router.REPLICAS)
ENDS = {
    "promoted": ("succeeded", "v2"),
    "rolled-back": ("restored", "v1"),
    "aborted": ("restored", "v1"),
}


async def the_end(folder: Path, template: Path, story: tuple[str, Router], mortality: Mortality) -> End:
    """How a release ends."""
    name, router = story
    async with a_world(folder, template, STORIES[name], router, mortality) as world:
        return await Life(world, STORIES[name], router, mortality).lived()


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("name", STORIES)
async def test_a_canary_survives_a_death_at_any_moment(
    tmp_path: Path, template: Path, name: str, router: Router, shard: int
) -> None:
    """It ends alike, with the same effects in the same order, the same messages, and nothing of the canary left."""
    whole = Mortality()
    expected = await the_end(tmp_path / "whole", template, (name, router), whole)
    assert (expected.phase, expected.image, expected.leftovers) == (*ENDS[name], ())
    assert len(whole.moments) > 200, "there should be many moments to die at"
    for moment in range(1 + shard * STRIDE, len(whole.moments) + 1, STRIDE * SHARDS):
        end = await the_end(tmp_path / str(moment), template, (name, router), Mortality(die_at=moment))
        assert end == expected, f"died {whole.moments[moment - 1]} (moment {moment})"


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("name", STORIES)
async def test_a_canary_survives_many_deaths(tmp_path: Path, template: Path, name: str, router: Router) -> None:
    """One after another, all through the release."""
    expected = await the_end(tmp_path / "whole", template, (name, router), Mortality())
    for first in range(1, OFTEN + 1, min(STRIDE, OFTEN // 2)):
        mortality = Mortality(die_at=first, again_after=OFTEN)
        end = await the_end(tmp_path / str(first), template, (name, router), mortality)
        assert end == expected, f"died at moment {first} and at every {OFTEN}th after it"
