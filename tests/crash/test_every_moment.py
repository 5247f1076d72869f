"""Every moment at which the process can die, one by one."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.journal import first_break
from tests.crash.mortality import KilledError, MortalDatabase, Mortality
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import World

LIMIT = timedelta(minutes=20)
MANY = 10_000
STRIDE = int(os.environ.get("CRASH_STRIDE", "5"))
"""Every which moment is tried; 1 tries them all, as continuous integration does."""

SHARDS = 4
"""The moments of a story are dealt to so many tests, which run side by side."""


@dataclass(frozen=True)
class End:
    """What is left when all is done: it must not depend on when the process died."""

    phase: str
    image: str
    image_changes: tuple[str, ...]
    messages: tuple[str, ...]
    live: str
    releases: tuple[tuple[str, bool], ...]
    journal_intact: bool


Story = Callable[[World], Awaitable[None]]


async def plain_deploy(world: World) -> None:
    """A deploy that nobody approves."""
    await world.hears(ANN, "deploy api v2 staging", key="the-command")


async def approved_deploy(world: World) -> None:
    """A deploy with two votes that are there as soon as there is a ballot."""
    await world.hears(ANN, "deploy api v2 prod", key="the-command")


async def failing_deploy(world: World) -> None:
    """A deploy whose pods crash: the version before comes back."""
    await world.hears(ANN, "deploy api v9-crash staging", key="the-command")


STORIES: dict[str, tuple[Story, str]] = {
    "deploy": (plain_deploy, "staging"),
    "votes": (approved_deploy, "prod"),
    "restore": (failing_deploy, "staging"),
}


def make_world(folder: Path, template: Path, mortality: Mortality) -> World:
    folder.mkdir()
    world = World(folder, template, database=lambda url: MortalDatabase(url, mortality))
    world.registry.push("registry.example/acme/api", "v9-crash")
    world.cluster.on_write = mortality
    world.workspace.on_write = mortality
    return world


async def live_through(world: World, story: Story, environment: str, mortality: Mortality) -> End:
    """Tell the story to its end, whatever happens to the process."""
    told, mortality.awake = False, True
    end = world.clock.now() + LIMIT
    while world.clock.now() < end:
        try:
            if not told:
                await story(world)  # Slack sends a command again until it was acknowledged
                told = True
            if not await over(world):
                vote(world)
                await world.passes(timedelta(seconds=1))
                continue
            await world.passes(timedelta(seconds=30))
            break
        except KilledError:
            mortality.awake = False
            await world.kill()
            await world.start()
            mortality.awake = True
    return await the_end(world, environment)


async def over(world: World) -> bool:
    async with world.store.transaction() as tx:
        runs = await tx.runs(limit=1)
        backlog = await tx.backlog(world.clock.now())
    return bool(runs) and runs[0].phase.final and not backlog.letters


def vote(world: World) -> None:
    """Two people vote as soon as they see a ballot; their votes are given once."""
    for message in world.workspace.messages:
        if "white_check_mark" in message.reactions:
            for person in (BOB, CID):
                world.workspace.reacts(person, message.place, "white_check_mark")


async def the_end(world: World, environment: str) -> End:
    run = await world.newest()
    async with world.store.transaction() as tx:
        releases = await tx.releases(run.request.target)
        journal = await tx.journal(limit=MANY)
    changes = [write.detail for write in world.cluster.writes if write.verb == "set_image"]
    return End(
        phase=run.phase,
        image=world.image(environment),
        image_changes=tuple(changes),
        messages=tuple(sorted(kind_of(message.key) for message in world.workspace.messages)),
        live=without_times(world.live()),
        releases=tuple((release.ref, release.healthy) for release in releases),
        journal_intact=first_break(journal) is None,
    )


def kind_of(key: str) -> str:
    """A message's key without the millisecond in it."""
    head, _, last = key.rpartition("/")
    return head if last.isdigit() and len(last) > len("1000") else key


def without_times(text: str) -> str:
    """A release message without the line that says how long it took."""
    return "\n".join(line for line in text.splitlines() if "Took" not in line)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("name", STORIES)
async def test_dying_at_any_moment_changes_nothing(tmp_path: Path, template: Path, name: str, shard: int) -> None:
    """Whenever the process dies, the end is the same: the same image, changed as often, and no message doubled."""
    story, environment = STORIES[name]
    mortality = Mortality()
    async with make_world(tmp_path / "whole", template, mortality) as world:
        expected = await live_through(world, story, environment, mortality)
    moments = list(mortality.moments)
    assert len(moments) > 30, "there should be many moments to die at"
    for moment in range(1 + shard * STRIDE, len(moments) + 1, STRIDE * SHARDS):
        mortality = Mortality()
        mortality.die_at = moment
        async with make_world(tmp_path / str(moment), template, mortality) as world:
            end = await live_through(world, story, environment, mortality)
        assert end == expected, f"died {moments[moment - 1]} (moment {moment})"
