"""What every `Metrics` tells when something is wrong on the other side. Nobody can do this to a real server in time."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import pytest

from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.domain.errors import UnreachableError
from bot.ports.metrics import CPU, ERRORS, LATENCY, Arm, LackKind, Metrics, Reading
from tests.adapters.prometheus_server import PrometheusServer
from tests.contracts.canaries import INTERVAL, pod, queries_of
from tests.fakes.clock import START
from tests.fakes.metrics import FakeMetrics
from tests.fakes.streams import Load, Streams

STABLE, CANARY, SECOND = pod("api", 0), pod("api", 1, suffix="-canary"), pod("api", 2, suffix="-canary")
QUERIES = queries_of("api", bounds=[0.05, 0.1, 0.5])


def after(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


@dataclass
class World:
    """Streams that a test changes, and the server that scrapes them every second."""

    metrics: Metrics
    streams: Streams
    scrape_until: Callable[[datetime], None]
    break_down: Callable[[], None]
    warn: Callable[[str], None]

    async def read(self, since_s: float, until_s: float) -> tuple[Reading, ...]:
        """The readings of a span; one second later, so that all is settled."""
        self.scrape_until(after(until_s + 1))
        return await self.metrics.read(QUERIES, after(since_s), after(until_s) + INTERVAL / 2)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The fake and its switches."""
    fake = FakeMetrics()

    def warn(said: str) -> None:
        fake.warnings = (said,)

    def break_down() -> None:
        fake.down = True

    yield World(fake, fake.streams, lambda until: None, break_down, warn)


@asynccontextmanager
async def memory_world() -> AsyncIterator[World]:
    """Our client and a server in memory."""
    server = PrometheusServer()

    def scrape_until(until: datetime) -> None:
        at = START
        while at <= until:
            server.scrape(at)
            at += INTERVAL

    def break_down() -> None:
        server.faults = [httpx.ConnectError("it is down")] * 9

    async with PrometheusMetrics(Server("Prometheus main", "http://prometheus.test"), transport=server) as metrics:
        yield World(metrics, server.streams, scrape_until, break_down, server.warnings.append)


Worlds = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture(params=[pytest.param(fake_world, id="fake"), pytest.param(memory_world, id="memory")])
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


def both_arms(world: World) -> None:
    """A stable pod and one of the canary, from the beginning."""
    world.streams.load(STABLE, START, Load())
    world.streams.load(CANARY, START, Load(error_rate=0.1))


def lacks(reading: Reading) -> list[tuple[LackKind, str, Arm | None]]:
    """What is missing, without the words."""
    return [(lack.kind, lack.signal, lack.arm) for lack in reading.lacks]


async def test_old_data_are_stale_and_not_quiet_traffic(worlds: Worlds) -> None:
    """Counters that stand still because nobody scrapes are left out after three intervals, and their age is told."""
    async with worlds() as world:
        both_arms(world)
        world.streams.stopped = after(5)
        readings = await world.read(4, 10)
    assert [len(reading.canary) for reading in readings] == [1, 1, 1, 1, 0, 0]
    assert lacks(readings[-1]) == [(LackKind.STALE, ERRORS, Arm.CANARY), (LackKind.STALE, ERRORS, Arm.BASELINE)]
    assert readings[-1].lacks[0].said == "the newest sample of the canary pod is 5 s old"


async def test_stale_data_prove_nothing(worlds: Worlds) -> None:
    """A server that no longer scrapes is found out before a canary starts."""
    async with worlds() as world:
        both_arms(world)
        world.streams.stopped = after(60)
        world.scrape_until(after(60))
        proof, *_ = await world.metrics.prove(QUERIES, after(70))
    assert proof.problem == "the newest sample is 10 s old; is the server still scraping?"


async def test_a_pod_that_is_gone_is_not_told(worlds: Worlds) -> None:
    """The others of its arm are."""
    async with worlds() as world:
        both_arms(world)
        world.streams.load(SECOND, START, Load())
        world.streams.end(CANARY, after(5))
        readings = await world.read(3, 7)
    assert [sorted(reading.canary) for reading in readings] == [[CANARY, SECOND], [SECOND], [SECOND], [SECOND]]
    assert all(reading.whole for reading in readings)


async def test_a_restart_shows_as_counters_that_fell(worlds: Worlds) -> None:
    """The judge knows what to do with it; nothing is smoothed on the way."""
    async with worlds() as world:
        both_arms(world)
        world.streams.restart(CANARY, after(4.5))
        readings = await world.read(3, 7)
    assert [reading.canary[CANARY].requests for reading in readings] == [200, 25, 75, 125]
    assert [reading.canary[CANARY].errors for reading in readings] == [20, 2, 7, 12]


async def test_cpu_needs_two_scrapes(worlds: Worlds) -> None:
    """A pod's first scrape says what it has used, not how fast."""
    async with worlds() as world:
        world.streams.load(STABLE, START, Load())
        world.streams.load(CANARY, after(4.5), Load())
        readings = await world.read(4, 6)
    assert lacks(readings[0]) == [(LackKind.NO_SERIES, CPU, Arm.CANARY)]
    assert readings[0].canary[CANARY].gauges == {}
    assert readings[1].canary[CANARY].gauges == {CPU: pytest.approx(0.1)}


async def test_a_signal_of_some_pods_is_partial(worlds: Worlds) -> None:
    """How many pods lack it is told."""
    async with worlds() as world:
        both_arms(world)
        world.streams.load(SECOND, after(4.5), Load())
        reading, *_ = await world.read(4, 5)
    assert lacks(reading) == [(LackKind.PARTIAL, CPU, Arm.CANARY)]
    assert reading.lacks[0].said == "cpu is not shown by 1 of 2 canary pods"


async def test_a_server_that_warns_is_not_trusted_silently(worlds: Worlds) -> None:
    """What it gives is handed on, with what it said, for every signal."""
    async with worlds() as world:
        both_arms(world)
        world.warn("store 3 is away")
        (reading,) = await world.read(4, 5)
    assert lacks(reading) == [(LackKind.PARTIAL, name, None) for name in (ERRORS, LATENCY, CPU)]
    assert reading.lacks[0].said == "errors may not be whole: store 3 is away"
    assert CANARY in reading.canary


async def test_a_server_that_warns_proves_nothing(worlds: Worlds) -> None:
    """A canary does not start on half an answer."""
    async with worlds() as world:
        both_arms(world)
        world.warn("store 3 is away")
        world.scrape_until(after(9))
        proofs = await world.metrics.prove(QUERIES, after(9))
    assert {proof.problem for proof in proofs} == {"the answer may not be whole: store 3 is away"}


async def test_a_server_that_is_down_is_unreachable(worlds: Worlds) -> None:
    """For reading and for proving."""
    async with worlds() as world:
        both_arms(world)
        world.break_down()
        with pytest.raises(UnreachableError, match="cannot be reached: it is down"):
            await world.read(4, 5)
        with pytest.raises(UnreachableError, match="cannot be reached: it is down"):
            await world.metrics.prove(QUERIES, after(5))
