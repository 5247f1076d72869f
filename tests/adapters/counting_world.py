"""A Datadog and a New Relic in memory to which an agent has sent the counts of one stable pod and one of the canary."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.ports.metrics import SignalQueries
from tests.adapters.datadog_server import DatadogServer
from tests.adapters.newrelic_server import NewRelicServer
from tests.contracts.canaries import DATADOG, NEW_RELIC, Vendor, pod, queries_of
from tests.fakes.clock import START
from tests.fakes.streams import Load

STABLE, CANARY = pod("api", 0), pod("api", 1, suffix="-canary")


def after(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


def known(vendor: Vendor, **signals: Any) -> SignalQueries:
    """The service's queries, proven when the story began."""
    return replace(queries_of("api", vendor=vendor, **{"bounds": [0.05, 0.1], **signals}), counted_from=START)


DATADOG_QUERIES, NEW_RELIC_QUERIES = known(DATADOG), known(NEW_RELIC)


def counted(server: DatadogServer | NewRelicServer, seconds: int = 20) -> None:
    """Scrapes of both pods, one a second."""
    server.streams.load(STABLE, START, Load())
    server.streams.load(CANARY, START, Load(error_rate=0.1))
    for second in range(seconds + 1):
        server.scrape(after(second))
