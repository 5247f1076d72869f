"""Worlds for the contract of `Metrics`: a service under traffic, scraped by a fake, by our stand-in or for real."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters import datadog, newrelic
from bot.adapters.datadog import DatadogMetrics
from bot.adapters.newrelic import NewRelicMetrics
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.metrics import Metrics, SignalQueries
from runbooks.metrics_providers import ProviderEntry
from runbooks.signals import Signals, resolve
from tests.adapters.datadog_server import DatadogServer
from tests.adapters.newrelic_server import ACCOUNT, KEY, NewRelicServer
from tests.adapters.prometheus_server import PrometheusServer
from tests.contracts.sandbox_metrics import SandboxStreams, sandbox_metrics
from tests.fakes.clock import START
from tests.fakes.metrics import FakeMetrics
from tests.fakes.streams import Load
from tests.real import servers

INTERVAL = timedelta(seconds=1)
NUMBERS = itertools.count(1)
CONSONANTS = "bcdfghjklmnpqrstvwxz"
SETTLED = timedelta(seconds=2)
"""By then every server tells what happened."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """Whose metrics server it is: its entry in the catalogue, and what is called otherwise there than in Prometheus."""

    entry: Mapping[str, Any]
    words: Mapping[str, str] = field(default_factory=dict)

    def spoken(self, text: str) -> str:
        """A text in the vendor's words."""
        for ours, theirs in self.words.items():
            text = text.replace(ours, theirs)
        return text


PROMETHEUS = Vendor({"prometheus": {"url": "http://prometheus.test"}})
DATADOG = Vendor(
    {"datadog": {"api_key_file": "a", "application_key_file": "b"}},
    {
        "http_requests_total": "http_requests.count",
        "http_request_total": "http_request.count",
        "no_such_bucket": "no_such.bucket",
        "label 'le'": "label 'upper_bound'",
        "whose pod is": "whose pod_name is",
    },
)
NEW_RELIC = Vendor({"newrelic": {"account": ACCOUNT, "api_key_file": "a"}})


def queries_of(workload: str, *, vendor: Vendor = PROMETHEUS, **signals: Any) -> SignalQueries:
    """The queries of a service whose series carry no namespace, scraped every second."""
    signals = json.loads(vendor.spoken(json.dumps(signals)))
    labels = {"namespace": None, **signals.pop("labels", {})}
    written = Signals.model_validate({"interval": "1s", "labels": labels, **signals})
    provider = ProviderEntry.model_validate(vendor.entry)
    return resolve(written, WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, workload), "main", provider)


class World(Protocol):
    """A service that nobody else has. Its pods are called `pod(...)`."""

    metrics: Metrics
    workload: str
    vendor: Vendor

    async def load(self, *pods: str, **load: float) -> None:
        """From now on these pods are under this `Load`, each."""
        ...

    async def passes(self, scrapes: int) -> tuple[datetime, datetime]:
        """Let so many scrapes pass; the span that may be read now and was not before, or what began with it."""
        ...


def pod(workload: str, number: int, *, suffix: str = "") -> str:
    """The name of a pod as Kubernetes makes it; `suffix` is that of the Deployment beside."""
    return f"{workload}{suffix}-7d9f8b6c5-{CONSONANTS[number] * 5}"


class Loading(Protocol):
    """Where pods come under load."""

    def load(self, pod: str, at: datetime, load: Load) -> None:
        """From `at` on the pod does this."""
        ...


