"""From what was heard to what is answered."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import NotFoundError, UnreachableError
from bot.domain.ids import UserId, reply_key
from bot.domain.invocation import Origin
from tests.commands.conversation import conversation
from tests.fakes.people import ANN, BOT, EVE, FRANK
from tests.fakes.workspace import DEPLOYS

AT_TERMINAL = UserId("terminal:ann")


async def test_a_command_is_done_noted_and_answered_once(tmp_path: Path) -> None:
    """The run, the reply, the journal and the end of the invocation are there together."""
    async with conversation(tmp_path) as chat:
        telling = await chat.telling("deploy api v1 staging")
        assert telling.to == ANN
        assert telling.channel == DEPLOYS
        assert [run.id for run in await chat.runs()] == ["api-staging-1"]
        async with chat.store.transaction() as tx:
            assert await tx.unhandled(chat.clock.now(), limit=9) == []
            noted = [link.entry for link in await tx.journal() if link.entry.action == "command"]
        assert [(entry.actor, entry.subject, entry.detail) for entry in noted] == [
            (ANN, "api-staging-1", {"line": "deploy api v1 staging", "origin": "slash", "outcome": "done"})
        ]


async def test_a_slip_is_answered_in_private_and_starts_nothing(tmp_path: Path) -> None:
    """Only the answer, the journal and the end of the invocation are stored."""
    async with conversation(tmp_path) as chat:
        telling = await chat.telling("deploy api v1 prd")
        assert telling.content.text == "api has no environment 'prd'; did you mean 'prod'?"
        assert telling.to == ANN
        assert await chat.runs() == []
        async with chat.store.transaction() as tx:
            assert await tx.unhandled(chat.clock.now(), limit=9) == []
            (noted,) = await tx.journal()
        assert noted.entry.detail == {"line": "deploy api v1 prd", "origin": "slash", "outcome": "UsageError"}


async def test_a_slip_found_while_acting_undoes_the_act(tmp_path: Path) -> None:
    """What a verb wrote before it noticed the slip is not kept."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 staging")
        assert "is not paused" in await chat.says("resume api staging")
        assert (await chat.run("api-staging-1")).pause is None


async def test_an_unknown_verb_is_answered_with_the_near_one(tmp_path: Path) -> None:
    """And with the way to see them all."""
    async with conversation(tmp_path) as chat:
        said = await chat.says("depoly api v1 prod")
        assert said == "There is no verb 'depoly'; did you mean 'deploy'? `/release help` lists them all."


@pytest.mark.parametrize("text", ["", "  ", "``"])
async def test_nothing_typed_is_answered_with_help(tmp_path: Path, text: str) -> None:
    """Whoever only calls the bot is told what it can do."""
    async with conversation(tmp_path) as chat:
        assert "`/release help [verb]` tells what can be typed" in await chat.says(text)


async def test_a_reply_stays_in_its_thread(tmp_path: Path) -> None:
    """A mention in a thread is answered there."""
    async with conversation(tmp_path) as chat:
        telling = await chat.telling("status", origin=Origin.MENTION, thread_ts="17.000001")
        assert telling.thread_ts == "17.000001"


async def test_a_terminal_is_answered_at_the_terminal(tmp_path: Path) -> None:
    """Nobody in a channel sees it."""
    async with conversation(tmp_path) as chat:
        telling = await chat.telling("status", by=AT_TERMINAL, origin=Origin.TERMINAL)
        assert (telling.channel, telling.to) == ("terminal", AT_TERMINAL)


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (EVE, "is a guest"),
        (FRANK, "has been deactivated"),
        (BOT, "is a bot"),
        (UserId("U0NOBODY"), "This workspace does not know you"),
    ],
)
async def test_only_colleagues_may_ask(tmp_path: Path, user: UserId, why: str) -> None:
    """Guests, former colleagues, bots and strangers start nothing and are told why."""
    async with conversation(tmp_path) as chat:
        assert why in await chat.says("deploy api v1 staging", by=user)
        assert await chat.runs() == []


async def test_somebody_of_another_workspace_may_not_ask(tmp_path: Path) -> None:
    """A shared channel brings people whom our groups do not know."""
    async with conversation(tmp_path) as chat:
        chat.workspace.people[ANN] = replace(chat.workspace.people[ANN], is_outside=True)
        assert "belongs to another workspace" in await chat.says("status")


async def test_a_directory_that_is_down_leaves_the_command_for_later(tmp_path: Path) -> None:
    """Unknown is not yes: nothing is stored, and the invocation waits to be tried again."""
    async with conversation(tmp_path) as chat:
        heard = await chat.hears("deploy api v1 staging", by=ANN)
        chat.workspace.down = True
        with pytest.raises(UnreachableError):
            await chat.dispatcher.handle(heard)
        async with chat.store.transaction() as tx:
            assert [one.number for one in await tx.unhandled(chat.clock.now(), limit=9)] == [heard.number]
            assert await tx.letter(reply_key(heard.number)) is None
        assert await chat.runs() == []

        chat.workspace.down = False
        await chat.dispatcher.handle(heard)
        assert len(await chat.runs()) == 1


async def test_a_terminal_needs_a_name_for_a_protected_environment(tmp_path: Path) -> None:
    """Otherwise somebody could vote for their own request without anybody knowing."""
    async with conversation(tmp_path) as chat:
        for line in ("deploy api v1 prod", "rollback api prod"):
            said = await chat.says(line, by=AT_TERMINAL, origin=Origin.TERMINAL)
            assert said == (
                "People vote on what changes in prod, and a terminal alone does not say who you are. "
                "Set SLUICE_AS to your Slack user id (such as U0ALICE), or ask in Slack."
            )
        assert await chat.runs() == []


async def test_a_terminal_may_release_where_nobody_is_asked(tmp_path: Path) -> None:
    """Without a directory, and without a Slack id."""
    async with conversation(tmp_path) as chat:
        chat.workspace.down = True
        await chat.says("deploy api v1 staging", by=AT_TERMINAL, origin=Origin.TERMINAL)
        assert (await chat.run("api-staging-1")).request.requester == AT_TERMINAL


async def test_a_slack_id_at_a_terminal_is_looked_up_like_any_other(tmp_path: Path) -> None:
    """SLUICE_AS names a person, and that person must be a colleague."""
    async with conversation(tmp_path) as chat:
        assert "is a guest" in await chat.says("deploy api v1 prod", by=EVE, origin=Origin.TERMINAL)
        await chat.says("deploy api v1 prod", by=ANN, origin=Origin.TERMINAL)
        assert len(await chat.runs()) == 1


async def test_a_permanent_fault_of_a_look_is_told(tmp_path: Path) -> None:
    """A dry run of an image that is not there says so instead of waiting for it."""
    async with conversation(tmp_path) as chat:
        chat.planning.error = NotFoundError("ghcr.io/acme/api has no tag v1; near: v1.0")
        assert await chat.says("deploy api v1 staging --dry-run") == "ghcr.io/acme/api has no tag v1; near: v1.0"
