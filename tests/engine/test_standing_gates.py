"""Standing gates are asked again right before the first change, and hold it up."""

from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

import pytest

from bot.domain.errors import RefusedError, UnreachableError, UsageError
from bot.domain.events import StepWaited
from bot.domain.outcome import Failed, Inconclusive, Outcome, Pending, Succeeded, Voided
from bot.domain.phase import Phase, StepPhase
from bot.engine.reconciler import Reconciler
from commands.causes import why
from tests.builders import a_step
from tests.engine.stage import Stage
from tests.fakes.people import ANN, BOB, CID

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
GATES = (a_step("image", section="gates"), a_step("freeze", section="gates", standing=True))
BACK = (a_step("restore", section="on_failure", changes=True),)
VOTED = {"gates": GATES, "steps": (a_step("approval"), a_step("set_image", changes=True)), "on_failure": BACK}
ALONE = {"gates": GATES, "steps": (a_step("set_image", changes=True),), "approval": None, "on_failure": BACK}
FROZEN = Pending("prod is frozen until 18:00 UTC", requeue_after=MINUTE)
KEY = "gates.freeze"


async def frozen_after_the_votes(stage: Stage, *answers: Outcome, plan: dict[str, object] = VOTED) -> None:
    """The gate passes at first; when the change is to begin it gives these answers."""
    stage.script.tell("freeze", Succeeded("no freeze"), *answers)
    await stage.begins(**plan)
    await stage.passes(5 * SECOND)
    if plan is VOTED:
        stage.votes(BOB, CID)
        await stage.passes(2 * MINUTE)


async def test_a_standing_gate_is_asked_twice_and_the_others_once(engine: Opening[Stage]) -> None:
    """What cannot change between the votes and the change is not asked again."""
    async with engine as stage:
        await frozen_after_the_votes(stage, Succeeded("no freeze"))
        assert (await stage.run()).phase is Phase.SUCCEEDED
        assert (stage.script.times("image"), stage.script.times("freeze")) == (1, 2)


async def test_a_gate_that_waits_holds_the_change_up(engine: Opening[Stage]) -> None:
    """Nothing is changed, the approval is not used, and the message says what is waited for."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        run = await stage.run()
        assert run.approval is not None
        assert (run.phase, run.changed, run.approval.used) == (Phase.RUNNING, False, False)
        assert stage.script.times("set_image") == 0
        assert run.waiting_for == "gate freeze: prod is frozen until 18:00 UTC"
        assert "*Waits:* gate freeze: prod is frozen until 18:00 UTC" in stage.ballot().text
        assert run.step(KEY).phase is StepPhase.RUNNING


async def test_the_wait_is_told_once(engine: Opening[Stage]) -> None:
    """However often the gate is asked."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        await stage.passes(10 * MINUTE)
        assert stage.script.times("freeze") > 8
        assert [event.why for event in await stage.told(StepWaited)] == ["prod is frozen until 18:00 UTC"]


async def test_why_names_the_gate(engine: Opening[Stage]) -> None:
    """And not the step that has not begun."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        run = await stage.run()
        async with stage.store.reading() as tx:
            state = await tx.target_state(run.request.target)
        said = why(run, state, stage.clock.now()).text
        assert "is blocked in the gate `freeze`" in said
        assert "prod is frozen until 18:00 UTC" in said


async def test_it_goes_on_by_itself_when_the_gate_passes(engine: Opening[Stage]) -> None:
    """With the votes that were given; nobody is asked again."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN, FROZEN, Succeeded("no freeze"))
        await stage.passes(5 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.edition, run.waiting_for) == (Phase.SUCCEEDED, 1, "")
        assert run.step(KEY).phase is StepPhase.SUCCEEDED


async def test_the_approval_expires_while_a_gate_waits(engine: Opening[Stage]) -> None:
    """Then the plan is made anew, and its gates are asked as for any new plan."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        await stage.passes(32 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.edition, run.approval) == (Phase.GATING, 2, None)
        await stage.passes(15 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.changed) == (Phase.REFUSED, False)
        assert "prod is frozen until 18:00 UTC" in run.reason


async def test_a_vote_taken_back_while_a_gate_waits_counts(engine: Opening[Stage]) -> None:
    """The votes are read at every look."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        stage.votes(BOB, emoji="x")
        await stage.passes(2 * MINUTE)
        assert (await stage.run()).phase is Phase.REJECTED


