"""A yes is used for what it was given, in its time, once."""

from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

from bot.domain.errors import FencedError, RefusedError, UnreachableError
from bot.domain.outcome import Pending, Succeeded
from bot.domain.phase import Phase
from tests.builders import a_plan, a_step
from tests.engine.stage import Stage
from tests.fakes.people import ANN, BOB, CID

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LONG = a_step("set_image", changes=True, deadline=timedelta(hours=2))
ASKS = {"steps": (a_step("approval"), LONG), "on_failure": (a_step("restore", section="on_failure", changes=True),)}
OVERSLEPT = UnreachableError("the cluster does not answer", retry_after=31 * MINUTE)
"""Longer than an approval may lie about unused."""


async def approved(stage: Stage) -> None:
    """bob and cid have said yes, and the run has looked."""
    stage.votes(BOB, CID)
    await stage.passes(2 * MINUTE)


async def paused_after_approval(stage: Stage) -> None:
    """The people said yes, but the run stands still before its first change."""
    run = await stage.begins(**ASKS)
    await stage.passes(5 * SECOND)
    async with stage.store.transaction() as tx:
        await stage.runs.pause(tx, run, by=ANN, reason="")
    await approved(stage)
    assert (await stage.run()).approval is not None


async def goes_on(stage: Stage) -> None:
    """Somebody resumes the run."""
    run = await stage.run()
    async with stage.store.transaction() as tx:
        await stage.runs.resume(tx, run, by=ANN)
    await stage.passes(5 * SECOND)


async def test_an_approval_is_used_once(engine: Opening[Stage]) -> None:
    """It is marked, so that a vote taken back afterwards can be told from one taken back before."""
    async with engine as stage:
        await paused_after_approval(stage)
        await goes_on(stage)
        run = await stage.run()
        assert run.approval is not None
        assert (run.phase, run.approval.used, run.approval.by) == (Phase.SUCCEEDED, True, (BOB, CID))


async def test_a_ballot_deleted_after_the_decision_is_void(engine: Opening[Stage]) -> None:
    """Nobody can see any more what was approved."""
    async with engine as stage:
        await paused_after_approval(stage)
        stage.workspace.deletes(stage.ballot().place)
        await goes_on(stage)
        assert (await stage.run()).edition == 2


async def test_a_list_cut_short_after_the_decision_is_waited_out(engine: Opening[Stage]) -> None:
    """Somebody who is not listed may have taken a yes back: unknown waits, it never passes."""
    async with engine as stage:
        await paused_after_approval(stage)
        stage.workspace.cuts_reactions_short(stage.ballot().place)
        await goes_on(stage)
        run = await stage.run()
        assert (run.edition, run.changed) == (1, False)
        assert "cut short" in run.waiting_for
        assert stage.script.times("set_image") == 0


async def test_a_plan_that_drifted_after_the_decision_is_made_anew(engine: Opening[Stage]) -> None:
    """The yes was given for something else."""
    async with engine as stage:
        await paused_after_approval(stage)
        stage.planning.drifted = "the workload was changed by somebody else"
        await goes_on(stage)
        assert (await stage.run()).edition == 2
        assert stage.script.times("set_image") == 0


async def test_slack_down_at_the_last_look_makes_the_run_wait(engine: Opening[Stage]) -> None:
    """Unknown is not yes; the run says what it waits for, and goes on by itself."""
    async with engine as stage:
        await paused_after_approval(stage)
        stage.workspace.down = True
        await goes_on(stage)
        assert (await stage.run()).waiting_for == "Slack does not answer"
        assert stage.script.times("set_image") == 0
        stage.workspace.down = False
        await stage.passes(10 * SECOND)
        assert (await stage.run()).phase is Phase.SUCCEEDED


# --- armed, and then asleep ---


async def armed_and_asleep(stage: Stage) -> None:
    """The change is on record as about to happen; then nothing happens until the approval has run out."""
    stage.script.tell("set_image", OVERSLEPT)
    await stage.begins(**ASKS)
    await stage.passes(5 * SECOND)
    await approved(stage)
    assert (await stage.run()).changed
    stage.script.tell("set_image", Succeeded())
    stage.script.passes.clear()


async def test_an_approval_that_ran_out_while_the_process_slept_is_void(engine: Opening[Stage]) -> None:
    """Nothing had happened yet: the ballot is closed, and a new one is asked for."""
    async with engine as stage:
        await armed_and_asleep(stage)
        await stage.sleeps(32 * MINUTE)
        run = await stage.run()
        assert stage.script.times("set_image") == 0
        assert stage.script.times("restore") == 0
        assert (run.phase, run.edition, run.changed, run.approval) == (Phase.RUNNING, 2, False, None)


async def test_a_change_that_had_landed_before_the_sleep_goes_on(engine: Opening[Stage]) -> None:
    """The approval was used in time."""
    async with engine as stage:
        await armed_and_asleep(stage)
        stage.script.there = True
        await stage.sleeps(32 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.edition) == (Phase.SUCCEEDED, 1)


async def test_the_mark_of_another_run_is_not_ours(engine: Opening[Stage]) -> None:
    """Somebody else's change does not make ours approved."""
    async with engine as stage:
        await armed_and_asleep(stage)
        stage.script.there = FencedError("api was changed by api-prod-7")
        await stage.sleeps(32 * MINUTE)
        assert stage.script.times("set_image") == 0


async def test_whether_it_landed_must_be_known(engine: Opening[Stage]) -> None:
    """The cluster does not answer: the run waits, and neither acts nor asks anew."""
    async with engine as stage:
        await armed_and_asleep(stage)
        stage.script.there = UnreachableError("the cluster is down")
        await stage.sleeps(32 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.edition) == (Phase.RUNNING, 1)
        assert (await stage.step("steps.set_image")).blocked


async def test_a_workload_that_is_gone_carries_no_mark(engine: Opening[Stage]) -> None:
    """Nothing landed on it, so the plan is made anew and says what is the matter."""
    async with engine as stage:
        await armed_and_asleep(stage)
        stage.cluster.delete(a_plan().workload)
        stage.planning.error = RefusedError("api is gone")
        await stage.sleeps(32 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.reason) == (Phase.REFUSED, "api is gone")


async def test_a_step_that_remembers_something_has_landed(engine: Opening[Stage]) -> None:
    """What a step noted between passes proves that it acted; no mark needs to be looked for."""
    async with engine as stage:
        stage.script.tell("set_image", Pending("setting", requeue_after=31 * MINUTE, memo={"n": 1}), Succeeded())
        await stage.begins(**ASKS)
        await stage.passes(5 * SECOND)
        await approved(stage)
        await stage.sleeps(32 * MINUTE)
        assert (await stage.run()).phase is Phase.SUCCEEDED
