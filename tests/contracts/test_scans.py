"""What every `Scans` promises."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bot.adapters.kubernetes_cluster import KubernetesClusters
from bot.adapters.kubernetes_login import Connection
from bot.adapters.kubernetes_scans import VULNERABILITY_REPORTS
from bot.adapters.system_clock import SystemClock
from bot.domain.errors import NotFoundError
from bot.domain.json import JsonObject
from bot.ports.scans import ScannedClusters
from tests.adapters.kube_api import KubeApi, serving
from tests.builders import DIGEST, OLD_DIGEST
from tests.contracts import sandbox_cluster
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.real import servers
from tests.real.custom_resources import scanner_installed
from tests.runbooks.scans import HIGH, operators


class World(Protocol):
    """A cluster named main with the Trivy Operator, whose reports are put there by the test."""

    clusters: ScannedClusters
    namespace: str

    async def scanned(self, report: JsonObject) -> None:
        """The operator has written a report."""
        ...


class FakeWorld:
    """Memory."""

    def __init__(self) -> None:
        self._cluster = FakeCluster(FakeClock())
        self.clusters: ScannedClusters = FakeClusters(self._cluster)
        self.namespace = "staging"
        self._reports: list[JsonObject] = []
        self._cluster.scan_reports = {self.namespace: self._reports}

    async def scanned(self, report: JsonObject) -> None:
        self._reports.append(report)


class ApiWorld:
    """An API server in memory."""

    def __init__(self, api: KubeApi, clusters: ScannedClusters) -> None:
        self._api, self.clusters, self.namespace = api, clusters, "staging"
        self._count = 0

    async def scanned(self, report: JsonObject) -> None:
        self._count += 1
        path = f"{VULNERABILITY_REPORTS.api}/namespaces/{self.namespace}/{VULNERABILITY_REPORTS.plural}"
        self._api.put(path, {"metadata": {"name": f"replicaset-api-{self._count}"}, "report": report})


class RealWorld:
    """The cluster that KUBECONFIG names, or the sandbox's."""

    def __init__(self, clusters: ScannedClusters, place: servers.Namespace) -> None:
        self.clusters, self._place, self.namespace = clusters, place, place.name
        self._count = 0

    async def scanned(self, report: JsonObject) -> None:
        self._count += 1
        body = {
            "apiVersion": "aquasecurity.github.io/v1alpha1",
            "kind": "VulnerabilityReport",
            "metadata": {"name": f"replicaset-api-{self._count}"},
            "report": report,
        }
        await self._place.create(VULNERABILITY_REPORTS, body)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


@asynccontextmanager
async def memory_world() -> AsyncIterator[World]:
    """The contract on our client and a server in memory."""
    api = KubeApi()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            serving(api, Path(folder)) as path,
            KubernetesClusters({"main": Connection(path)}, FakeClock()) as clusters,
        ):
            yield ApiWorld(api, clusters)


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on the sandbox's cluster."""
    async with (
        sandbox_cluster.running() as sandbox,
        KubernetesClusters({"main": sandbox.connection}, sandbox.clock) as clusters,
    ):
        yield RealWorld(clusters, servers.Namespace(sandbox_cluster.NAMESPACE, sandbox.client))


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on a real API server that knows the kind."""
    connections = {"main": Connection(servers.named("KUBECONFIG"))}
    async with servers.namespace() as place, KubernetesClusters(connections, SystemClock()) as clusters:
        await scanner_installed(place.client)
        yield RealWorld(clusters, place)


Worlds = Callable[[], AbstractAsyncContextManager[World]]
WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(memory_world, id="memory"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def test_reports_come_as_they_were_written(worlds: Worlds) -> None:
    """All of the namespace, nothing added."""
    written = [operators(DIGEST, HIGH), operators(OLD_DIGEST)]
    async with worlds() as world:
        for report in written:
            await world.scanned(report)
        found = list(await world.clusters.scans("main").reports(world.namespace))
    assert sorted(found, key=str) == sorted(written, key=str)


async def test_a_namespace_without_reports_is_empty(worlds: Worlds) -> None:
    """Nothing was scanned there yet."""
    async with worlds() as world:
        assert list(await world.clusters.scans("main").reports(world.namespace)) == []


async def test_an_unknown_cluster_is_not_found(worlds: Worlds) -> None:
    """With those there are."""
    async with worlds() as world:
        with pytest.raises(NotFoundError, match="there is no cluster 'other'; the catalogue has main"):
            world.clusters.scans("other")
