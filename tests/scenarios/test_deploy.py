"""Deploying to an environment that nobody has to approve."""

from datetime import timedelta

from bot.domain.phase import Phase
from tests.fakes.people import ANN
from tests.scenarios.world import World


async def test_a_deploy_runs_the_image_and_edits_one_message(world: World) -> None:
    """One command, one change of the workload, one release message edited to its end."""
    async with world:
        await world.says(ANN, "deploy api v2 staging")
        run = await world.finishes()
        assert run.phase is Phase.SUCCEEDED, run.reason
        assert world.image("staging") == "v2"
        assert world.image_changes() == 1
        assert len(world.workspace.live()) == 1
        assert "`v2` runs in *staging*" in world.live()


async def test_any_order_of_words_means_the_same(world: World) -> None:
    """Positional words may come in any unambiguous order."""
    async with world:
        await world.says(ANN, "deploy staging v2 api")
        await world.finishes(within=timedelta(minutes=2))
        assert world.image("staging") == "v2"
