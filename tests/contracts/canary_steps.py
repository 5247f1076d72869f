"""What the contract of `Canaries` does again and again, and its parameters."""

import pytest

from bot.domain.traffic import Route, Router
from tests.contracts.clusters import fence, image
from tests.contracts.routes import World, firmly, ready

ROUTED = [Router.GATEWAY_API, Router.ISTIO, Router.NGINX]
NEW = image("v2")

every = pytest.mark.parametrize("router", list(Router))
every_routed = pytest.mark.parametrize("router", ROUTED)


async def brought(world: World, router: Router, *, pods: int | None = None, fresh: bool = False) -> Route:
    """A route with a canary that is ready (one pod) and gets no requests yet; `fresh`: and with a fresh baseline."""
    route = await world.route(router, pods=pods, fresh=fresh)
    await firmly(world, lambda: world.canaries.bring(route, NEW, 1, fence()))
    await ready(world, route)
    return route


async def shift(world: World, route: Route, weight: int) -> None:
    """Give the canary its share, and let pods follow where they are what divides."""
    await firmly(world, lambda: world.canaries.shift(route, weight, fence()))


async def remove(world: World, route: Route) -> int:
    """Clean up; how many calls it took."""
    calls = 1
    while not await firmly(world, lambda: world.canaries.remove(route, fence())):
        calls += 1
        assert calls < 9
    return calls
