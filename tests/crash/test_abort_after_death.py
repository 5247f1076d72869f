"""Somebody aborts a release whose process died between a write and saying so."""

from datetime import timedelta

import pytest

from bot.domain.phase import Phase
from tests.crash.mortality import KilledError
from tests.fakes.people import ANN
from tests.scenarios.world import World, workload


async def test_what_nobody_had_recorded_is_told_when_it_is_undone(world: World) -> None:
    """The image was set, so the version did run here: the channel and the history say so."""

    def dies(when: str, what: str) -> None:
        if when == "after" and what.startswith("set_image"):
            world.cluster.on_write = None
            raise KilledError(what)

    async with world:
        world.cluster.on_write = dies
        world.cluster.find(workload("staging")).rollout_s = 60
        with pytest.raises(KilledError):
            await world.says(ANN, "deploy api v2 staging")
        await world.kill()
        await world.start()
        await world.says(ANN, "abort api staging")
        run = await world.finishes(within=timedelta(minutes=5))
        assert (run.phase, world.image("staging"), world.image_changes()) == (Phase.RESTORED, "v1", 2)
        assert "was *undone*; `v1` is restored" in world.live()
        async with world.store.transaction() as tx:
            releases = await tx.releases(run.request.target)
        assert [(one.ref, one.healthy) for one in releases] == [("v1", True), ("v2", False)]
