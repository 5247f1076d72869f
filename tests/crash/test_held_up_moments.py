"""Every moment at which the process can die while a freeze holds an approved change up."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.events import StepWaited
from bot.domain.ids import RunId
from tests.crash.mortality import KilledError, Mortality
from tests.crash.test_every_moment import LIMIT, SHARDS, STRIDE, End, make_world, over, the_end, vote
from tests.fakes.people import ANN, DAN
from tests.scenarios.world import World

SECOND = timedelta(seconds=1)


async def tell(world: World) -> None:
    """ann asks; as soon as there is a ballot dan freezes prod for 90 s, and then people vote."""
    await world.hears(ANN, "deploy api v2 prod", key="the-command")
    if any("white_check_mark" in message.reactions for message in world.workspace.messages):
        await world.hears(DAN, "freeze prod 90s a quick look", key="the-freeze")
        await world.settle()
        vote(world)


async def live_through(world: World, mortality: Mortality) -> tuple[End, int]:
    """To the end, whatever happens to the process; how it ended, and how often the wait was written down."""
    mortality.awake = True
    end = world.clock.now() + LIMIT
    while world.clock.now() < end:
        try:
            await tell(world)  # the same commands again and again are the same commands
            await world.settle()
            if await over(world):
                await world.passes(30 * SECOND)
                break
            await world.passes(5 * SECOND)
        except KilledError:
            mortality.awake = False
            await world.kill()
            await world.start()
            mortality.awake = True
    async with world.store.reading() as tx:
        events = await tx.events(RunId("api-prod-1"))
    waits = [event for event in events if isinstance(event, StepWaited) and event.step == "gates.freeze"]
    return await the_end(world, "prod"), len(waits)


@pytest.mark.parametrize("shard", range(SHARDS))
async def test_dying_while_held_up_changes_nothing(tmp_path: Path, template: Path, shard: int) -> None:
    """The same image, changed once, after the freeze; the wait told once, and no message doubled."""
    mortality = Mortality()
    async with make_world(tmp_path / "whole", template, mortality) as world:
        expected = await live_through(world, mortality)
    assert (expected[0].image, len(expected[0].image_changes), expected[1]) == ("v2", 1, 1)
    moments = list(mortality.moments)
    for moment in range(1 + shard * STRIDE, len(moments) + 1, STRIDE * SHARDS):
        mortality = Mortality()
        mortality.die_at = moment
        async with make_world(tmp_path / str(moment), template, mortality) as world:
            lived = await live_through(world, mortality)
        assert lived == expected, f"died {moments[moment - 1]} (moment {moment})"
