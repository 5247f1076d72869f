"""What every `Metrics` tells of sums when something is wrong on the other side. Nobody can do this to a real server in
time."""

from datetime import timedelta

import pytest

from bot.domain.errors import UnreachableError
from bot.ports.metrics import LackKind, Totals
from tests.contracts.test_metrics_faults import STABLE, WORLDS, World, Worlds, after
from tests.fakes.clock import START
from tests.fakes.streams import Load

WINDOW = timedelta(seconds=20)


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def summed(world: World, until_s: float, window: timedelta = WINDOW) -> Totals:
    """The sums of a window that ends then; one second later, so that all is settled."""
    world.scrape_until(after(until_s + 1))
    return await world.metrics.totals(world.queries, window, after(until_s))


async def test_a_restart_loses_nothing_that_was_seen(worlds: Worlds) -> None:
    """A counter that fell began anew: what it had counted before stays counted, but for the last moments."""
    async with worlds() as world:
        world.streams.load(STABLE, START, Load(error_rate=0.2))
        world.streams.restart(STABLE, after(12.5))
        found = await summed(world, 24)
    assert found.requests == pytest.approx(20 * 50, rel=0.15)
    assert found.failures == pytest.approx(found.requests / 5, rel=0.15)
    assert found.lacks == ()


async def test_pods_that_are_gone_count(worlds: Worlds) -> None:
    """A window outlives many versions: the pods of each were the workload's."""
    async with worlds() as world:
        world.streams.load(STABLE, START, Load(error_rate=0.5))
        world.streams.end(STABLE, after(14))
        world.streams.load(STABLE.replace("bbbbb", "ccccc"), after(10), Load())
        found = await summed(world, 24)
    assert 0.8 * 10 * 25 < found.failures < 1.2 * 10 * 25
    assert found.requests == pytest.approx(24 * 50, rel=0.2)
    assert found.lacks == ()


async def test_old_data_are_stale(worlds: Worlds) -> None:
    """However many requests they hold: nobody knows what has happened since."""
    async with worlds() as world:
        world.streams.load(STABLE, START, Load())
        world.streams.stopped = after(15)
        found = await summed(world, 24)
    assert [lack.kind for lack in found.lacks] == [LackKind.STALE]
    assert "s old; is the server still scraping?" in found.lacks[0].said
    assert found.covered < timedelta(seconds=15)


async def test_a_server_that_warns_is_not_trusted_silently(worlds: Worlds) -> None:
    """What it counts is handed on, with what it said."""
    async with worlds() as world:
        world.streams.load(STABLE, START, Load())
        world.warn("store 3 is away")
        found = await summed(world, 24)
    assert {lack.kind for lack in found.lacks} == {LackKind.PARTIAL}
    assert {lack.said for lack in found.lacks} == {"requests may not be whole: store 3 is away"}
    assert found.requests > 0


async def test_a_server_that_is_down_is_unreachable(worlds: Worlds) -> None:
    """As for reading."""
    async with worlds() as world:
        world.streams.load(STABLE, START, Load())
        world.break_down()
        with pytest.raises(UnreachableError, match=world.down_says):
            await summed(world, 24)
