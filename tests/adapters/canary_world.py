"""An API server in memory with a workload that may get a canary."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.domain.traffic import Route, Router
from tests.adapters.kube_api import Raw
from tests.contracts.clusters import image
from tests.contracts.route_worlds import MemoryWorld, memory_world

NEW = image("v2")
HTTP_ROUTE = "apis/gateway.networking.k8s.io/v1/namespaces/staging/httproutes/api"
VIRTUAL_SERVICE = "apis/networking.istio.io/v1beta1/namespaces/staging/virtualservices/api"
DEPLOYMENT = "apis/apps/v1/namespaces/staging/deployments/api"


@asynccontextmanager
async def world_with(
    router: Router, edit: Callable[[Raw], object] | None = None, path: str = DEPLOYMENT
) -> AsyncIterator[tuple[MemoryWorld, Route]]:
    """An API server in memory on which one object has been edited."""
    async with memory_world() as world:
        route = await world.route(router, pods=4)
        if edit:
            edit(world.api.objects[path])
        yield world, route


def rules_of(world: MemoryWorld) -> list[Raw]:
    """The HTTPRoute's rules as they stand."""
    found: list[Raw] = world.api.objects[HTTP_ROUTE]["spec"]["rules"]
    return found
