"""What every `Pipelines` promises."""

from dataclasses import replace

import pytest

from bot.domain.errors import NotFoundError
from bot.ports.pipelines import CheckState, Conclusion
from runbooks.gates.ci import newest
from tests.contracts import ci_worlds
from tests.contracts.ci_worlds import OTHER, SINCE, Checked, CheckedWorlds, Worlds, an_order

WORLDS = [
    pytest.param(ci_worlds.fake_world, id="fake"),
    pytest.param(ci_worlds.sandbox_world, id="sandbox"),
    pytest.param(ci_worlds.gitlab_world, id="gitlab"),
    pytest.param(ci_worlds.jenkins_world, id="jenkins"),
    pytest.param(ci_worlds.azure_world, id="azure"),
]

CHECKED = [*WORLDS, pytest.param(ci_worlds.real_github_world, id="real", marks=pytest.mark.real)]
"""The real one has checks and no pipelines that run."""


@pytest.fixture(params=CHECKED)
def checked(request: pytest.FixtureRequest) -> CheckedWorlds:
    """Each world with checks in turn."""
    made: CheckedWorlds = request.param
    return made


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


async def ends(world: Checked, commit: str = "") -> dict[str, Conclusion | None]:
    """How the newest attempts of all checks ended; `None`: not yet."""
    found = await world.ci.checks(world.project, commit or world.commit)
    return {check.name.rpartition("/")[2]: check.conclusion for check in newest(found.checks)}


async def test_checks_say_how_they_ended(checked: CheckedWorlds) -> None:
    """And where a person sees them."""
    async with checked() as world:
        await world.report("build", Conclusion.SUCCESS)
        await world.report("test", Conclusion.FAILURE)
        found = await world.ci.checks(world.project, world.commit)
        assert (await ends(world))["build"] is Conclusion.SUCCESS
        assert (await ends(world))["test"] is Conclusion.FAILURE
    assert found.url.startswith("http")
    assert all(check.url.startswith("http") for check in found.checks)
    assert all(check.state is CheckState.CONCLUDED for check in found.checks)


async def test_a_check_that_runs_has_no_conclusion(checked: CheckedWorlds) -> None:
    """Neither good nor bad."""
    async with checked() as world:
        await world.report("build", None)
        found = await world.ci.checks(world.project, world.commit)
    assert {(check.state, check.conclusion, check.good, check.bad) for check in found.checks} == {
        (CheckState.RUNNING, None, False, False)
    }


async def test_what_was_cancelled_is_not_good(checked: CheckedWorlds) -> None:
    """Nobody knows how it would have ended."""
    async with checked() as world:
        await world.report("build", Conclusion.CANCELLED)
        found = await world.ci.checks(world.project, world.commit)
        assert (await ends(world))["build"] is Conclusion.CANCELLED
    assert any(check.bad for check in found.checks)


async def test_a_newer_attempt_has_a_higher_number(checked: CheckedWorlds) -> None:
    """Whatever clocks say."""
    async with checked() as world:
        await world.report("build", Conclusion.FAILURE)
        await world.report("build", Conclusion.SUCCESS)
        assert (await ends(world))["build"] is Conclusion.SUCCESS
        await world.report("build", None)
        assert (await ends(world))["build"] is None


async def test_more_checks_than_a_page_are_all_there(checked: CheckedWorlds) -> None:
    """The one that failed may be the last."""
    async with checked() as world:
        for number in range(230):
            await world.report(f"test-{number}", Conclusion.SUCCESS)
        await world.report("last", Conclusion.FAILURE)
        found = await ends(world)
    assert len([name for name in found if name.startswith("test-")]) == 230
    assert found["last"] is Conclusion.FAILURE


async def test_a_short_commit_means_the_same(checked: CheckedWorlds) -> None:
    """People type seven characters."""
    async with checked() as world:
        await world.report("build", Conclusion.SUCCESS)
        assert (await ends(world, world.commit[:8]))["build"] is Conclusion.SUCCESS


async def test_an_unknown_commit_has_no_good_check(checked: CheckedWorlds) -> None:
    """Some servers know that there is none, and some list nothing."""
    async with checked() as world:
        await world.report("build", Conclusion.SUCCESS)
        try:
            found = await world.ci.checks(world.project, OTHER)
        except NotFoundError:
            return
    assert found.checks == ()


async def test_an_unknown_project_is_not_found(checked: CheckedWorlds) -> None:
    """Or hidden from us."""
    async with checked() as world:
        with pytest.raises(NotFoundError):
            await world.ci.checks("acme/other", world.commit)


async def test_a_run_is_found_by_its_key(worlds: Worlds) -> None:
    """Whether or not the server said which run it became."""
    async with worlds() as world:
        order = an_order(world, suite="smoke")
        assert await world.ci.find(order, SINCE) is None
        started = await world.ci.start(order)
        found = await world.ci.find(order, SINCE)
        assert found is not None
        assert found.state is not CheckState.CONCLUDED
        assert started is None or started.state is not CheckState.CONCLUDED
        assert world.started() == 1


async def test_a_key_that_begins_alike_is_another_one(worlds: Worlds) -> None:
    """Run 7 must not be taken for run 70."""
    async with worlds() as world:
        await world.ci.start(an_order(world, "api-prod-70.pipeline.8c8c8c8c"))
        assert await world.ci.find(an_order(world, "api-prod-7.pipeline.8c8c8c8c"), SINCE) is None
        assert await world.ci.find(an_order(world, "api-prod-70.pipeline"), SINCE) is None


@pytest.mark.parametrize("conclusion", [Conclusion.SUCCESS, Conclusion.FAILURE, Conclusion.CANCELLED])
async def test_a_run_is_followed_to_its_end(worlds: Worlds, conclusion: Conclusion) -> None:
    """With the page where a person sees it."""
    async with worlds() as world:
        order = an_order(world)
        await world.ci.start(order)
        found = await world.ci.find(order, SINCE)
        assert found is not None
        world.end(conclusion)
        seen = await world.ci.follow(order, found.id)
    assert (seen.state, seen.conclusion) == (CheckState.CONCLUDED, conclusion)
    assert seen.url.startswith("https://")


async def test_a_run_can_be_cancelled_more_than_once(worlds: Worlds) -> None:
    """A process may die in between."""
    async with worlds() as world:
        order = an_order(world)
        await world.ci.start(order)
        found = await world.ci.find(order, SINCE)
        assert found is not None
        await world.ci.cancel(order, found.id)
        await world.ci.cancel(order, found.id)
        seen = await world.ci.follow(order, found.id)
    assert (seen.state, seen.conclusion) == (CheckState.CONCLUDED, Conclusion.CANCELLED)


async def test_an_unknown_pipeline_cannot_be_started(worlds: Worlds) -> None:
    """A slip in a runbook, or a missing right."""
    async with worlds() as world:
        with pytest.raises(NotFoundError):
            await world.ci.start(replace(an_order(world), project="acme/other"))
        assert world.started() == 0
