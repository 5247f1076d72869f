"""Whether a project is there and lets itself be read, asked of each kind of CI server beforehand."""

import pytest

from bot.domain.errors import NotFoundError
from tests.contracts import ci_worlds
from tests.contracts.ci_worlds import CheckedWorlds

WORLDS = [
    pytest.param(ci_worlds.sandbox_world, id="github"),
    pytest.param(ci_worlds.gitlab_world, id="gitlab"),
    pytest.param(ci_worlds.jenkins_world, id="jenkins"),
    pytest.param(ci_worlds.azure_world, id="azure"),
    pytest.param(ci_worlds.real_github_world, id="real", marks=pytest.mark.real),
]


@pytest.mark.parametrize("worlds", WORLDS)
async def test_a_project_that_is_there(worlds: CheckedWorlds) -> None:
    """No answer is a good one."""
    async with worlds() as world:
        await world.ci.look(world.project)


@pytest.mark.parametrize("worlds", WORLDS)
async def test_a_project_that_is_not_there(worlds: CheckedWorlds) -> None:
    """As for its checks."""
    async with worlds() as world:
        with pytest.raises(NotFoundError):
            await world.ci.look("acme/nothing")