async def test_a_gate_that_fails_ends_the_run_as_gates_do(engine: Opening[Stage]) -> None:
    """Refused, with nothing changed and nothing restored; the gate is the one that failed, and the ballot is closed."""
    async with engine as stage:
        await frozen_after_the_votes(stage, Failed("everything is stopped"))
        run = await stage.run()
        assert (run.phase, run.changed, run.reason) == (Phase.REFUSED, False, "gate freeze: everything is stopped")
        assert run.step(KEY).phase is StepPhase.FAILED
        assert run.step("steps.set_image").phase is StepPhase.PENDING
        assert run.ballot is not None
        assert run.ballot.closed
        assert stage.script.times("set_image") + stage.script.times("restore") == 0


@pytest.mark.parametrize(
    "unknown", [UnreachableError("the database is down"), Inconclusive("cannot tell"), Voided("odd")], ids=str
)
async def test_what_is_not_yes_never_passes(engine: Opening[Stage], unknown: Outcome) -> None:
    """A server that is down, and an answer that is none: the run waits."""
    async with engine as stage:
        await frozen_after_the_votes(stage, unknown)
        await stage.passes(10 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.changed) == (Phase.RUNNING, False)
        assert run.waiting_for.startswith("gate freeze: ")
        assert stage.script.times("set_image") == 0


async def test_a_run_that_nobody_votes_on_is_held_up_too(engine: Opening[Stage]) -> None:
    """And once it may go on, it looks whether its plan still holds."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN, plan=ALONE)
        assert (await stage.run()).waiting_for
        stage.planning.drifted = "the workload was changed by somebody else"
        stage.script.tell("freeze", Succeeded("no freeze"))
        await stage.passes(2 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.edition) == (Phase.SUCCEEDED, 2)


async def test_what_a_server_said_calls_nobody(engine: Opening[Stage]) -> None:
    """A wait is told in the thread, where a mention rings: names of people in another's words stay text."""
    async with engine as stage:
        stage.script.tell("image", UnreachableError("the server said <@U0BOSS>"))
        await frozen_after_the_votes(stage, plan=ALONE)
        stage.planning.error = UnreachableError("another one said <@U0BOSS>")
        await stage.asks()
        await stage.passes(MINUTE)
        texts = [one.text for message in stage.workspace.messages for one in (message.content, *message.edits)]
        assert any("the server said &lt;@U0BOSS&gt;" in text for text in texts)
        assert not any("<@U0BOSS>" in text for text in texts)


async def test_a_refusal_in_a_servers_words_calls_nobody(engine: Opening[Stage]) -> None:
    """A plan that is made anew may be refused when the release has a thread already."""
    async with engine as stage:
        await stage.begins(**VOTED)
        await stage.passes(5 * SECOND)
        stage.planning.drifted, stage.planning.error = "edited", RefusedError("the registry said <@U0BOSS>")
        await stage.passes(5 * MINUTE)
        assert (await stage.run()).phase is Phase.REFUSED
        texts = [message.text for message in stage.workspace.messages]
        assert any("the registry said &lt;@U0BOSS&gt;" in text for text in texts)
        assert not any("<@U0BOSS>" in text for text in texts)


