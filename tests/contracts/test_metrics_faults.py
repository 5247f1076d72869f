"""What every `Metrics` tells when something is wrong on the other side. Nobody can do this to a real server in time."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

import httpx
import pytest

from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.domain.errors import UnreachableError
from bot.domain.judge.samples import Counters
from bot.ports.metrics import CPU, ERRORS, LATENCY, Arm, LackKind, Metrics, Reading, SignalQueries
from tests.adapters.datadog_server import DatadogServer
from tests.adapters.newrelic_server import NewRelicServer
from tests.adapters.prometheus_server import PrometheusServer
from tests.contracts.canaries import (
    DATADOG,
    INTERVAL,
    NEW_RELIC,
    PROMETHEUS,
    Vendor,
    datadog_metrics,
    newrelic_metrics,
    pod,
    queries_of,
)
from tests.contracts.sandbox_metrics import SandboxStreams, sandbox_metrics
from tests.fakes.clock import START
from tests.fakes.metrics import FakeMetrics
from tests.fakes.streams import Load, Streams

STABLE, CANARY, SECOND = pod("api", 0), pod("api", 1, suffix="-canary"), pod("api", 2, suffix="-canary")
BOUNDS = [0.05, 0.1, 0.5]


def after(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


@dataclass
class World:
    """Streams that a test changes, and the server that scrapes them every second."""

    metrics: Metrics
    streams: Streams | SandboxStreams
    scrape_until: Callable[[datetime], None]
    break_down: Callable[[], None]
    warn: Callable[[str], None]
    vendor: Vendor = PROMETHEUS
    down_says: str = "cannot be reached: it is down"

    @property
    def queries(self) -> SignalQueries:
        """Those of the service, as if they were proven."""
        return replace(queries_of("api", vendor=self.vendor, bounds=BOUNDS), counted_from=START)

    async def read(self, since_s: float, until_s: float) -> tuple[Reading, ...]:
        """The readings of a span; one second later, so that all is settled."""
        self.scrape_until(after(until_s + 1))
        return await self.metrics.read(self.queries, after(since_s), after(until_s) + INTERVAL / 2)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The fake and its switches."""
    fake = FakeMetrics()

    def warn(said: str) -> None:
        fake.warnings = (said,)

    def break_down() -> None:
        fake.down = True

    yield World(fake, fake.streams, lambda until: None, break_down, warn)


def every_second(scrape: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Scrapes up to a moment, each second once."""
    seconds = count()

    def scrape_until(until: datetime) -> None:
        for second in seconds:
            scrape(after(second))
            if after(second) >= until:
                return

    return scrape_until


@asynccontextmanager
async def memory_world() -> AsyncIterator[World]:
    """Our client and a server in memory."""
    server = PrometheusServer()

    def break_down() -> None:
        server.faults = [httpx.ConnectError("it is down")] * 9

    async with PrometheusMetrics(Server("Prometheus main", "http://prometheus.test"), transport=server) as metrics:
        yield World(metrics, server.streams, every_second(server.scrape), break_down, server.warnings.append)


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """Our client and the sandbox's Prometheus, over loopback; what is down there is so behind a load balancer."""
    streams = SandboxStreams(noisy=False)
    server = streams.server

    def break_down() -> None:
        server.outage.down = True

    says = "answered HTTP 503: prometheus is down"
    async with sandbox_metrics(streams) as metrics:
        yield World(metrics, streams, streams.until, break_down, server.warnings.append, down_says=says)


@asynccontextmanager
async def datadog_world() -> AsyncIterator[World]:
    """Our client of Datadog and a Datadog in memory."""
    server = DatadogServer()

    def break_down() -> None:
        server.faults = [httpx.ConnectError("it is down")] * 9

    def warn(said: str) -> None:
        server.says = said

    async with datadog_metrics(server) as metrics:
        yield World(metrics, server.streams, every_second(server.scrape), break_down, warn, DATADOG)


@asynccontextmanager
async def newrelic_world() -> AsyncIterator[World]:
    """Our client of New Relic and a New Relic in memory."""
    server = NewRelicServer()

    def break_down() -> None:
        server.faults = [httpx.ConnectError("it is down")] * 9

    async with newrelic_metrics(server) as metrics:
        yield World(metrics, server.streams, every_second(server.scrape), break_down, server.messages.append, NEW_RELIC)


Worlds = Callable[[], AbstractAsyncContextManager[World]]
WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(memory_world, id="memory"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(datadog_world, id="datadog"),
    pytest.param(newrelic_world, id="newrelic"),
]


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


def both_arms(world: World) -> None:
    """A stable pod and one of the canary, from the beginning."""
    world.streams.load(STABLE, START, Load())
    world.streams.load(CANARY, START, Load(error_rate=0.1))


def counted(reading: Reading) -> dict[str, tuple[float, float]]:
    """Requests and errors of the canary's pods."""
    return {name: (sample.requests, sample.errors) for name, sample in reading.canary.items()}


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
        proof, *_ = await world.metrics.prove(world.queries, after(70))
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


async def test_a_restart_neither_invents_nor_loses(worlds: Worlds) -> None:
    """A counter that fell is shown as it is, for the judge knows what to do with it; or, by a server that keeps no
    counters, what came after is added to what was."""
    async with worlds() as world:
        both_arms(world)
        world.streams.restart(CANARY, after(4.5))
        readings = await world.read(3, 7)
    counters = Counters(2)
    grown = [counters.increments(shown).total.tolist() for shown in map(counted, readings)]
    assert grown == [[0, 0], [25, 2], [50, 5], [50, 5]]


async def test_a_reading_is_the_same_whoever_reads_it(worlds: Worlds) -> None:
    """One who has read all along, in whatever portions, and one who begins now, after a restart of the process."""
    async with worlds() as before:
        both_arms(before)
        whole = await before.read(100, 170)
        parts = [await before.read(since, since + 7) for since in range(100, 170, 7)]
    async with worlds() as after_restart:
        both_arms(after_restart)
        again = await after_restart.read(100, 170)
    assert [reading for part in parts for reading in part] == list(whole) == list(again)
    assert whole[-1].canary[CANARY].requests == 170 * 50


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
        await world.read(2, 4)
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
        proofs = await world.metrics.prove(world.queries, after(9))
    assert {proof.problem for proof in proofs} == {"the answer may not be whole: store 3 is away"}


async def test_a_server_that_is_down_is_unreachable(worlds: Worlds) -> None:
    """For reading and for proving."""
    async with worlds() as world:
        both_arms(world)
        world.break_down()
        with pytest.raises(UnreachableError, match=world.down_says):
            await world.read(4, 5)
        with pytest.raises(UnreachableError, match=world.down_says):
            await world.metrics.prove(world.queries, after(5))
