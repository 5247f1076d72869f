"""A release that starts a pipeline, and dies at any moment: one run, and the same end."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.crash.mortality import KilledError, MortalDatabase, Mortality
from tests.crash.test_every_moment import SHARDS, STRIDE, End, over, the_end
from tests.fakes.people import ANN
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.test_ci import SERVER, WITH_CI
from tests.scenarios.world import World

LIMIT = timedelta(minutes=30)
STEP = max(STRIDE, 4)
"""Such a release lives for longer than others: a sample of its moments, and all of those around the start."""

PROVING = """
name: proving
about: Release, and let the integration suite prove it.
steps:
  - set_image
  - rollout
  - pipeline: {run: integration.yml, inputs: {image: "${artifact.digest}"}}
  - notify: "proven by ${steps.pipeline.outputs.url}"
on_failure:
  - restore
"""


def make_world(folder: Path, template: Path, mortality: Mortality, *, late: timedelta) -> World:
    """A CI server whose lists show a new run `late`."""
    folder.mkdir()
    world = world_with(
        folder,
        template,
        PROVING,
        catalogue=SERVER + WITH_CI,
        database=lambda url: MortalDatabase(url, mortality),
    )
    world.ci.on_write = mortality
    world.ci.shows_after, world.ci.takes = late, timedelta(minutes=1)
    world.cluster.on_write = mortality
    return world


async def live_through(world: World, mortality: Mortality) -> tuple[End, list[str]]:
    """The release to its end, whatever happens to the process; and the keys of the runs that were started."""
    told, mortality.awake = False, True
    end = world.clock.now() + LIMIT
    while world.clock.now() < end:
        try:
            if not told:
                await world.hears(ANN, "deploy api v2 staging --runbook proving", key="the-command")
                told = True
            if await over(world):
                break
            await world.moment(end)
        except KilledError:
            mortality.awake = False
            await world.kill()
            await world.start()
            mortality.awake = True
    await world.passes(timedelta(seconds=30))
    return await the_end(world, "staging"), [run.order.key for run in world.ci.runs]


@pytest.mark.parametrize("late_s", [0, 45])
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_pipeline_is_started_once(tmp_path: Path, template: Path, shard: int, late_s: int) -> None:
    """Whenever the process dies, and however late the run shows in lists."""
    mortality, late = Mortality(), timedelta(seconds=late_s)
    async with make_world(tmp_path / "whole", template, mortality, late=late) as world:
        expected = await live_through(world, mortality)
    moments = list(mortality.moments)
    assert len(expected[1]) == 1
    assert "proven by https://ci.test/runs/1" in " ".join(message.text for message in world.workspace.messages)
    [started] = [number for number, moment in enumerate(moments, 1) if moment == "after start of a pipeline"]
    # The moments around the start are tried in any case.
    chosen = {
        *range(1 + shard * STEP, len(moments) + 1, STEP * SHARDS),
        started - 3 + 2 * shard,
        started - 2 + shard,
    }
    for moment in sorted(chosen):
        mortality = Mortality()
        mortality.die_at = moment
        async with make_world(tmp_path / str(moment), template, mortality, late=late) as world:
            end = await live_through(world, mortality)
        assert end == expected, f"died {moments[moment - 1]} (moment {moment})"
