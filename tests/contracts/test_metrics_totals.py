"""What every `Metrics` promises of sums over a window."""

from datetime import timedelta

import pytest

from bot.ports.metrics import LackKind, SignalQueries, Totals
from tests.contracts.canaries import (
    INTERVAL,
    METRICS_WORLDS,
    World,
    Worlds,
    pod,
    queries_of,
)

WINDOW = timedelta(seconds=8)
RATE = 50


@pytest.fixture(params=METRICS_WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def summed(world: World, window: timedelta = WINDOW, *, scrapes: int = 10, **signals: object) -> Totals:
    """The sums after so many scrapes."""
    queries: SignalQueries = queries_of(world.workload, vendor=world.vendor, **signals)
    _, now = await world.passes(scrapes)
    return await world.metrics.totals(queries, window, now)


async def test_all_stable_pods_count_together(worlds: Worlds) -> None:
    """Requests, and those of them that failed, for as long as the window is."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0), error_rate=0.2)
        await world.load(pod(world.workload, 1))
        found = await summed(world)
    assert found.requests == pytest.approx(2 * RATE * WINDOW.total_seconds(), rel=0.25)
    assert found.failures == pytest.approx(found.requests / 10, rel=0.25)
    assert (found.lacks, found.covered >= WINDOW - 2 * INTERVAL, found.covered <= WINDOW) == ((), True, True)


async def test_who_has_never_failed_has_no_failures(worlds: Worlds) -> None:
    """The series of a code does not exist before the first such answer."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0))
        found = await summed(world)
    assert (found.requests > 0, found.failures, found.lacks) == (True, 0.0, ())


async def test_others_do_not_count(worlds: Worlds) -> None:
    """Neither a canary nor a workload whose name only begins alike."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0))
        await world.load(pod(world.workload, 1, suffix="-canary"), error_rate=0.9)
        await world.load(pod(world.workload, 2, suffix="-worker"), error_rate=0.9)
        found = await summed(world)
    assert found.requests == pytest.approx(RATE * WINDOW.total_seconds(), rel=0.25)
    assert found.failures == 0.0


async def test_a_window_that_began_before_the_data_is_not_whole(worlds: Worlds) -> None:
    """How much of it is known is told, and never more than there is."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0))
        found = await summed(world, timedelta(minutes=10))
    assert timedelta(0) < found.covered <= timedelta(seconds=14)
    assert found.requests <= RATE * 14
    assert found.lacks == ()


async def test_a_window_of_a_month_knows_what_there_is(worlds: Worlds) -> None:
    """Whatever pieces the server is asked for, a few seconds of data never look like a month."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0), error_rate=0.5)
        found = await summed(world, timedelta(days=30))
    assert found.covered <= timedelta(seconds=14)
    assert 0 < found.requests <= RATE * 14
    assert found.failures == pytest.approx(found.requests / 2, rel=0.25)


async def test_who_is_asked_nothing_is_heard_of(worlds: Worlds) -> None:
    """No requests are none, and no lack of data."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0))
        await world.passes(4)
        await world.load(pod(world.workload, 0), rate=0)
        found = await summed(world, timedelta(seconds=5))
    assert (found.requests, found.failures, found.lacks) == (0.0, 0.0, ())
    assert found.covered >= timedelta(seconds=3)


async def test_nobody_there_is_told(worlds: Worlds) -> None:
    """With what is wrong: never as requests that did not fail."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0, suffix="-worker"))
        found = await summed(world)
    assert (found.requests, found.covered, [lack.kind for lack in found.lacks]) == (
        0.0,
        timedelta(0),
        [LackKind.NO_SERIES],
    )


async def test_failures_that_cannot_be_told_are_a_lack(worlds: Worlds) -> None:
    """Requests without any code are not good ones."""
    async with worlds() as world:
        await world.load(pod(world.workload, 0), error_rate=0.5)
        found = await summed(world, labels={"code": "outcome"})
    assert (found.requests, [lack.kind for lack in found.lacks]) == (0.0, [LackKind.NO_SERIES])
    assert "so failed requests cannot be told; set labels: {code: …}" in found.lacks[0].said