async def test_a_held_up_run_can_be_aborted(engine: Opening[Stage]) -> None:
    """Nothing was changed, so nothing is restored; its last message waits for nothing any more."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        run = await stage.run()
        async with stage.store.transaction() as tx:
            await stage.runs.abort(tx, run, by=ANN, reason="")
        await stage.passes(5 * SECOND)
        assert (await stage.run()).phase is Phase.ABORTED
        assert ":white_circle: *freeze* had not passed: prod is frozen until 18:00 UTC" in stage.ballot().text
        assert "waits" not in stage.ballot().text


async def test_armed_and_then_asleep_the_gates_are_asked_again(engine: Opening[Stage]) -> None:
    """The first effect had not landed, so a freeze that came meanwhile stops it."""
    async with engine as stage:
        stage.script.tell("set_image", UnreachableError("the cluster is away", retry_after=3 * MINUTE), Succeeded())
        await frozen_after_the_votes(stage, Succeeded("no freeze"), FROZEN)
        assert (await stage.run()).changed
        await stage.sleeps(4 * MINUTE)
        run = await stage.run()
        assert run.waiting_for == "gate freeze: prod is frozen until 18:00 UTC"
        assert stage.script.times("set_image") == 1
        assert run.step("steps.set_image").memo == {}
        stage.script.tell("freeze", Succeeded("no freeze"))
        await stage.passes(2 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.waiting_for) == (Phase.SUCCEEDED, "")


async def test_held_up_after_a_sleep_it_can_be_aborted(engine: Opening[Stage]) -> None:
    """Nothing has landed and nothing will: nothing is restored, and the message does not speak of it."""
    async with engine as stage:
        stage.script.tell("set_image", UnreachableError("the cluster is away", retry_after=3 * MINUTE), Succeeded())
        await frozen_after_the_votes(stage, Succeeded("no freeze"), FROZEN)
        await stage.sleeps(4 * MINUTE)
        run = await stage.run()
        assert (run.changed, bool(run.waiting_for)) == (False, True)
        async with stage.store.transaction() as tx:
            await stage.runs.abort(tx, run, by=ANN, reason="")
        await stage.passes(5 * SECOND)
        assert (await stage.run()).phase is Phase.ABORTED
        assert stage.script.times("restore") == 0


@pytest.mark.parametrize("kind", ["image", "freeze", "set_image"])
async def test_a_catalogue_that_was_edited_meanwhile_ends_the_run(engine: Opening[Stage], kind: str) -> None:
    """A service that is gone from it is a reason to stop, and no pass that breaks for ever."""
    async with engine as stage:
        stage.script.tell(kind, UsageError("There is no service 'api'."))
        await stage.begins(**VOTED)
        await stage.passes(5 * SECOND)
        if kind == "set_image":
            stage.votes(BOB, CID)
        await stage.passes(3 * MINUTE)
        run = await stage.run()
        assert run.phase is (Phase.RESTORED if kind == "set_image" else Phase.REFUSED)
        assert "There is no service 'api'" in run.reason


async def test_armed_and_asleep_a_gate_that_fails_restores_nothing(engine: Opening[Stage]) -> None:
    """Nothing has landed: the run is refused, and what runs is left alone."""
    async with engine as stage:
        stage.script.tell("set_image", UnreachableError("the cluster is away", retry_after=3 * MINUTE), Succeeded())
        await frozen_after_the_votes(stage, Succeeded("no freeze"), Failed("everything is stopped"))
        await stage.sleeps(4 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.changed) == (Phase.REFUSED, False)
        assert stage.script.times("restore") == 0


async def test_what_has_landed_is_not_held_up(engine: Opening[Stage]) -> None:
    """A change that is in the world goes on: stopping half-way would be worse than finishing or undoing it."""
    async with engine as stage:
        stage.script.tell("set_image", UnreachableError("the cluster is away", retry_after=3 * MINUTE), Succeeded())
        await frozen_after_the_votes(stage, Succeeded("no freeze"), FROZEN)
        stage.script.there = True
        await stage.sleeps(4 * MINUTE)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_a_restore_asks_no_gate(engine: Opening[Stage]) -> None:
    """Failure steps are the way out, and no gate stands in it."""
    async with engine as stage:
        stage.script.tell("set_image", Failed("no such image"))
        await frozen_after_the_votes(stage, Succeeded("no freeze"), FROZEN)
        run = await stage.run()
        assert run.phase is Phase.RESTORED
        assert stage.script.times("freeze") == 2


async def test_a_second_process_finds_the_run_held_up(engine: Opening[Stage]) -> None:
    """What holds it up is in the database: whoever leases it next goes on from there, and tells nothing twice."""
    async with engine as stage:
        await frozen_after_the_votes(stage, FROZEN)
        async with stage.store.transaction() as tx:
            await tx.release_leases(None)
        stage.worker = stage.staffed(Reconciler(stage.needs), owner="b")
        await stage.passes(3 * MINUTE)
        assert len(await stage.told(StepWaited)) == 1
        stage.script.tell("freeze", Succeeded("no freeze"))
        await stage.passes(2 * MINUTE)
        assert (await stage.run()).phase is Phase.SUCCEEDED
