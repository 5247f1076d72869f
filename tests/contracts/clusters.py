"""The worlds in which the `Cluster` contract holds: an imagined cluster, the sandbox's, and a real one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol, TypeVar

import pytest

from bot.adapters.kubernetes_cluster import KubernetesCluster
from bot.adapters.kubernetes_login import Connection
from bot.adapters.system_clock import SystemClock
from bot.domain.errors import ConflictError
from bot.domain.ids import RunId, StepKey
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.ports.cluster import Cluster, Fence, ImageChange, WorkloadState
from tests.contracts import sandbox_cluster
from tests.contracts.sandbox_cluster import SandboxCluster
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.real import servers

Seen = TypeVar("Seen")
REF = WorkloadRef("main", "staging", WorkloadKind.DEPLOYMENT, "api")


def image(tag: str) -> str:
    """An image that no registry is asked for; words in its tag say how its pods behave."""
    return f"registry.test/acme/api:{tag}@sha256:{'8c' * 32}"


def change(tag: str, *, history: tuple[str, ...] = ()) -> ImageChange:
    """The wish to run `image(tag)`."""
    return ImageChange(image(tag), f"sluice: deploy {tag} by @ann", history)


def fence(run: str = "api-staging-7", *, token: int = 1, step: str = "steps.set_image", after: str = "") -> Fence:
    """A right to write."""
    return Fence(RunId(run), StepKey(step), token, after)


class World(Protocol):
    """A cluster, and what others than Sluice do there."""

    cluster: Cluster

    async def workload(self, tag: str = "v1") -> WorkloadRef:
        """A settled workload with two pods that runs `image(tag)`."""
        ...

    async def with_sidecar(self) -> WorkloadRef:
        """A settled workload with the containers `app` and `proxy`."""
        ...

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        """Let time pass until it holds."""
        ...

    async def own(self, ref: WorkloadRef) -> None:
        """Argo CD now manages the workload for the application `acme-api`."""
        ...

    async def annotate(self, ref: WorkloadRef, key: str, value: str) -> None:
        """Somebody annotates the workload."""
        ...

    async def set_variable(self, ref: WorkloadRef, name: str, value: str) -> None:
        """Somebody changes the environment of the workload's container."""
        ...

    async def delete(self, ref: WorkloadRef) -> None:
        """Somebody deletes the workload."""
        ...


async def settled(world: World, ref: WorkloadRef) -> WorkloadState:
    """The workload once its rollout is complete."""
    return await world.until(lambda: world.cluster.observe(ref), lambda state: state.settled)


async def changed(world: World, ref: WorkloadRef, wish: ImageChange, right: Fence) -> WorkloadState:
    """Set the image as the engine does: after a conflict (a controller was writing, too) another pass tries again."""

    async def attempt() -> WorkloadState | None:
        try:
            return await world.cluster.set_image(ref, wish, right)
        except ConflictError:
            return None

    state = await world.until(attempt, lambda seen: seen is not None)
    assert state is not None
    return state


class FakeWorld:
    """The imagined one, on virtual time."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeCluster(self.clock)
        self.cluster: Cluster = self.fake

    async def workload(self, tag: str = "v1") -> WorkloadRef:
        self.fake.add(REF, image(tag), replicas=2)
        return REF

    async def with_sidecar(self) -> WorkloadRef:
        self.fake.add(REF, image("v1"), replicas=2, sidecars={"proxy": image("p1")})
        return REF

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        for _ in range(240):
            if holds(seen := await look()):
                return seen
            self.clock.advance(timedelta(seconds=0.5))
        pytest.fail(f"not within two minutes; seen last: {seen}")

    async def own(self, ref: WorkloadRef) -> None:
        self.fake.find(ref).owner = "Argo CD (application acme-api)"

    async def annotate(self, ref: WorkloadRef, key: str, value: str) -> None:
        self.fake.edit(ref, annotations={key: value})

    async def set_variable(self, ref: WorkloadRef, name: str, value: str) -> None:
        self.fake.edit(ref, environment={name: value})

    async def delete(self, ref: WorkloadRef) -> None:
        self.fake.delete(ref)


class RealWorld:
    """A namespace of a real API server with controllers and a scheduler."""

    def __init__(self, cluster: Cluster, namespace: servers.Namespace) -> None:
        self.cluster, self._namespace = cluster, namespace

    async def workload(self, tag: str = "v1") -> WorkloadRef:
        ref = await self._namespace.workload(image(tag), replicas=2)
        await settled(self, ref)
        return ref

    async def with_sidecar(self) -> WorkloadRef:
        ref = await self.workload()
        await self._containers(ref, {"name": "proxy", "image": image("p1")})
        await settled(self, ref)
        return ref

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        return await servers.until(look, holds)

    async def own(self, ref: WorkloadRef) -> None:
        await self.annotate(ref, "argocd.argoproj.io/tracking-id", f"acme-api:apps/Deployment:{ref.namespace}/api")

    async def annotate(self, ref: WorkloadRef, key: str, value: str) -> None:
        await self._namespace.patch(ref, {"metadata": {"annotations": {key: value}}})

    async def set_variable(self, ref: WorkloadRef, name: str, value: str) -> None:
        await self._containers(ref, {"name": "app", "env": [{"name": name, "value": value}]})

    async def delete(self, ref: WorkloadRef) -> None:
        await self._namespace.delete(ref)

    async def _containers(self, ref: WorkloadRef, container: dict[str, object]) -> None:
        await self._namespace.patch(ref, {"spec": {"template": {"spec": {"containers": [container]}}}})


class SandboxWorld(RealWorld):
    """A namespace of the sandbox's cluster, on virtual time."""

    def __init__(self, cluster: Cluster, sandbox: SandboxCluster) -> None:
        super().__init__(cluster, servers.Namespace(sandbox_cluster.NAMESPACE, sandbox.client))
        self._sandbox = sandbox

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        return await self._sandbox.until(look, holds)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on the sandbox's cluster, through the real adapter."""
    async with (
        sandbox_cluster.running() as sandbox,
        KubernetesCluster("main", sandbox.connection, sandbox.clock) as cluster,
    ):
        yield SandboxWorld(cluster, sandbox)


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on the cluster that KUBECONFIG names."""
    connection = Connection(servers.named("KUBECONFIG"))
    async with servers.namespace() as namespace, KubernetesCluster("main", connection, SystemClock()) as cluster:
        yield RealWorld(cluster, namespace)


Worlds = Callable[[], AbstractAsyncContextManager[World]]
WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]
