"""abort, pause and resume: wishes about a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.phase import Phase
from bot.domain.plan import Plan
from tests.commands.conversation import conversation
from tests.fakes.people import DAN


async def test_an_abort_is_a_wish_with_a_reason(tmp_path: Path) -> None:
    """The run keeps it until its next pass; the answer names the version that comes back."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")
        said = await chat.says('abort api prod --reason "wrong version"', by=DAN)
        assert said == (
            "`api-prod-1` (deploy of *api* in *prod*) is being stopped. "
            "It brings back `v0` by itself; nobody needs to vote for that."
        )
        wish = (await chat.run("api-prod-1")).wish
        assert wish is not None
        assert (wish.by, wish.reason) == (DAN, "wrong version")


async def test_the_first_abort_counts(tmp_path: Path) -> None:
    """The second person is told who was first."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.says("abort api-prod-1", by=DAN)
        assert (await chat.says("abort api-prod-1")).startswith("<@U0DAN> has asked for that already: `api-prod-1`")


async def test_an_abort_before_the_plan_changes_nothing(tmp_path: Path) -> None:
    """A queued run just leaves the line."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        assert "It had not changed anything: what runs there stays." in await chat.says("abort api prod")


async def test_an_abort_that_cannot_restore_says_so(tmp_path: Path) -> None:
    """A runbook without restore leaves what it changed; the way back is named."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.changed("api-prod-1")

        def without_restore(plan: Plan | None) -> Plan | None:
            return plan and replace(plan, on_failure=())

        await chat.moves("api-prod-1", lambda run: replace(run, plan=without_restore(run.plan)))
        said = await chat.says("abort api prod")
        assert "It cannot undo what it changed: its runbook has no restore. `/rollback api prod` goes back" in said


async def test_a_run_is_paused_and_resumed(tmp_path: Path) -> None:
    """Each answer names the next word to type."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        assert await chat.says("pause api prod --reason later", by=DAN) == (
            "`api-prod-1` is paused: it finishes the step it is at and begins no further one. "
            "`/release resume api-prod-1` lets it go on, `/release abort api-prod-1` stops it."
        )
        pause = (await chat.run("api-prod-1")).pause
        assert pause is not None
        assert (pause.by, pause.reason) == (DAN, "later")
        assert await chat.says("pause api-prod-1") == (
            "`api-prod-1` was paused by <@U0DAN> already. `/release resume api-prod-1` lets it go on."
        )
        assert await chat.says("resume api-prod-1") == (
            "`api-prod-1` goes on. `/release why api-prod-1` tells what it is doing."
        )
        assert (await chat.run("api-prod-1")).pause is None
        assert (await chat.says("resume api-prod-1")).startswith("`api-prod-1` is not paused.")


@pytest.mark.parametrize("verb", ["abort", "pause", "resume"])
async def test_a_run_that_has_ended_cannot_be_steered(tmp_path: Path, verb: str) -> None:
    """How it ended is a word away."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        now = chat.clock.now()
        await chat.moves("api-prod-1", lambda run: run.ended(Phase.ABORTED, "", at=now)[0])
        assert await chat.says(f"{verb} api prod") == (
            "`api-prod-1` has ended (aborted); there is nothing left to act on. "
            "`/release why api-prod-1` tells how it ended."
        )


@pytest.mark.parametrize("verb", ["abort", "pause", "resume"])
async def test_a_target_means_the_run_that_holds_it(tmp_path: Path, verb: str) -> None:
    """Not the one that waits behind it, though that is newer."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod")
        await chat.voting("api-prod-1")
        await chat.says("deploy api v2 prod")
        assert "`api-prod-1`" in await chat.says(f"{verb} api prod")
