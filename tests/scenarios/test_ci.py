"""A release waits for the checks of its commit, and does not begin without them."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from bot.ports.image_registry import REVISION
from bot.ports.pipelines import Conclusion
from tests.fakes.people import ANN
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import CATALOGUE, REPOSITORY, World

SHA = "9f2c1e7" + "0" * 33
MINUTE = timedelta(minutes=1)
CHECKED = """
name: checked
about: Release what continuous integration has found good.
gates:
  - image
  - ci: {deadline: 15m}
steps:
  - set_image
  - rollout
"""
WITH_CI = CATALOGUE.replace(
    f"    image: {REPOSITORY}\n",
    f'    image: {REPOSITORY}\n    repository: github.com/acme/api\n    ci: [build, "test *"]\n',
)
SERVER = "ci: {main: {github: {token_file: /run/secrets/github}}}\n"


def checked_world(folder: Path, template: Path, *, catalogue: str = SERVER + WITH_CI) -> World:
    """A world whose images say which commit they were built from."""
    world = world_with(folder, template, CHECKED, catalogue=catalogue)
    world.registry.push(REPOSITORY, "v5", labels={REVISION: SHA})
    return world


async def deploys(world: World, tag: str = "v5") -> None:
    """ann releases by the runbook with the gate."""
    await world.says(ANN, f"deploy api {tag} staging --runbook checked")


async def test_good_checks_let_a_release_begin(tmp_path: Path, template: Path) -> None:
    """The message shows how many, and leads to them."""
    async with checked_world(tmp_path, template) as world:
        for name in ("build", "test unit", "test api"):
            world.ci.report("acme/api", SHA, name, Conclusion.SUCCESS)
        world.ci.report("acme/api", SHA, "docs", Conclusion.FAILURE)
        await deploys(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert f":white_check_mark: *<https://ci.test/acme/api/commit/{SHA}/checks|ci>* 3/3" in world.live()


async def test_checks_that_run_are_waited_for(tmp_path: Path, template: Path) -> None:
    """With what is missing, until they have ended."""
    async with checked_world(tmp_path, template) as world:
        world.ci.report("acme/api", SHA, "build", None)
        await deploys(world)
        await world.passes(10 * MINUTE)
        assert "waits: 0/2: `build` still runs; there is no `test *` yet" in world.live().replace("ˋ", "`")
        world.ci.report("acme/api", SHA, "build", Conclusion.SUCCESS)
        world.ci.report("acme/api", SHA, "test unit", Conclusion.SUCCESS)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_failed_check_ends_the_release_before_it_begins(tmp_path: Path, template: Path) -> None:
    """Nothing was changed; the thread has what failed."""
    async with checked_world(tmp_path, template) as world:
        world.ci.report("acme/api", SHA, "build", Conclusion.FAILURE)
        await deploys(world)
        run = await world.finishes()
        assert (run.phase, run.reason) == (Phase.REFUSED, "gate ci: 0/2: `build` failure")
        assert world.image_changes() == 0
        assert any("build: failure https://ci.test/checks/0" in said for said in world.thread())


async def test_checks_that_never_come_end_the_release(tmp_path: Path, template: Path) -> None:
    """After the gate's deadline; so does a server that does not answer."""
    async with checked_world(tmp_path, template) as world:
        await deploys(world)
        await world.passes(16 * MINUTE)
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert run.reason.startswith("gate ci: not done within 900 s: 0/2: there is no `build` yet")
        world.ci.down = True
        await deploys(world)
        await world.passes(16 * MINUTE)
        run = await world.newest()
        assert run.reason.endswith("the CI server main cannot be reached: it is down")
        assert world.image_changes() == 0


async def test_an_image_of_an_unknown_commit_is_not_planned(tmp_path: Path, template: Path) -> None:
    """Whoever asked is told what to do."""
    async with checked_world(tmp_path, template) as world:
        await deploys(world, "v2")
        assert (await world.newest()).phase is Phase.REFUSED
        assert "nobody knows the commit of" in (await world.newest()).reason


async def test_a_service_without_a_server_is_not_planned(tmp_path: Path, template: Path) -> None:
    """With the line to write."""
    async with checked_world(tmp_path, template, catalogue=CATALOGUE) as world:
        await deploys(world)
        assert (await world.newest()).phase is Phase.REFUSED
        assert "ci: {main: {github: {token_file: /run/secrets/github}}}" in (await world.newest()).reason
