"""What needs each other runs together only in versions that were proven together, or that go together by number."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import CATALOGUE, World

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WEB = "registry.example/acme/web"
API = "registry.example/acme/api"


def needing(wanted: str) -> str:
    """A catalogue in which web needs api."""
    line = "    workload: deployment/web\n"
    return CATALOGUE.replace(line, f'{line}    needs: {{api: "{wanted}"}}\n')


async def deployed(world: World, *lines: str) -> None:
    """These releases to staging, one after the other; then some minutes pass."""
    for line in lines:
        await world.says(ANN, f"deploy {line} staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
    await world.passes(10 * MINUTE)


async def promoted(world: World, service: str) -> Phase:
    """It is carried to prod, if the gates let it."""
    await world.says(ANN, f"promote {service} staging prod")
    await world.passes(10 * SECOND)
    if (await world.newest()).phase is Phase.RUNNING:
        await world.reacts(BOB, "white_check_mark")
        await world.reacts(CID, "white_check_mark")
    return (await world.finishes()).phase


async def test_what_was_proven_together_goes_to_prod_together(tmp_path: Path, template: Path) -> None:
    """web ran in staging beside an api that prod does not have: the answer is the command that brings it there."""
    async with World(tmp_path, template, catalogue=needing("proven")) as world:
        world.registry.push(WEB, "v2")
        await deployed(world, "api v2", "web v2")
        assert await promoted(world, "web") is Phase.REFUSED
        said = (
            "web `v2` was proven in staging with api `v2` (10m15s), and prod runs `v1`; "
            "`/promote api staging prod` first"
        )
        assert said in world.live()
        assert await promoted(world, "api") is Phase.SUCCEEDED
        assert await promoted(world, "web") is Phase.SUCCEEDED
        assert ":white_check_mark: *pairing* goes with api v2" in world.live()


async def test_what_never_ran_beside_it_was_not_proven(tmp_path: Path, template: Path) -> None:
    """A version that was replaced before the other came proves nothing."""
    async with World(tmp_path, template, catalogue=needing("proven")) as world:
        world.registry.push(WEB, "v2")
        await deployed(world, "web v2")
        assert await promoted(world, "web") is Phase.REFUSED
        assert "web `v2` has not run healthy in staging beside any api; `/deploy web v2 staging` first" in world.live()


async def test_a_version_by_number(tmp_path: Path, template: Path) -> None:
    """The label of the image says it; staging is held to it as well as prod."""
    async with World(tmp_path, template, catalogue=needing(">=1.4,<2")) as world:
        world.registry.push(WEB, "v2")
        await world.says(ANN, "deploy web v2 staging")
        assert (await world.finishes()).phase is Phase.REFUSED
        assert "web needs api &gt;=1.4,&lt;2, and staging runs `v1`; `/deploy api &lt;a version" in world.live()
        world.registry.push(API, "9f2c1e7", labels={"org.opencontainers.image.version": "1.4.2"})
        await deployed(world, "api 9f2c1e7", "web v2")
        assert await promoted(world, "web") is Phase.REFUSED
        assert "prod runs `v1`; `/promote api staging prod` first" in world.live()


async def test_who_needs_it_is_asked_too(tmp_path: Path, template: Path) -> None:
    """A version of api that the web beside it cannot work with is refused."""
    async with World(tmp_path, template, catalogue=needing("<2")) as world:
        await world.says(ANN, "deploy api v2 staging")
        assert (await world.finishes()).phase is Phase.REFUSED
        assert "web `v1` in staging needs api &lt;2, and this is 2" in world.live()


async def test_a_rollback_asks_nobody(tmp_path: Path, template: Path) -> None:
    """The way back is not held up by what needs it."""
    async with World(tmp_path, template, catalogue=needing(">=2")) as world:
        await deployed(world, "api v2")
        await world.says(ANN, "rollback api staging")
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_the_matrix_shows_what_runs_where(tmp_path: Path, template: Path) -> None:
    """Service by environment, with age, and what does not go together."""
    async with World(tmp_path, template, catalogue=needing("proven")) as world:
        world.registry.push(WEB, "v2")
        await deployed(world, "web v2", "api v2")
        await promoted(world, "api")
        await world.passes(3 * MINUTE)
        await world.says(ANN, "matrix")
        await world.passes(SECOND)
        said = world.workspace.whispers(ANN)[-1]
        table, rest = said.split("```")[1:]
        assert table.strip("\n").splitlines() == [
            "     staging    prod",
            "api  v2 13m40s  v2 3m15s",
            "web  v2 13m55s  –",
        ]
        assert rest.strip().endswith("All that was recorded goes together.")
        await world.says(ANN, "rollback api prod")
        await world.reacts(BOB, "white_check_mark")
        await world.finishes()
        assert await promoted(world, "web") is Phase.REFUSED


async def test_the_matrix_names_what_does_not_go_together(tmp_path: Path, template: Path) -> None:
    """Each pair with what it wants; a service can be asked for alone."""
    async with World(tmp_path, template, catalogue=needing(">=2")) as world:
        world.registry.push(WEB, "v2")
        await deployed(world, "api v2", "web v2")
        await world.says(ANN, "rollback api staging")
        await world.finishes()
        await world.says(ANN, "matrix web")
        await world.passes(SECOND)
        said = world.workspace.whispers(ANN)[-1]
        assert ":warning: web `v2` in *staging* needs api &gt;=2, and `v1` runs there." in said
