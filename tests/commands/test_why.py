"""why: one cause and one next step for whatever stands still."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.ids import StepKey
from bot.domain.outcome import Pending, Succeeded
from bot.domain.phase import Phase
from bot.domain.run import Run
from tests.commands.conversation import Conversation, conversation
from tests.fakes.people import BOB, DAN

RETRY = timedelta(seconds=5)


async def asked(chat: Conversation) -> None:
    """Ann has asked for a release."""
    await chat.says("deploy api v1 prod")


async def test_a_run_waits_for_votes(tmp_path: Path) -> None:
    """Who may vote, how many are needed, who said yes, until when, and with what."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        run = await chat.voting("api-prod-1")
        assert run.ballot is not None
        await chat.moves("api-prod-1", lambda r: replace(r, ballot=r.ballot and replace(r.ballot, approved_by=(BOB,))))
        assert await chat.says("why api prod") == (
            "`api-prod-1` waits for votes: 1 of 2 so far (<@U0BOB> said yes), until 09:20 UTC.\n"
            "Anybody in @release-approvers, other than <@U0ANN>, reacts to its message with :white_check_mark: or :x:. "
            f"Seal `{run.sealed_plan().seal}`."
        )


async def test_a_run_waits_behind_another(tmp_path: Path) -> None:
    """Its place, who is before it and since when."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.voting("api-prod-1")
        await chat.says("deploy api v2 prod")
        chat.clock.advance(timedelta(minutes=14))
        assert await chat.says("why api-prod-2") == (
            "`api-prod-2` waits at place 1, behind `api-prod-1`, which has held the target for 14m.\n"
            "`/release why api-prod-1` tells why that one stands."
        )


async def test_a_run_begins_later(tmp_path: Path) -> None:
    """With its day when that is not today."""
    async with conversation(tmp_path) as chat:
        await chat.says("deploy api v1 prod --at 2026-03-03T07:00Z")
        assert await chat.says("why api prod") == (
            "`api-prod-1` begins at 2026-03-03 07:00 UTC.\n`/release abort api-prod-1` takes it back."
        )


async def test_a_run_follows_its_rollout(tmp_path: Path) -> None:
    """The step, how long, and how far."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        chat.clock.advance(timedelta(seconds=70))
        assert await chat.says("why api prod") == (
            "`api-prod-1` is at the step `rollout` for 1m10s: 2 of 3 pods ready.\n`/release abort api-prod-1` stops it."
        )


async def test_a_run_is_blocked_by_a_server(tmp_path: Path) -> None:
    """What is down is named, and that it is tried again."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        key, why = StepKey("steps.rollout"), "the cluster main does not answer"
        await chat.moves(
            "api-prod-1", lambda run: run.step_waits(key, Pending(why, RETRY, None, blocked=True), at=run.created_at)[0]
        )
        said = await chat.says("why api prod")
        assert "is blocked in the step `rollout` for 0s: the cluster main does not answer." in said
        assert said.endswith("It tries again by itself. `/release abort api-prod-1` stops it.")


async def test_a_blocked_ballot_is_not_blamed_on_the_voters(tmp_path: Path) -> None:
    """When Slack cannot be read, more votes would not help."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.voting("api-prod-1")
        key = StepKey("steps.approval")
        await chat.moves(
            "api-prod-1",
            lambda run: run.step_waits(key, Pending("Slack is away", RETRY, None, blocked=True), at=run.created_at)[0],
        )
        assert "is blocked in the step `approval` for 0s: Slack is away." in await chat.says("why api prod")


async def test_a_run_is_paused(tmp_path: Path) -> None:
    """By whom and why, and both ways on."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        await chat.says('pause api prod --reason "<!channel> wait"', by=DAN)
        assert await chat.says("why api prod") == (
            "`api-prod-1` was paused by <@U0DAN>: &lt;!channel&gt; wait.\n"
            "`/release resume api-prod-1` lets it go on, `/release abort api-prod-1` stops it."
        )


async def test_a_run_paused_itself(tmp_path: Path) -> None:
    """Nobody is blamed for it."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        now = chat.clock.now()
        await chat.moves("api-prod-1", lambda run: run.paused(None, "not enough evidence", at=now)[0])
        assert "was paused by Sluice: not enough evidence." in await chat.says("why api prod")


