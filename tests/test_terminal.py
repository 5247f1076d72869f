"""A person at a terminal: asks through the same database, and reads the same messages as the channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.domain.ids import ChannelId, UserId
from bot.domain.invocation import Invocation, Origin
from bot.terminal import NOBODY_SERVES, Terminal
from bot.terminal import _starts as starts_run
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import World

SECOND = timedelta(seconds=1)


class Desk:
    """Somebody at a terminal, while the bot serves in the same room."""

    def __init__(self, world: World, user: UserId) -> None:
        self.world, self.user = world, user
        self.said: list[str] = []
        self.terminal = Terminal(store=world.store, clock=world.clock, say=self.said.append)

    def asking(self, line: str) -> Invocation:
        """What is typed."""
        return Invocation(
            f"terminal:{line}", Origin.TERMINAL, self.user, line, ChannelId("terminal"), self.world.clock.now()
        )

    async def types(self, line: str, *, votes: bool = False) -> bool:
        """Type a command and wait for its end; meanwhile the bot works and time passes."""
        asked = asyncio.create_task(self.terminal.ask(self.asking(line)))
        while not (await asyncio.wait({asked}, timeout=0.02))[0]:
            await self.world.passes(5 * SECOND)
            if votes and self.world.workspace.live():
                for person in (BOB, CID):
                    self.world.workspace.reacts(person, self.world.ballot().place, "white_check_mark")
        return asked.result()


@asynccontextmanager
async def a_desk(world: World, user: UserId) -> AsyncIterator[Desk]:
    """A desk of somebody."""
    async with world:
        yield Desk(world, user)


async def test_an_answer_is_printed_as_it_reads(world: World) -> None:
    """Without Slack's escapes, commands as a shell takes them; nothing is followed where nothing was started."""
    async with a_desk(world, UserId("terminal:ann")) as desk:
        assert await desk.types("help deploy")
        assert desk.said[0].startswith("`sluice deploy <service> <ref> <environment>")


async def test_nothing_at_all_is_answered_with_the_help(world: World) -> None:
    """`sluice release` without a word."""
    async with a_desk(world, UserId("terminal:ann")) as desk:
        assert await desk.types("")
        assert "`sluice deploy <service> <ref> <environment>" in desk.said[0]


async def test_a_release_is_followed_to_its_end(world: World) -> None:
    """The same messages as in the channel, and success at the end."""
    async with a_desk(world, ANN) as desk:
        assert await desk.types("deploy api v2 staging")
        assert any("is asked for" in text for text in desk.said)
        assert "`v2` runs in staging" in desk.said[-1]


async def test_a_failed_release_is_a_failure(world: World) -> None:
    """A script that asked can stop."""
    async with a_desk(world, ANN) as desk:
        world.registry.push("registry.example/acme/api", "v2-crash")
        assert not await desk.types("deploy api v2-crash staging")
        assert any("CrashLoopBackOff" in text for text in desk.said)


async def test_somebody_without_a_slack_id_reads_plain_text(world: World) -> None:
    """A slip is answered like in Slack, and a script sees by the exit status that nothing was started."""
    async with a_desk(world, UserId("terminal:ann")) as desk:
        assert not await desk.types("deploy api v2 prd")
        assert "did you mean 'prod'" in desk.said[0]


async def test_a_terminal_alone_does_not_change_a_protected_environment(world: World) -> None:
    """Nobody could tell whether that person votes for their own request."""
    async with a_desk(world, UserId("terminal:ann")) as desk:
        await desk.types("deploy api v2 prod")
        assert "a terminal alone does not say who you are" in desk.said[0]
        assert world.image_changes() == 0


async def test_somebody_with_a_slack_id_asks_and_others_vote(world: World) -> None:
    """The votes are given in Slack; the terminal follows."""
    async with a_desk(world, ANN) as desk:
        assert await desk.types("deploy api v2 prod", votes=True)
        assert world.image("prod") == "v2"


async def test_a_terminal_without_a_server_says_what_may_be_missing(world: World) -> None:
    """Once; the command is kept."""
    async with a_desk(world, ANN) as desk:
        asked = asyncio.create_task(desk.terminal.ask(desk.asking("help")))
        while not (await asyncio.wait({asked}, timeout=0.05))[0] and not desk.said:
            world.clock.advance(6 * SECOND)
        assert desk.said == [NOBODY_SERVES]
        await world.settle()
        assert await asked
        assert len(desk.said) == 2


async def test_asking_twice_with_one_key_is_asking_once(world: World) -> None:
    """The answer is printed again; nothing is done again."""
    async with a_desk(world, ANN) as desk:
        await desk.types("deploy api v2 staging")
        await desk.types("deploy api v2 staging")
        assert world.image_changes() == 1


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        ("deploy api v2 staging", True),
        ("rollback api prod", True),
        ("canary api v2 prod", True),
        ("canary api prod", False),
        ("promote api staging prod", True),
        ("promote api prod", False),
        ("deploy", False),
        ("status", False),
        ("", False),
        ('deploy api v2 prod --reason "never closed', True),
    ],
)
def test_what_starts_a_release_is_followed(line: str, starts: bool) -> None:
    """A look at one is not; a line that cannot be read has released nothing, and a script must see that."""
    assert starts_run(line) is starts


@pytest.mark.parametrize("line", ["canary api v2", "promote api staging prd", "status nowhere", "stauts"])
async def test_a_slip_is_a_failure(world: World, line: str) -> None:
    """Whoever builds on the exit status must not go on as if it had been done."""
    async with a_desk(world, ANN) as desk:
        assert not await desk.types(line)
