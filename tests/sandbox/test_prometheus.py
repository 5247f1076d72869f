"""The sandbox's Prometheus, asked over loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from bot.sandbox.endpoint import Endpoint
from bot.sandbox.loopback import listening
from bot.sandbox.prometheus.server import PrometheusServer
from bot.sandbox.traffic import Traffic
from tests.fakes.clock import START, FakeClock

POD = "api-7d9f8b6c5-bbbbb"
RANGE = {"query": "http_requests_total", "start": "0", "end": "10", "step": "1"}


class World:
    """One pod that is asked 100 times a second."""

    def __init__(self, **options: timedelta) -> None:
        self.clock = FakeClock()
        self.traffic = Traffic(self.clock)
        self.server = PrometheusServer(self.clock, self.traffic, **options)
        endpoints = [Endpoint(POD, "prod", "acme/api:v1-errors", 1.0)]
        self.traffic.route(START, service="api", namespace="prod", endpoints=endpoints)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who asks."""
        async with listening(self.server.application()) as url, httpx.AsyncClient(base_url=url) as http:
            yield http

    async def asked(self, what: str, **params: str) -> httpx.Response:
        """The answer to a GET."""
        async with self.open() as http:
            return await http.get(f"/api/v1/{what}", params=params)


async def test_every_moment_that_has_passed_is_scraped() -> None:
    """Though nobody asked meanwhile, and as often as the interval says."""
    world = World(interval=timedelta(seconds=5))
    world.clock.advance(timedelta(seconds=32))
    start, end = START.timestamp(), world.clock.now().timestamp()
    query = "max(timestamp(process_cpu_seconds_total))"
    told = await world.asked("query_range", query=query, start=f"{start}", end=f"{end}", step="1")
    (series,) = told.json()["data"]["result"]
    scraped = sorted({float(value) - start for _, value in series["values"]})
    assert scraped == [5, 10, 15, 20, 25, 30]


async def test_old_samples_are_dropped() -> None:
    """Memory is bounded by time."""
    world = World(kept=timedelta(minutes=5))
    world.clock.advance(timedelta(minutes=30))
    counts = []
    for age in (60, 900):
        at = world.clock.now().timestamp() - age
        counts.append(
            len((await world.asked("query", query="process_cpu_seconds_total", time=f"{at}")).json()["data"]["result"])
        )
    assert counts == [1, 0]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_both_methods_are_answered_alike(method: str) -> None:
    """With the query in the address or in a form."""
    world = World()
    world.clock.advance(timedelta(seconds=5))
    asked = {"query": 'sum by (pod) (http_requests_total{namespace="prod"})'}
    async with world.open() as http:
        sent = {"params": asked} if method == "GET" else {"data": asked}
        told = await http.request(method, "/api/v1/query", **sent)  # type: ignore[arg-type]
    (series,) = told.json()["data"]["result"]
    assert series["metric"] == {"pod": POD}
    assert float(series["value"][1]) == world.traffic.served()[POD].requests


@pytest.mark.parametrize(
    ("what", "params", "said"),
    [
        ("query", {"query": "sum("}, "parse error: unexpected end of input"),
        ("query", {"query": "rate(x[5m])"}, 'unknown function with name "rate"'),
        ("query", {"query": 'x{pod=~"("}'}, "parse error"),
        ("query", {"query": "x", "time": "noon"}, 'cannot parse "noon" to a valid timestamp'),
        ("query_range", RANGE | {"end": "-1"}, "end timestamp must not be before start time"),
        ("query_range", RANGE | {"step": "0"}, "zero or negative query resolution"),
        ("query_range", RANGE | {"step": "soon"}, 'cannot parse "soon" to a valid duration'),
        ("query_range", RANGE | {"end": "90000"}, "exceeded maximum resolution"),
    ],
)
async def test_a_slip_is_bad_data(what: str, params: dict[str, str], said: str) -> None:
    """With the words of the real server."""
    told = await World().asked(what, **params)
    assert (told.status_code, told.json()["status"], told.json()["errorType"]) == (400, "error", "bad_data")
    assert said in told.json()["error"]


async def test_labels_are_told() -> None:
    """Names and values, for a suggestion."""
    world = World()
    world.clock.advance(timedelta(seconds=5))
    assert (await world.asked("labels")).json()["data"] == ["__name__", "code", "le", "namespace", "pod"]
    assert (await world.asked("label/namespace/values")).json()["data"] == ["prod"]


async def test_it_is_ready_unless_it_is_down() -> None:
    """The switch takes everything away."""
    world = World()
    async with world.open() as http:
        up = await http.get("/-/ready")
        world.server.outage.down = True
        down = await http.get("/-/ready")
    assert (up.status_code, down.status_code) == (200, 503)


def test_an_interval_between_two_counts_is_refused() -> None:
    """Nothing would be new there."""
    clock = FakeClock()
    with pytest.raises(ValueError, match=r"counts every 0:00:01: it cannot be scraped every 0:00:01\.5"):
        PrometheusServer(clock, Traffic(clock), interval=timedelta(milliseconds=1500))
