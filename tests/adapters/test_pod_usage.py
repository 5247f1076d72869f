"""CPU as the cluster measures it, beside what a metrics server tells of the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes_login import Connection
from bot.adapters.kubernetes_usage import KubernetesUsage, PodCpu, cores
from bot.adapters.pod_measurements import Measurements
from bot.adapters.pod_usage_metrics import PodUsageMetrics
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.domain.errors import NotFoundError, RefusedError, UnreachableError, UnreadableError
from bot.ports.metrics import CPU, ERRORS, LATENCY, Arm, LackKind, Metrics, Reading, SignalQueries
from tests.adapters.datadog_server import DatadogServer
from tests.adapters.kube_api import KubeApi, refused, serving
from tests.adapters.newrelic_server import NewRelicServer
from tests.adapters.prometheus_server import PrometheusServer
from tests.contracts.canaries import (
    DATADOG,
    NEW_RELIC,
    PROMETHEUS,
    Vendor,
    datadog_metrics,
    newrelic_metrics,
    pod,
    queries_of,
)
from tests.fakes.clock import START, FakeClock
from tests.fakes.streams import Load

PATH = "apis/metrics.k8s.io/v1beta1/namespaces/prod/pods"
STABLE, CANARY, OTHER = pod("api", 0), pod("api", 1, suffix="-canary"), pod("web", 0)


def after(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


def measured(name: str, at: datetime, *cpu: str) -> dict[str, Any]:
    """PodMetrics as metrics-server writes them, with a container for each quantity."""
    containers = [{"name": f"c{number}", "usage": {"cpu": one, "memory": "9Ki"}} for number, one in enumerate(cpu)]
    stamp = at.isoformat().replace("+00:00", "Z")
    return {
        "metadata": {"name": name, "namespace": "prod"},
        "timestamp": stamp,
        "window": "15s",
        "containers": containers,
    }


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[tuple[KubeApi, KubernetesUsage]]:
    """A cluster that measures its pods, and what we read it by."""
    api = KubeApi()
    async with serving(api, folder) as path, KubernetesUsage({"main": Connection(path)}, FakeClock()) as usage:
        yield api, usage


class Measures:
    """What a cluster measures; `down` is raised instead."""

    def __init__(self) -> None:
        self.found: dict[str, PodCpu] = {}
        self.down: Exception | None = None

    def measure(self, name: str, at: datetime, used: float) -> None:
        """From now on this is the newest measurement of a pod."""
        self.found[name] = PodCpu(name, round(at.timestamp() * 1000), used)

    async def pods(self, cluster: str, namespace: str) -> tuple[PodCpu, ...]:
        """See `PodMeasures`."""
        assert (cluster, namespace) == ("main", "prod")
        if self.down:
            raise self.down
        return tuple(self.found.values())


def scraped(server: PrometheusServer | DatadogServer | NewRelicServer) -> None:
    """A pod of each arm, scraped each second for a minute and a half."""
    for name in (STABLE, CANARY):
        server.streams.load(name, START, Load())
    for second in range(91):
        server.scrape(after(second))


def queries(vendor: Vendor = PROMETHEUS) -> SignalQueries:
    """The service's queries, with CPU from the cluster."""
    return queries_of("api", vendor=vendor, cpu="kubernetes", bounds=[0.05, 0.1])


@asynccontextmanager
async def completed(measures: Measures) -> AsyncIterator[Metrics]:
    """Prometheus, completed by the cluster."""
    server = PrometheusServer()
    scraped(server)
    prometheus = PrometheusMetrics(Server("Prometheus main", "http://prometheus.test"), transport=server)
    async with PodUsageMetrics(prometheus, measures) as metrics:
        yield metrics


def levels(readings: tuple[Reading, ...], arm: Arm = Arm.CANARY) -> list[float | None]:
    """CPU of the only pod of an arm, by reading."""
    pods = [reading.canary if arm is Arm.CANARY else reading.baseline for reading in readings]
    return [next(iter(found.values())).gauges.get(CPU) for found in pods]


async def test_pods_are_measured_by_their_cluster(tmp_path: Path) -> None:
    """All containers together, in cores."""
    async with cluster(tmp_path) as (api, usage):
        api.put(PATH, measured(STABLE, after(3), "250m", "1500000n"))
        api.put(PATH, measured(OTHER, after(4), "1"))
        found = await usage.pods("main", "prod")
    assert found == (PodCpu(STABLE, round(after(3).timestamp() * 1000), 0.2515), PodCpu(OTHER, found[1].at, 1.0))


@pytest.mark.parametrize(
    ("written", "read"), [("0", 0), ("2", 2), ("100m", 0.1), ("12u", 1.2e-5), ("7n", 7e-9), ("1k", 1000)]
)
def test_quantities_of_cpu(written: str, read: float) -> None:
    """As API servers write them."""
    assert cores(written) == pytest.approx(read)


async def test_a_cluster_that_does_not_measure_is_told(tmp_path: Path) -> None:
    """With what to do about it."""
    async with cluster(tmp_path) as (api, usage):
        api.missing = ("apis/metrics.k8s.io",)
        with pytest.raises(
            NotFoundError, match=r"cluster main has no metrics API .*; install metrics-server there, or"
        ):
            await usage.pods("main", "prod")
        api.answers.append(refused(403, "pods.metrics.k8s.io is forbidden"))
        with pytest.raises(RefusedError, match=r"add the verb 'list' on 'pods' .*the API group is metrics\.k8s\.io"):
            await usage.pods("main", "prod")
        api.missing = ()
        api.put(PATH, {"metadata": {"name": STABLE}, "timestamp": "soon", "containers": []})
        with pytest.raises(UnreadableError, match="cluster main sent PodMetrics that cannot be read"):
            await usage.pods("main", "prod")
        with pytest.raises(NotFoundError, match="there is no cluster 'eu' to measure pods in; known: main"):
            await usage.pods("eu", "prod")