async def test_a_run_is_being_stopped(tmp_path: Path) -> None:
    """For whom."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        await chat.says("abort api prod", by=DAN)
        assert "`api-prod-1` is being stopped for <@U0DAN>." in await chat.says("why api prod")


async def test_a_run_goes_back(tmp_path: Path) -> None:
    """Where to, why, and at which step of the way; there is nothing to do."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        now = chat.clock.now()
        await chat.moves("api-prod-1", lambda run: run.restoring("OOMKilled in pod api-7", at=now)[0])
        said = await chat.says("why api prod")
        assert "is going back to `v0`: OOMKilled in pod api-7; it is at the step `restore`" in said
        assert said.endswith("Nothing to do: it goes on by itself.")


async def test_a_run_cannot_be_planned(tmp_path: Path) -> None:
    """The registry's own words."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        now = chat.clock.now()
        await chat.moves("api-prod-1", lambda r: replace(r.turn_came(at=now)[0], waiting_for="ghcr.io does not answer"))
        assert "cannot be planned yet: ghcr.io does not answer." in await chat.says("why api prod")


async def test_a_gate_holds_the_run(tmp_path: Path) -> None:
    """A blocked gate is named before one that is only slow."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.planned("api-prod-1")
        assert "is at the gate `image`." in await chat.says("why api prod")
        key, now = StepKey("gates.image"), chat.clock.now()

        def blocked(run: Run) -> Run:
            started = run.step_started(key, at=now)[0]
            return started.step_waits(
                key, Pending("ghcr.io does not answer", RETRY, None, blocked=True), at=run.created_at
            )[0]

        await chat.moves("api-prod-1", blocked)
        assert "is blocked in the gate `image` for 0s: ghcr.io does not answer." in await chat.says("why api prod")


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (Phase.SUCCEEDED, "`api-prod-1` has succeeded, 5m ago."),
        (Phase.FAILED, "`api-prod-1` has failed, 5m ago: it broke."),
        (Phase.REJECTED, "`api-prod-1` was rejected, 5m ago: it broke."),
        (Phase.EXPIRED, "`api-prod-1` was not approved in time, 5m ago: it broke."),
    ],
)
async def test_a_run_has_ended(tmp_path: Path, phase: Phase, said: str) -> None:
    """How, when and why; what runs now is a word away."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        now, reason = chat.clock.now(), "" if phase is Phase.SUCCEEDED else "it broke"
        await chat.moves("api-prod-1", lambda run: run.ended(phase, reason, at=now)[0])
        chat.clock.advance(timedelta(minutes=5))
        answer = await chat.says("why api-prod-1")
        assert answer.startswith(said)
        assert answer.endswith(
            "`/release status api prod` tells what runs now, `/release plan api-prod-1` what was planned."
        )


async def test_a_run_that_only_just_began_needs_patience(tmp_path: Path) -> None:
    """Before its target is taken, and while its plan is being made."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        patience = "Nothing to do: it goes on by itself in a moment."
        assert await chat.says("why api prod") == f"`api-prod-1` is about to begin.\n{patience}"
        now = chat.clock.now()
        await chat.moves("api-prod-1", lambda run: run.turn_came(at=now)[0])
        assert await chat.says("why api prod") == f"`api-prod-1` is being planned.\n{patience}"


async def test_all_steps_are_done_but_not_closed(tmp_path: Path) -> None:
    """The workload is being marked as healthy; a server that is away is named."""
    async with conversation(tmp_path) as chat:
        await asked(chat)
        await chat.changed("api-prod-1")
        now = chat.clock.now()

        def done(run: Run) -> Run:
            for step in run.sealed_plan().steps:
                run = run.step_succeeded(step.key, Succeeded(), at=now)[0]
            return replace(run, waiting_for="the cluster main does not answer")

        await chat.moves("api-prod-1", done)
        said = await chat.says("why api prod")
        assert "has done all its steps and is being closed: the cluster main does not answer." in said


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("why api-prod-7", "There is no run `api-prod-7`. `/release status` lists what is under way."),
        ("why api prod", "Nothing has ever been released to api in prod. `/deploy api &lt;ref&gt; prod` does."),
    ],
)
async def test_what_is_not_there_is_said(tmp_path: Path, line: str, answer: str) -> None:
    """With where to look instead."""
    async with conversation(tmp_path) as chat:
        assert await chat.says(line) == answer