class VirtualWorld:
    """Streams in virtual time. Every second somebody may scrape."""

    def __init__(
        self, metrics: Metrics, streams: Loading, scrape: Callable[[datetime], None], vendor: Vendor = PROMETHEUS
    ) -> None:
        self.metrics, self.workload, self.vendor = metrics, "api", vendor
        self._streams, self._scrape, self._now = streams, scrape, START

    async def load(self, *pods: str, **load: float) -> None:
        for name in pods:
            self._streams.load(name, self._now, Load(**load))

    async def passes(self, scrapes: int) -> tuple[datetime, datetime]:
        since = self._now
        for _ in range(scrapes + SETTLED // INTERVAL):
            self._now += INTERVAL
            self._scrape(self._now)
        return since, self._now


class RealWorld:
    """The traffic program that RIG_TRAFFIC_URL names, scraped every second by the server that PROMETHEUS_URL names."""

    def __init__(self, metrics: Metrics, traffic: httpx.AsyncClient) -> None:
        self.metrics, self.vendor, self._traffic = metrics, PROMETHEUS, traffic
        letters = [CONSONANTS[(os.getpid() // 20**place) % 20] for place in range(4)]
        self.workload = f"{''.join(letters)}{next(NUMBERS)}"

    async def load(self, *pods: str, **load: float) -> None:
        for name in pods:
            track = {"app": self.workload, "names": [name], "rate": 50, "error_rate": 0, **load}
            (await self._traffic.post(f"/tracks/{name}", json=track)).raise_for_status()

    async def passes(self, scrapes: int) -> tuple[datetime, datetime]:
        since = datetime.now(UTC)
        await asyncio.sleep((scrapes * INTERVAL + SETTLED).total_seconds())
        return since, datetime.now(UTC)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    fake = FakeMetrics()
    yield VirtualWorld(fake, fake.streams, lambda _: None)


@asynccontextmanager
async def memory_world() -> AsyncIterator[World]:
    """The contract on our client and a server in memory."""
    server = PrometheusServer()
    async with PrometheusMetrics(Server("Prometheus main", "http://prometheus.test"), transport=server) as metrics:
        yield VirtualWorld(metrics, server.streams, server.scrape)


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on our client and the sandbox's Prometheus, which counts with noise."""
    streams = SandboxStreams(noisy=True)
    async with sandbox_metrics(streams) as metrics:
        yield VirtualWorld(metrics, streams, streams.until)


def datadog_metrics(server: DatadogServer) -> DatadogMetrics:
    """Our client of a Datadog in memory, whose counts are whole at once."""
    keys = SecretStr("api"), SecretStr("app")
    place = datadog.DatadogServer("Datadog main", "https://api.datadog.test", *keys, delay=timedelta(0))
    return DatadogMetrics(place, transport=server)


def newrelic_metrics(server: NewRelicServer) -> NewRelicMetrics:
    """Our client of a New Relic in memory, whose counts are whole at once."""
    key, url = SecretStr(KEY), "https://api.newrelic.test/graphql"
    place = newrelic.NewRelicServer("New Relic main", url, ACCOUNT, key, delay=timedelta(0))
    return NewRelicMetrics(place, transport=server)


@asynccontextmanager
async def datadog_world() -> AsyncIterator[World]:
    """The contract on our client of Datadog and a Datadog in memory."""
    server = DatadogServer()
    async with datadog_metrics(server) as metrics:
        yield VirtualWorld(metrics, server.streams, server.scrape, DATADOG)


@asynccontextmanager
async def newrelic_world() -> AsyncIterator[World]:
    """The contract on our client of New Relic and a New Relic in memory."""
    server = NewRelicServer()
    async with newrelic_metrics(server) as metrics:
        yield VirtualWorld(metrics, server.streams, server.scrape, NEW_RELIC)


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on the servers that PROMETHEUS_URL and RIG_TRAFFIC_URL name."""
    server = Server("Prometheus main", servers.named("PROMETHEUS_URL"))
    traffic = httpx.AsyncClient(base_url=servers.named("RIG_TRAFFIC_URL"), timeout=10)
    async with traffic, PrometheusMetrics(server) as metrics:
        yield RealWorld(metrics, traffic)


Worlds = Callable[[], AbstractAsyncContextManager[World]]


METRICS_WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(memory_world, id="memory"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(datadog_world, id="datadog"),
    pytest.param(newrelic_world, id="newrelic"),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]
