"""What people are told is what happened, and the way back means tomorrow what it meant today."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import RefusedError
from bot.domain.ids import UserId
from bot.domain.invocation import Origin
from bot.domain.phase import Phase
from bot.domain.release import ReleaseRecord
from tests.fakes.people import ANN, BOB, CID, DAN
from tests.fakes.workspace import Message
from tests.scenarios.world import CATALOGUE, HEALTH, REPOSITORY, World, workload

YES = "white_check_mark"
TELL = "on_failure:\n  - notify: it failed\n"
MIGRATE = "name: migrate\nabout: x\nsteps:\n  - approval\n  - job: {name: m, run: [alembic, upgrade]}\n"
WEB = "registry.example/acme/web"


def with_runbooks(folder: Path, template: Path, **runbooks: str) -> World:
    """A world whose catalogue has runbooks of its own."""
    (folder / "own").mkdir()
    for name, text in runbooks.items():
        (folder / "own" / f"{name}.yaml").write_text(text)
    return World(folder, template, catalogue=f"{CATALOGUE}\nrunbooks_dir: own\n")


async def released(world: World, *tags: str) -> None:
    """staging runs one after the other."""
    for tag in tags:
        await world.says(ANN, f"deploy api {tag} staging")
        await world.finishes()


async def recorded(world: World) -> list[ReleaseRecord]:
    """What staging ran, oldest first."""
    async with world.store.transaction() as tx:
        return [*await tx.releases(await world.target("staging"))][::-1]


def rollback_line(message: Message) -> str:
    """What the message's button does."""
    blocks: list[Any] = [block for block in message.content.blocks if block["type"] == "actions"]
    return next(str(one["value"]) for block in blocks for one in block["elements"] if one["action_id"] == "rollback")


# --- records ---


async def test_a_refused_change_leaves_no_record(world: World) -> None:
    """The cluster said no: nothing landed, so the history and the message say that v1 runs."""

    def refuse(when: str, what: str) -> None:
        if when == "before" and what.startswith("set_image"):
            raise RefusedError("the cluster does not let Sluice change deployment/api (HTTP 403)")

    async with world:
        world.cluster.on_write = refuse
        await released(world, "v2")
        assert await recorded(world) == []
        assert "`v2` runs" not in world.live()
        assert world.image("staging") == "v1"


async def test_a_restore_is_recorded_although_its_smoke_test_failed(world: World) -> None:
    """v1 runs again; that it does not answer either is another matter."""
    async with world:
        world.prober.forget(HEALTH)
        await released(world, "v2")
        run = await world.newest()
        assert run.phase is Phase.FAILED
        assert [(one.ref, one.healthy) for one in await recorded(world)] == [("v2", False), ("v1", False)]
        assert "Now runs: `v1`; it was *restored*" in world.live()


async def test_what_is_not_restored_is_not_told_as_undone(tmp_path: Path, template: Path) -> None:
    """The failure steps only tell: the broken version still runs, and everybody can read that."""
    steps = "name: tell\nabout: x\nsteps:\n  - approval\n  - set_image\n  - rollout\n  - smoke\n"
    async with with_runbooks(tmp_path, template, tell=f"{steps}{TELL}") as world:
        world.registry.push(REPOSITORY, "v9-crash")
        await world.says(ANN, "deploy api v9-crash staging --runbook tell")
        run = await world.finishes()
        assert (run.phase, world.image("staging")) == (Phase.FAILED, "v9-crash")
        assert "undone*;" not in world.live()
        assert "Now runs: `v9-crash`; the change was *not undone*." in world.live()
        assert not [said for said in world.thread() if "*Restoring*" in said]
        assert [(one.ref, one.until) for one in await recorded(world)] == [("v9-crash", None)]


async def test_a_job_alone_puts_no_version_anywhere(tmp_path: Path, template: Path) -> None:
    """The runbook has finished; what runs is what ran."""
    async with with_runbooks(tmp_path, template, migrate=MIGRATE) as world:
        await world.says(ANN, "deploy api v2 staging --runbook migrate")
        assert (await world.finishes()).phase is Phase.SUCCEEDED
        assert "the runbook `migrate` has *finished* in *staging*" in world.live()
        assert "`v2` runs" not in world.live()
        assert await recorded(world) == []


# --- the way back ---


async def test_a_second_rollback_goes_further_back(world: World) -> None:
    """Never to the version that was just left."""
    async with world:
        await released(world, "v2", "v3")
        await world.says(ANN, "rollback api staging")
        await world.finishes()
        assert world.image("staging") == "v2"
        await world.says(ANN, "rollback api staging")
        await world.finishes()
        assert world.image("staging") == "v1"


async def test_the_database_is_lost_after_a_rollback(world: World, template: Path) -> None:
    """The workload's own memory does not lead forward either."""
    async with world:
        await released(world, "v2", "v3")
        await world.says(ANN, "rollback api staging")
        await world.finishes()
        await world.kill()
        world.lose_database(template)
        await world.start()
        await world.says(ANN, "rollback api staging")
        await world.finishes()
        assert world.image("staging") == "v1"


