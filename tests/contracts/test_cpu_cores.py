"""What all clusters say of the processor time that a workload's pods may use."""

import pytest

from bot.domain.traffic import Router
from tests.contracts.route_worlds import WORLDS
from tests.contracts.routes import Worlds


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def test_the_released_containers_cores_are_told(worlds: Worlds) -> None:
    """Nothing is known where nothing is written; a request counts until there is a limit."""
    async with worlds() as world:
        ref = (await world.route(Router.REPLICAS, pods=0)).workload
        seen = [(await world.cluster.observe(ref)).cpu_cores]
        for cores, of in ((0.25, "requests"), (0.5, "limits"), (2, "limits")):
            await world.allot(ref, cores, of=of)
            seen.append((await world.cluster.observe(ref)).cpu_cores)
    assert seen == [None, 0.25, 0.5, 2.0]
