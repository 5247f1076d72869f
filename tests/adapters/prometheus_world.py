"""Our client of a Prometheus in memory that has scraped one stable pod and one of the canary for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.adapters.secret_source import HttpLogin
from tests.adapters.prometheus_server import PrometheusServer
from tests.contracts.canaries import pod, queries_of
from tests.fakes.clock import START
from tests.fakes.streams import Load

STABLE, CANARY = pod("api", 0), pod("api", 1, suffix="-canary")
QUERIES = queries_of("api", bounds=[0.05, 0.1])
URL = "http://prometheus.test:9090"


def after(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


def scraped(seconds: int = 20) -> PrometheusServer:
    """The server, with a scrape every second."""
    server = PrometheusServer()
    server.streams.load(STABLE, START, Load())
    server.streams.load(CANARY, START, Load(error_rate=0.1))
    for second in range(seconds + 1):
        server.scrape(after(second))
    return server


@asynccontextmanager
async def asking(
    server: PrometheusServer, login: HttpLogin | None = None, **more: Any
) -> AsyncIterator[PrometheusMetrics]:
    """Our client; `more` are further fields of its `Server`."""
    place = Server("Prometheus main", URL, login=login or HttpLogin(), **more)
    async with PrometheusMetrics(place, transport=server) as metrics:
        yield metrics