async def test_an_old_messages_button_means_the_version_it_names(world: World) -> None:
    """v2's message promised v1, whatever was released since."""
    async with world:
        await released(world, "v2")
        old = world.ballot()
        assert "way back: `/rollback api staging to v1`" in old.text
        await released(world, "v3")
        await world.says(ANN, rollback_line(old), origin=Origin.BUTTON)
        await world.finishes()
        assert world.image("staging") == "v1"


async def test_a_version_deployed_by_hand_is_a_way_back_that_holds(world: World) -> None:
    """The message names it, and the command brings it."""
    async with world:
        await released(world, "v2")
        digest = world.registry.push(REPOSITORY, "by-hand")
        world.cluster.edit(workload("staging"), image=f"{REPOSITORY}:by-hand@{digest}")
        await world.passes(timedelta(minutes=5))
        await released(world, "v3")
        assert "`/rollback api staging to by-hand`" in world.live()
        await world.says(ANN, "rollback api staging to by-hand")
        await world.finishes()
        assert world.image("staging") == "by-hand"


async def test_a_moved_tag_brings_no_other_image(world: World) -> None:
    """What ran by its tag was sealed by its digest: neither a restore nor one vote brings what was never approved."""
    async with world:
        sealed = world.registry.push(WEB, "v1")
        world.registry.push(WEB, "v2")
        await world.says(ANN, "deploy web v2 staging")
        await world.finishes()
        other = world.registry.push(WEB, "v1", content="never approved")
        await world.says(ANN, "rollback web staging")
        await world.finishes()
        runs = world.cluster.image(workload("staging", "web"))
        assert sealed in runs
        assert other not in runs


async def test_the_dry_run_takes_what_the_rollback_takes(world: World) -> None:
    """A short digest, as messages show it."""
    async with world:
        await released(world, "v2", "v3")
        digits = (await recorded(world))[0].image.partition("@sha256:")[2][:10]
        await world.says(ANN, f"rollback api staging to {digits} --dry-run")
        assert "from `v3`" in world.workspace.whispers(ANN)[-1]
        await world.says(ANN, f"rollback api staging to {digits}")
        await world.finishes()
        assert world.image("staging") == "v2"


async def test_on_call_alone_runs_no_other_runbook(tmp_path: Path, template: Path) -> None:
    """The word rollback before a migration makes it no rollback: it needs the votes of a deploy."""
    async with with_runbooks(tmp_path, template, migrate=MIGRATE) as world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(timedelta(seconds=5))
        for person in (BOB, CID):
            await world.reacts(person, YES)
        await world.finishes()
        await world.says(DAN, "rollback api prod --runbook migrate")
        await world.passes(timedelta(seconds=5))
        await world.reacts(DAN, YES)
        await world.reacts(BOB, YES)
        await world.passes(timedelta(minutes=1))
        assert not world.cluster.jobs
        assert "2 votes of @release-approvers" in world.live()


# --- texts ---


async def test_a_requester_forges_no_gate(world: World) -> None:
    """A reason is one line, and looks like a reason."""
    async with world:
        forged = "typo\\n:white_check_mark: *signature* ok   ~x~ `3f9a-c21e` &lt;!channel&gt;"
        await world.says(ANN, f'deploy api v2 prod --reason "{forged}"')
        await world.passes(timedelta(seconds=5))
        [line] = [line for line in world.live().splitlines() if "signature" in line]
        assert line.startswith("reason: typo")
        assert not [mark for mark in ("*", ":white_check_mark:", "~", "`", "<!") if mark in line]


async def test_a_crowd_of_strangers_is_counted(world: World) -> None:
    """Ten names are enough."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(timedelta(seconds=5))
        for number in range(30):
            world.workspace.reacts(UserId(f"U0X{number:03d}"), world.ballot().place, YES)
        await world.passes(timedelta(minutes=3))
        [line] = [line for line in world.live().splitlines() if line.startswith("Do not count: ")]
        assert line.count("<@") == 10
        assert line.endswith("… and 20 more")


@pytest.mark.parametrize("moment", ["during", "after"])
async def test_people_at_a_terminal_are_named_plainly(world: World, moment: str) -> None:
    """Nobody reads a broken mention."""
    async with world:
        await world.says(ANN, "deploy api v2 prod")
        await world.passes(timedelta(seconds=5))
        await world.says(UserId("terminal:ann"), "abort api-prod-1", origin=Origin.TERMINAL)
        if moment == "after":
            await world.finishes()
        await world.says(ANN, "why api-prod-1")
        assert "terminal:ann&gt;" not in world.live()
        assert "&lt;" not in world.workspace.whispers(ANN)[-1]
        assert "ann" in world.workspace.whispers(ANN)[-1]
