"""/promote: the very image that runs healthy in one environment is carried to the next."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.phase import Phase
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import CATALOGUE, REPOSITORY, World, workload

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
STAGING, PROD = workload("staging"), workload("prod")
LONG_SOAK = """
name: careful
about: As long as a night.
gates: [image, soak: 2h]
steps: [approval, set_image, rollout]
"""


async def in_staging(world: World, ref: str = "v2", *, soaked: timedelta = 11 * MINUTE) -> None:
    """A version was released to staging, and has run there for so long."""
    await world.says(ANN, f"deploy api {ref} staging")
    await world.finishes()
    await world.passes(soaked)


async def asks(world: World, line: str = "promote api staging prod") -> None:
    """ann asks, and the ballot stands if there is to be one."""
    await world.says(ANN, line)
    await world.passes(10 * SECOND)


async def votes(world: World) -> None:
    """Two people say yes."""
    for person in (BOB, CID):
        await world.reacts(person, "white_check_mark")


async def test_the_very_image_is_carried(world: World) -> None:
    """Built once: what prod runs is byte for byte what staging runs, even if its tag means another image by now."""
    async with world:
        await in_staging(world)
        carried = world.cluster.image(STAGING)
        world.registry.push(REPOSITORY, "v2", content="built anew")
        await asks(world)
        told = "`api-prod-1`: promote of *api* in *prod* to what runs in *staging* is asked for."
        assert world.workspace.whispers(ANN)[-1].startswith(told)
        assert ":white_check_mark: *soak* healthy in staging for 11m" in world.live()
        await votes(world)
        run = await world.finishes()
        assert (run.phase, world.cluster.image(PROD)) == (Phase.SUCCEEDED, carried)
        assert "`v2` runs in *prod*" in world.live()


async def test_the_road_is_that_of_where_it_goes(tmp_path: Path, template: Path) -> None:
    """prod's own runbook; and whatever it asks for, what is promoted must run healthy where it comes from."""
    catalogue = CATALOGUE.replace("    smoke:", "    runbooks: {prod: hotfix}\n    smoke:")
    async with World(tmp_path, template, catalogue=catalogue) as world:
        await in_staging(world, soaked=SECOND)
        await asks(world)
        plan = (await world.newest()).sealed_plan()
        assert plan.runbook.name == "hotfix"
        assert [gate.kind for gate in plan.gates] == ["image", "soak", "freeze", "lock"]
        await votes(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_tag_alone_is_not_promoted(world: World) -> None:
    """Nobody can say what it is: the answer says how it becomes known."""
    async with world:
        world.cluster.edit(STAGING, image=f"{REPOSITORY}:v2")
        await asks(world)
        assert (await world.newest()).phase is Phase.REFUSED
        told = world.workspace.whispers(ANN)[-1]
        assert "known by its tag alone" in told
        assert "Release it there with `/deploy api &lt;ref&gt; staging` first." in told


async def test_what_was_set_by_hand_is_not_promoted(world: World) -> None:
    """It has a digest, and no record of how it came there."""
    async with world:
        digest = world.registry.push(REPOSITORY, "v3")
        world.cluster.edit(STAGING, image=f"{REPOSITORY}:v3@{digest}")
        world.cluster.advance()
        await asks(world)
        run = await world.newest()
        said = "gate soak: nobody recorded how it came to staging; `/deploy api v3 staging` first"
        assert (run.phase, run.reason) == (Phase.REFUSED, said)


async def test_what_is_not_well_is_not_promoted(world: World) -> None:
    """It came up well, and crashes by now: the cause is named."""
    async with world:
        await in_staging(world)
        world.cluster.behave(STAGING, "crash")
        await world.passes(MINUTE)
        await asks(world)
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert run.reason.startswith("gate soak: it is not healthy in staging now: CrashLoopBackOff")
        assert world.image("prod") == "v1"


async def test_what_has_not_soaked_is_waited_for(world: World) -> None:
    """Ten minutes are within the gate's patience: people are asked when they are over, and not before."""
    async with world:
        await in_staging(world, soaked=2 * MINUTE)
        await asks(world)
        assert "has soaked 2m" in world.live()
        assert "of 10m in staging" in world.live()
        await votes(world)
        await world.passes(7 * MINUTE)
        assert world.image("prod") == "v1"
        await world.passes(MINUTE)
        await votes(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_what_soaks_for_long_says_when_to_ask_again(tmp_path: Path, template: Path) -> None:
    """Nobody is kept waiting for hours; the line that it offers does the rest by itself."""
    async with world_with(tmp_path, template, LONG_SOAK) as world:
        await in_staging(world)
        await asks(world, "promote api staging prod --runbook careful")
        run = await world.newest()
        assert run.phase is Phase.REFUSED
        assert "has soaked 11m" in run.reason
        assert "of 2h in staging; ask again after 2026-03-02 11:00 UTC" in run.reason
        line = run.reason.rpartition("`--at ")[2].rstrip("`")
        await asks(world, f"promote api staging prod --runbook careful --at {line}")
        await world.passes(2 * HOUR)
        await votes(world)
        assert (await world.finishes()).phase is Phase.SUCCEEDED


async def test_a_ballot_is_for_what_ran_there_then(world: World) -> None:
    """staging moves on while people think: their votes are void, and they are asked anew for what runs there now."""
    async with world:
        await in_staging(world)
        await asks(world)
        first = world.ballot()
        await in_staging(world, "v3", soaked=SECOND)
        for person in (BOB, CID):
            await world.reacts(person, "white_check_mark", on=first.place)
        assert "staging runs another version now" in first.text
        assert world.image("prod") == "v1"
        await world.passes(10 * MINUTE)
        await votes(world)
        await world.passes(MINUTE)
        assert world.image("prod") == "v3"


async def test_what_prod_runs_already_is_not_promoted(world: World) -> None:
    """The answer names it."""
    async with world:
        await asks(world)
        assert (await world.newest()).phase is Phase.REFUSED
        assert "api in prod runs `v1` already" in world.workspace.whispers(ANN)[-1]


@pytest.mark.parametrize("line", ["promote staging api prod", "promote staging prod api", "promote API Staging Prod"])
async def test_the_service_may_stand_anywhere(world: World, line: str) -> None:
    """The environments stand in the order in which the version travels."""
    async with world:
        await in_staging(world)
        await asks(world, line)
        request = (await world.newest()).request
        assert (str(request.target), request.origin) == ("api/prod", "staging")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("promote api prod prod", "`prod` is named twice. Write `/promote &lt;service&gt; &lt;from&gt; &lt;to&gt;`."),
        ("promote apo staging prod", "There is no service 'apo'; did you mean 'api'?"),
        ("promote staging apo prod", "There is no service 'apo'; did you mean 'api'?"),
        ("promote api stagin prod", "api has no environment 'stagin'; did you mean 'staging'?"),
        ("promote api staging v2", "api has no environment 'v2'; known: prod, staging"),
        ("promote api web prod", "api has no environment 'web'"),
    ],
)
async def test_slips_are_answered_with_their_fix(world: World, line: str, said: str) -> None:
    """To that person alone, and nothing is started."""
    async with world:
        await world.says(ANN, line)
        assert said in world.workspace.whispers(ANN)[-1]
        assert world.workspace.live() == []


async def test_a_dry_run_shows_the_plan_and_starts_nothing(world: World) -> None:
    """With the version that would be carried, the gates and the way back."""
    async with world:
        await in_staging(world)
        await world.says(ANN, "promote api staging prod --dry-run")
        told = world.workspace.whispers(ANN)[-1]
        assert told.startswith("This is what `/promote api staging prod` would do. Nothing was started")
        assert "to `v2`" in told
        assert "The same image must have run healthy in staging for 10m." in told
        assert str((await world.newest()).id) == "api-staging-1"
