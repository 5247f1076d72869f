"""What a world is in which the `Canaries` contract holds, and the imagined one."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import pytest

from bot.domain.errors import ConflictError
from bot.domain.target import WorkloadKind, WorkloadRef
from bot.domain.traffic import Route, Router
from bot.ports.canaries import Canaries, TrafficState
from bot.ports.cluster import Cluster
from tests.contracts.clusters import image
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters

Seen = TypeVar("Seen")


def route_of(router: Router, namespace: str, *, fresh: bool = False) -> Route:
    """The way to `api`, everything called like it."""
    workload = WorkloadRef("main", namespace, WorkloadKind.DEPLOYMENT, "api")
    return Route(router, workload, "api", "" if router is Router.REPLICAS else "api", fresh_baseline=fresh)


def needed(router: Router, pods: int | None) -> int:
    """How many stable pods a test wants."""
    return (4 if router is Router.REPLICAS else 0) if pods is None else pods


class World(Protocol):
    """A cluster, its canaries, and what others than Sluice do there."""

    canaries: Canaries
    cluster: Cluster

    async def route(self, router: Router, *, pods: int | None = None, fresh: bool = False) -> Route:
        """A settled Deployment `api` that runs `image("v1")`, with its Service and the router's object. `None`: four
        pods where they divide the requests, none where a router does: most rules here are about objects alone.
        `fresh`: its canary shall have a fresh baseline."""
        ...

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        """Let time pass until it holds."""
        ...

    async def weights(self, route: Route) -> list[tuple[int, int]]:
        """What the rules that lead to the Service give stable and canary."""
        ...

    async def stable(self, route: Route) -> object:
        """All that must stay as it is: stable's template, pods and Service, and the rest of the router's object."""
        ...

    async def written(self, route: Route) -> object:
        """Another value after any write."""
        ...

    async def leftovers(self, route: Route) -> list[str]:
        """What there is of a canary: `deployment`, `baseline`, `service`, `entry`, and other names of what is noted
        about it."""
        ...

    async def reweigh(self, route: Route, weight: int | None) -> None:
        """Somebody edits the canary's weight, or takes it out."""
        ...

    async def scale(self, ref: WorkloadRef, pods: int) -> None:
        """Somebody scales a Deployment."""
        ...

    async def own(self, route: Route) -> None:
        """Argo CD now manages the router's object, for the application `acme-api`."""
        ...

    async def lose(self, route: Route) -> None:
        """Somebody deletes the router's object."""
        ...

    async def squat(self, ref: WorkloadRef) -> None:
        """Somebody else has a Deployment of that name."""
        ...

    async def delete(self, ref: WorkloadRef) -> None:
        """Somebody deletes a Deployment."""
        ...

    async def allot(self, ref: WorkloadRef, cores: float, *, of: str = "limits") -> None:
        """Somebody lets the released container have so many cores, by its `limits` or its `requests`."""
        ...


async def firmly(world: World, write: Callable[[], Awaitable[Seen]]) -> Seen:
    """Write as the engine does: after a conflict (a controller was writing, too) another pass tries again."""
    done: list[Seen] = []

    async def attempt() -> bool:
        try:
            done.append(await write())
        except ConflictError:
            return False
        return True

    await world.until(attempt, bool)
    return done[0]


async def ready(world: World, route: Route) -> TrafficState:
    """The state once all sets of pods have settled."""
    return await world.until(
        lambda: world.canaries.observe(route),
        lambda state: all(pods is None or pods.settled for pods in (state.stable, state.canary, state.baseline)),
    )


class FakeWorld:
    """The imagined one, on virtual time."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeCluster(self.clock)
        self.cluster: Cluster = self.fake
        self.canaries = FakeClusters(self.fake).canaries("main")

    async def route(self, router: Router, *, pods: int | None = None, fresh: bool = False) -> Route:
        route = route_of(router, "staging", fresh=fresh)
        self.fake.add(route.workload, image("v1"), replicas=needed(router, pods))
        return route

    async def until(self, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool]) -> Seen:
        for _ in range(240):
            if holds(seen := await look()):
                return seen
            self.clock.advance(timedelta(seconds=0.5))
        pytest.fail(f"not within two minutes; seen last: {seen}")

    async def weights(self, route: Route) -> list[tuple[int, int]]:
        return [self.fake.traffic.weights(route)]

    async def stable(self, route: Route) -> object:
        found = self.fake.find(route.workload)
        return found.template_sha256, found.replicas, found.version

    async def written(self, route: Route) -> object:
        return len(self.fake.writes)

    async def leftovers(self, route: Route) -> list[str]:
        found = self.fake.traffic.of(route)
        there = {
            "deployment": route.canary in self.fake.workloads,
            "baseline": route.baseline in self.fake.workloads,
            "service": found.service,
            "entry": found.weight is not None,
            "notes": found.annotations,
        }
        return [name for name, is_there in there.items() if is_there]

    async def reweigh(self, route: Route, weight: int | None) -> None:
        self.fake.traffic.edit(route, weight)

    async def scale(self, ref: WorkloadRef, pods: int) -> None:
        self.fake.scale(ref, pods)

    async def own(self, route: Route) -> None:
        self.fake.traffic.own(route, "Argo CD (application acme-api)")

    async def lose(self, route: Route) -> None:
        self.fake.traffic.lose(route)

    async def squat(self, ref: WorkloadRef) -> None:
        self.fake.add(ref, image("other"), replicas=1)

    async def delete(self, ref: WorkloadRef) -> None:
        self.fake.delete(ref)

    async def allot(self, ref: WorkloadRef, cores: float, *, of: str = "limits") -> None:
        self.fake.allot(ref, cores)


Worlds = Callable[[], AbstractAsyncContextManager[Any]]
