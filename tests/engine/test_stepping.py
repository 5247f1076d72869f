"""What an executor's answer means for the run."""

from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

from bot.domain.errors import ConflictError, FencedError, NotFoundError, UnreachableError
from bot.domain.events import RunPaused, StepEnded, StepWaited
from bot.domain.outcome import Evidence, Failed, FailureCause, Inconclusive, Pending, Succeeded, Voided
from bot.domain.phase import Phase, StepPhase
from tests.builders import a_step
from tests.engine.stage import Stage
from tests.fakes.people import BOB

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN = UnreachableError("the cluster does not answer")

PLAIN = {"approval": None, "steps": (a_step("set_image", changes=True), a_step("smoke"))}
"""A plan that asks nobody: one step changes something, one looks."""


async def test_steps_run_one_after_another(engine: Opening[Stage]) -> None:
    """In the order of the plan, each once."""
    async with engine as stage:
        run = await stage.begins(**PLAIN)
        assert run.phase is Phase.SUCCEEDED
        assert [context.step.key for context in stage.script.passes] == [
            "gates.image",
            "steps.set_image",
            "steps.smoke",
        ]


async def test_outputs_are_kept_with_the_figure(engine: Opening[Stage]) -> None:
    """Later steps look them up."""
    async with engine as stage:
        stage.script.tell("set_image", Succeeded("v2 set", {"generation": 7}))
        await stage.begins(**PLAIN)
        step = await stage.step("steps.set_image")
        assert (step.why, step.outputs) == ("v2 set", {"generation": 7})


async def test_a_waiting_step_is_looked_at_again_when_it_said(engine: Opening[Stage]) -> None:
    """Not before, and what it remembered is handed back to it."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE, memo={"seen": 1}), Succeeded())
        await stage.begins(**PLAIN)
        await stage.passes(59 * SECOND)
        assert stage.script.times("smoke") == 1
        await stage.passes(SECOND)
        assert stage.script.passes[-1].seen.memo == {"seen": 1}
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_no_memo_keeps_the_one_before(engine: Opening[Stage]) -> None:
    """A step that has nothing new to remember forgets nothing."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("a", SECOND, memo={"n": 1}), Pending("b", SECOND), Succeeded())
        await stage.begins(**PLAIN)
        await stage.passes(3 * SECOND)
        assert stage.script.passes[-1].seen.memo == {"n": 1}


async def test_a_server_that_is_down_is_waited_for(engine: Opening[Stage]) -> None:
    """Blocked, with the cause, told once, and gone on with when it is back."""
    async with engine as stage:
        stage.script.tell("set_image", DOWN, DOWN, DOWN, Succeeded())
        run = await stage.begins(**PLAIN)
        assert (await stage.step("steps.set_image")).blocked
        assert (await stage.step("steps.set_image")).why == "the cluster does not answer"
        await stage.passes(16 * SECOND)
        assert len(await stage.told(StepWaited)) == 1
        assert (await stage.run(run.id)).phase is Phase.SUCCEEDED


async def test_a_server_names_its_own_time(engine: Opening[Stage]) -> None:
    """Retry-After is honoured."""
    async with engine as stage:
        stage.script.tell("smoke", UnreachableError("slow down", retry_after=MINUTE), Succeeded())
        await stage.begins(**PLAIN)
        await stage.passes(59 * SECOND)
        assert stage.script.times("smoke") == 1
        await stage.passes(SECOND)
        assert stage.script.times("smoke") == 2


async def test_a_conflict_is_tried_again(engine: Opening[Stage]) -> None:
    """The object changed under us: the next pass reads it anew."""
    async with engine as stage:
        stage.script.tell("set_image", ConflictError("it changed"), Succeeded())
        await stage.begins(**PLAIN)
        await stage.passes(5 * SECOND)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_a_step_has_a_deadline(engine: Opening[Stage]) -> None:
    """It fails with what it last waited for, and what was changed is undone."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("2 of 3 answered", requeue_after=5 * SECOND))
        steps = (a_step("set_image", changes=True), a_step("smoke", deadline=20 * SECOND))
        restore = (a_step("restore", section="on_failure", changes=True),)
        await stage.begins(approval=None, steps=steps, on_failure=restore)
        await stage.passes(19 * SECOND)
        assert (await stage.run()).phase is Phase.RUNNING
        await stage.passes(SECOND)
        run = await stage.run()
        assert run.phase is Phase.RESTORED
        assert run.reason == "smoke failed: not done within 20 s: 2 of 3 answered"


async def test_an_outage_uses_up_no_deadline(engine: Opening[Stage]) -> None:
    """A server that is away is not the release's fault: the step goes on when it is back."""
    async with engine as stage:
        stage.script.tell("set_image", *[DOWN] * 30, Pending("setting", requeue_after=SECOND), Succeeded())
        steps = (a_step("set_image", changes=True, deadline=MINUTE),)
        await stage.begins(approval=None, steps=steps, on_failure=())
        await stage.passes(5 * MINUTE)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_a_late_success_is_a_success(engine: Opening[Stage]) -> None:
    """The deadline ends a wait; it does not undo what is done."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("", requeue_after=5 * MINUTE), Succeeded())
        await stage.begins(approval=None, steps=(a_step("smoke", deadline=MINUTE),))
        await stage.passes(5 * MINUTE)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_a_failure_before_any_change_just_ends(engine: Opening[Stage]) -> None:
    """Nothing was changed, so nothing is restored."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("it is broken"))
        run = await stage.begins(approval=None, steps=(a_step("smoke"), a_step("set_image", changes=True)))
        assert (run.phase, run.reason) == (Phase.FAILED, "smoke failed: it is broken")
        assert stage.script.times("restore") == 0


