"""The sandbox's Prometheus and traffic, asked by our client over loopback, for the contracts of `Metrics`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.sandbox.endpoint import Endpoint
from bot.sandbox.loopback import listening
from bot.sandbox.prometheus.server import PrometheusServer
from bot.sandbox.traffic import Traffic
from tests.fakes.clock import START, FakeClock
from tests.fakes.streams import Load

NAMESPACE = "prod"


class SandboxStreams:
    """Pods that are each a service with one endpoint and a version of their own."""

    def __init__(self, *, noisy: bool) -> None:
        self.clock = FakeClock(START - timedelta(seconds=1))
        self.traffic = Traffic(self.clock, seed=7, noisy=noisy)
        self.server = PrometheusServer(self.clock, self.traffic)

    @property
    def stopped(self) -> datetime | None:
        """When the server stopped scraping."""
        return self.server.stopped

    @stopped.setter
    def stopped(self, at: datetime) -> None:
        self.server.stopped = at

    def load(self, pod: str, at: datetime, load: Load) -> None:
        """From `at` on the pod does this."""
        told = {"error_rate": load.error_rate, "latency_s": load.latency, "cpu": load.cpu}
        self.traffic.answers(pod, **told, at=at)
        self.traffic.rate(load.rate, service=pod, namespace=NAMESPACE, at=at)
        endpoint = Endpoint(pod, NAMESPACE, f"acme/api:{pod}", 1.0)
        self.traffic.route(at, service=pod, namespace=NAMESPACE, endpoints=[endpoint])

    def restart(self, pod: str, at: datetime) -> None:
        """Its container begins anew."""
        self.traffic.restarted(at, pod=pod, namespace=NAMESPACE)

    def end(self, pod: str, at: datetime) -> None:
        """It is gone."""
        self.traffic.ended(at, pod=pod, namespace=NAMESPACE)

    def until(self, moment: datetime) -> None:
        """Time passes."""
        self.clock.advance_to(moment)


@asynccontextmanager
async def sandbox_metrics(streams: SandboxStreams) -> AsyncIterator[PrometheusMetrics]:
    """Our client."""
    async with (
        listening(streams.server.application()) as url,
        PrometheusMetrics(Server("Prometheus main", url)) as metrics,
    ):
        yield metrics
