"""What somebody else writes: people by hand, and a former life of the database."""

from datetime import timedelta
from pathlib import Path

from bot.domain.phase import Phase
from tests.crash.mortality import KilledError
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.own_runbooks import world_with
from tests.scenarios.world import REPOSITORY, World, workload

YES = "white_check_mark"
MINUTE = timedelta(minutes=1)

BAKING = """
name: baking
about: Let it bake.
steps:
  - set_image
  - rollout
  - wait: 5m
on_failure:
  - restore
"""


async def test_a_hotfix_by_hand_is_not_overwritten_by_restore(world: World) -> None:
    """on-call sets v3 by hand while v2 comes up badly: v3 is what people decided last."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(timedelta(seconds=5))
        await world.reacts(BOB, YES)
        await world.reacts(CID, YES)
        assert "v2" in world.cluster.image(workload("prod"))
        world.cluster.edit(workload("prod"), image=f"{REPOSITORY}:v3")
        run = await world.finishes()
        assert world.cluster.image(workload("prod")) == f"{REPOSITORY}:v3"
        assert run.phase is Phase.FAILED
        assert "What runs now was set by somebody else" in world.live()


async def test_the_end_names_what_runs(tmp_path: Path, template: Path) -> None:
    """A hand change while the release bakes: it does not end by saying that its own version runs."""
    async with world_with(tmp_path, template, BAKING) as world:
        await world.says(ANN, "deploy api v2 staging --runbook baking")
        await world.passes(timedelta(seconds=30))
        world.cluster.edit(workload("staging"), image=f"{REPOSITORY}:v3")
        run = await world.finishes()
        assert (run.phase, run.overwritten) == (Phase.FAILED, True)
        assert f"somebody else changed the image to {REPOSITORY}:v3" in world.live()
        assert world.cluster.image(workload("staging")) == f"{REPOSITORY}:v3"


async def test_a_mark_of_a_lost_life_is_no_proof_that_the_change_landed(world: World, template: Path) -> None:
    """As test_a_process_that_dies_between_arming_and_effect_looks_again, but the database was lost before."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(timedelta(seconds=5))
        await world.reacts(BOB, YES)
        await world.reacts(CID, YES)
        await world.finishes()
        assert world.image("prod") == "v2"
        await world.kill()
        world.lose_database(template)
        await world.start()
        await world.passes(MINUTE)
        await world.says(ANN, "deploy api v3 prod")
        await world.passes(timedelta(seconds=5))

        def die(when: str, _what: str) -> None:
            if when == "before":
                raise KilledError("right before the image is set")

        world.cluster.on_write = die
        await world.reacts(BOB, YES)
        try:
            await world.reacts(CID, YES)
        except KilledError:
            await world.kill()
        world.cluster.on_write = None
        for person in (BOB, CID):
            world.workspace.takes_back(person, world.ballot().place, YES)
        world.clock.advance(120 * MINUTE)
        await world.start()
        await world.passes(5 * MINUTE)
        assert world.image("prod") == "v2"