async def test_a_failure_after_a_change_is_undone(engine: Opening[Stage]) -> None:
    """The failure steps run, and the reason names the step that failed."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502"), Succeeded())
        run = await stage.begins(**PLAIN)
        assert (run.phase, run.reason) == (Phase.RESTORED, "smoke failed: 502")
        assert stage.script.times("restore") == 1


async def test_the_evidence_is_kept_with_the_failure(engine: Opening[Stage]) -> None:
    """For the thread and for the history."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502", evidence=(Evidence("log", ("panic",)),)), Succeeded())
        await stage.begins(**PLAIN)
        failed = [event for event in await stage.told(StepEnded) if isinstance(event, StepEnded) and not event.ok]
        assert failed[0].evidence == (Evidence("log", ("panic",)),)


async def test_a_restore_that_fails_is_a_failure_that_says_both(engine: Opening[Stage]) -> None:
    """What went wrong first, and what went wrong then."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502"))
        stage.script.tell("restore", Failed("the old image is gone"))
        run = await stage.begins(**PLAIN)
        assert run.phase is Phase.FAILED
        assert run.reason == "smoke failed: 502; and restore failed: the old image is gone"


async def test_without_failure_steps_a_change_stays(engine: Opening[Stage]) -> None:
    """A runbook that undoes nothing stops where it is."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502"))
        run = await stage.begins(**PLAIN, on_failure=())
        assert (run.phase, run.changed) == (Phase.FAILED, True)


async def test_a_permanent_error_fails_the_step(engine: Opening[Stage]) -> None:
    """Trying again cannot help."""
    async with engine as stage:
        stage.script.tell("smoke", NotFoundError("api is gone"), Succeeded())
        assert (await stage.begins(**PLAIN)).reason == "smoke failed: api is gone"


async def test_a_newer_writer_on_the_workload_fails_the_step(engine: Opening[Stage]) -> None:
    """The cluster refused the write: somebody newer is at it."""
    async with engine as stage:
        stage.script.tell("set_image", FencedError("it carries the mark of api-prod-9"))
        run = await stage.begins(**PLAIN, on_failure=())
        assert run.phase is Phase.FAILED
        assert "api-prod-9" in run.reason


async def test_a_step_that_cannot_tell_pauses_the_run(engine: Opening[Stage]) -> None:
    """People are asked: nothing is promoted, nothing restored, until somebody resumes."""
    async with engine as stage:
        stage.script.tell("smoke", Inconclusive("too few requests"))
        run = await stage.begins(**PLAIN)
        assert run.pause is not None
        assert (run.phase, run.pause.by, run.pause.reason) == (Phase.RUNNING, None, "too few requests")
        await stage.passes(15 * MINUTE)
        assert len(await stage.told(RunPaused)) == 1
        stage.script.tell("smoke", Succeeded())
        await stage.passes(15 * MINUTE)
        assert (await stage.run()).phase is Phase.RUNNING
        async with stage.store.transaction() as tx:
            await stage.runs.resume(tx, run, by=BOB)
        await stage.worker.settle()
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_a_paused_run_begins_no_step(engine: Opening[Stage]) -> None:
    """It finishes the step it is at, and stands."""
    async with engine as stage:
        stage.script.tell("set_image", Pending("setting", requeue_after=5 * SECOND), Succeeded())
        run = await stage.begins(**PLAIN)
        async with stage.store.transaction() as tx:
            await stage.runs.pause(tx, run, by=BOB, reason="")
        await stage.passes(20 * MINUTE)
        assert (await stage.step("steps.set_image")).phase is StepPhase.SUCCEEDED
        assert (await stage.step("steps.smoke")).phase is StepPhase.PENDING


async def test_a_plan_that_no_longer_holds_is_made_anew(engine: Opening[Stage]) -> None:
    """Before anything landed: the run plans again, and is not marked as having changed anything."""
    async with engine as stage:
        stage.script.tell("set_image", Voided("the tag moved"), Succeeded())
        run = await stage.begins(**PLAIN)
        assert (run.phase, run.edition) == (Phase.SUCCEEDED, 2)


async def test_a_plan_that_breaks_after_a_change_is_undone(engine: Opening[Stage]) -> None:
    """It cannot be made anew: something of it has happened."""
    async with engine as stage:
        stage.script.tell("smoke", Voided("the tag moved"), Succeeded())
        run = await stage.begins(**PLAIN)
        assert (run.phase, run.edition) == (Phase.RESTORED, 1)


async def test_a_change_is_on_record_before_it_happens(engine: Opening[Stage]) -> None:
    """When the executor is called, the database knows already that something may have changed."""
    async with engine as stage:
        await stage.begins(**PLAIN)
        first = next(context for context in stage.script.passes if context.step.kind == "set_image")
        assert first.run.changed


async def test_each_pass_carries_the_lease_it_was_made_under(engine: Opening[Stage]) -> None:
    """The cluster can tell a former owner's write from a newer one's."""
    async with engine as stage:
        await stage.begins(**PLAIN)
        tokens = [context.token for context in stage.script.passes]
        assert tokens == sorted(set(tokens))
        fence = stage.script.passes[-1].fence
        assert (fence.run_id, fence.step, fence.token) == ("api-prod-1", "steps.smoke", tokens[-1])


async def test_a_step_may_end_a_run_by_another_cause(engine: Opening[Stage]) -> None:
    """The cause decides the last phase where nothing has changed."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("nobody came", FailureCause.EXPIRED))
        run = await stage.begins(approval=None, steps=(a_step("smoke"),))
        assert (run.phase, run.reason) == (Phase.EXPIRED, "nobody came")