async def test_each_measurement_is_told_once() -> None:
    """By the first reading that is not older; between two of them there is nothing to tell, and nothing is missing."""
    measures = Measures()
    async with completed(measures) as metrics:
        measures.measure(CANARY, after(10.4), 0.3)
        measures.measure(STABLE, after(10.2), 0.2)
        readings = await metrics.read(queries(), after(10), after(13.5))
        measures.measure(CANARY, after(14.9), 0.4)
        later = await metrics.read(queries(), readings[-1].at, after(16.5))
    assert levels(readings) == [0.3, None, None]
    assert levels(readings, Arm.BASELINE) == [0.2, None, None]
    assert levels(later) == [None, 0.4, None]
    assert all(reading.whole for reading in (*readings, *later))


async def test_the_same_moment_asked_again_is_the_same() -> None:
    """Though the cluster says something newer by then."""
    measures = Measures()
    async with completed(measures) as metrics:
        measures.measure(CANARY, after(10.4), 0.3)
        first = await metrics.read(queries(), after(10), after(13.5))
        measures.measure(CANARY, after(10.9), 0.9)
        again = await metrics.read(queries(), after(10), after(13.5))
    assert levels(first) == [0.3, None, None]
    assert levels(again)[0] == 0.3


async def test_what_the_cluster_does_not_say_is_missing() -> None:
    """Never 0, and the other signals are there."""
    measures = Measures()
    async with completed(measures) as metrics:
        measures.measure(STABLE, after(10.2), 0.2)
        measures.measure(CANARY, after(10.2) - timedelta(minutes=5), 0.2)
        (reading,) = await metrics.read(queries(), after(10), after(11.5))
    assert levels((reading,)) == [None]
    assert reading.canary[CANARY].requests == 550
    assert [(lack.kind, lack.signal, lack.arm) for lack in reading.lacks] == [(LackKind.NO_SERIES, CPU, Arm.CANARY)]
    assert reading.lacks[0].said == "cpu is not measured by the cluster for 1 of 1 canary pods"


async def test_a_cluster_that_is_away_costs_the_gauge_alone() -> None:
    """A judge without CPU never promotes, but sees errors all the same."""
    measures = Measures()
    measures.down = UnreachableError("cluster main did not answer within 10 s")
    async with completed(measures) as metrics:
        (reading,) = await metrics.read(queries(), after(10), after(11.5))
        with pytest.raises(UnreachableError):
            await metrics.prove(queries(), after(12))
    assert reading.lacks[0].said == "cpu is not measured: cluster main did not answer within 10 s"
    assert reading.canary[CANARY].requests == 550


def test_old_measurements_are_forgotten() -> None:
    """A long canary does not fill the memory; pods that are gone are not kept either."""
    measurements = Measurements()
    measurements.learn([PodCpu(OTHER, 1, 0.1)])
    for minute in range(1, 61):
        at = 60_000 * minute
        measurements.learn([PodCpu(CANARY, at, 0.3)])
        assert measurements.gauges(at, [CANARY, OTHER])[CANARY] == 0.3
    assert list(measurements.measured) == [CANARY]
    assert len(measurements.measured[CANARY]) == len(measurements.given) == 21


async def test_the_clusters_part_is_proven_with_the_rest() -> None:
    """In the order of the signals."""
    measures = Measures()
    async with completed(measures) as metrics:
        measures.measure(OTHER, after(10.2), 0.2)
        missing = (await metrics.prove(queries(), after(12)))[-1]
        measures.measure(STABLE, after(10.2), 0.2)
        proofs = await metrics.prove(queries(), after(12))
        old = (await metrics.prove(queries(), after(400)))[-1]
        measures.down = NotFoundError("cluster main has no metrics API")
        without = (await metrics.prove(queries(), after(12)))[-1]
    assert [(proof.signal, proof.usable) for proof in proofs] == [(ERRORS, True), (LATENCY, True), (CPU, True)]
    assert proofs[-1].found == "1 pod, measured by cluster main"
    assert missing.problem.startswith("cluster main measures no pod like api-")
    assert missing.problem.endswith(f"in namespace prod; there are such as {OTHER}")
    assert old.problem == "the newest measurement is 389 s old; is metrics-server still running?"
    assert without.problem == "cluster main has no metrics API"


async def test_it_stands_beside_datadog_and_new_relic() -> None:
    """Whatever measures the rest."""
    datadog, newrelic = DatadogServer(), NewRelicServer()
    for server, opened, vendor in (
        (datadog, datadog_metrics(datadog), DATADOG),
        (newrelic, newrelic_metrics(newrelic), NEW_RELIC),
    ):
        measures = Measures()
        scraped(server)
        measures.measure(CANARY, after(10.4), 0.3)
        measures.measure(STABLE, after(10.4), 0.2)
        async with PodUsageMetrics(opened, measures) as metrics:
            known = queries(vendor).proven(await metrics.prove(queries(vendor), after(12)))
            (reading,) = await metrics.read(known, after(10), after(11.5))
        assert (levels((reading,)), reading.whole) == ([0.3], True)


async def test_queries_without_it_ask_the_cluster_nothing() -> None:
    """So a cluster without a metrics API does no harm."""
    measures = Measures()
    measures.down = AssertionError("asked")
    async with completed(measures) as metrics:
        (reading,) = await metrics.read(queries_of("api", bounds=[0.05, 0.1]), after(10), after(11.5))
    assert levels((reading,)) == [pytest.approx(0.1)]
