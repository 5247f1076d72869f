"""Wishes of people, and what a run leaves behind."""

from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

import pytest

from bot.domain.errors import RefusedError, UnreachableError, UsageError
from bot.domain.events import StepWaited
from bot.domain.outcome import Evidence, Failed, Pending, Succeeded
from bot.domain.phase import Phase
from bot.domain.run import Run
from bot.engine.closing import records
from tests.builders import a_step
from tests.engine.stage import Stage
from tests.fakes.people import BOB, CID

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR = timedelta(hours=1)
PLAIN = {"approval": None, "steps": (a_step("set_image", changes=True), a_step("smoke"))}
DOWN = UnreachableError("the registry does not answer")


async def wishes(stage: Stage, run: Run, verb: str, reason: str = "") -> None:
    """bob wants something of a run."""
    async with stage.store.transaction() as tx:
        match verb:
            case "abort":
                await stage.runs.abort(tx, run, by=BOB, reason=reason)
            case "pause":
                await stage.runs.pause(tx, run, by=BOB, reason=reason)
            case "resume":
                await stage.runs.resume(tx, run, by=BOB)
    await stage.worker.settle()


# --- wishes ---


async def test_an_abort_before_any_change_ends_the_run(engine: Opening[Stage]) -> None:
    """By whom and why; nothing is restored."""
    async with engine as stage:
        stage.script.tell("image", Pending("asking", requeue_after=MINUTE))
        run = await stage.begins(**PLAIN)
        await wishes(stage, run, "abort", "wrong version")
        found = await stage.run()
        assert (found.phase, found.reason) == (Phase.ABORTED, "aborted by <@U0BOB>: wrong version")
        assert stage.script.times("restore") == 0


async def test_an_abort_after_a_change_restores(engine: Opening[Stage]) -> None:
    """The failure steps run; a second wish comes too late."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        run = await stage.begins(**PLAIN, on_failure=(a_step("restore", section="on_failure", changes=True),))
        await wishes(stage, run, "abort")
        with pytest.raises(UsageError, match="has ended meanwhile"):
            await wishes(stage, await stage.run(), "abort", "again")
        found = await stage.run()
        assert (found.phase, found.reason) == (Phase.RESTORED, "aborted by <@U0BOB>")


async def test_an_abort_of_what_cannot_be_undone_is_a_failure(engine: Opening[Stage]) -> None:
    """What runs now is not certain, and nobody pretends it is."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        run = await stage.begins(**PLAIN, on_failure=())
        await wishes(stage, run, "abort")
        assert (await stage.run()).phase is Phase.FAILED


async def test_an_abort_during_the_restore_does_not_stop_it(engine: Opening[Stage]) -> None:
    """Halfway back is nowhere."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502"), Succeeded())
        stage.script.tell("restore", Pending("1 of 3", requeue_after=MINUTE), Succeeded())
        run = await stage.begins(**PLAIN)
        assert run.phase is Phase.RESTORING
        await wishes(stage, run, "abort")
        await stage.passes(MINUTE)
        assert (await stage.run()).phase is Phase.RESTORED


async def test_a_pause_does_not_hold_up_the_restore(engine: Opening[Stage]) -> None:
    """A broken release is undone at once, paused or not."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        run = await stage.begins(**PLAIN, on_failure=(a_step("restore", section="on_failure", changes=True),))
        await wishes(stage, run, "pause")
        stage.script.tell("smoke", Failed("502"))
        await stage.passes(2 * MINUTE)
        assert (await stage.run()).phase is Phase.RESTORED


async def test_two_wishes_at_once_are_both_kept(engine: Opening[Stage]) -> None:
    """Two people act on what they both read: the second writes over nothing that the first wrote."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        read = await stage.begins(**PLAIN)
        async with stage.store.transaction() as tx:
            await stage.runs.abort(tx, read, by=BOB, reason="bad")
            await stage.runs.pause(tx, read, by=CID, reason="wait")
        found = await stage.run()
        assert found.wish is not None
        assert found.pause is not None


async def test_a_wish_for_a_run_that_has_ended_meanwhile_is_refused(engine: Opening[Stage]) -> None:
    """It was under way when it was read: nobody is told that it is being stopped."""
    async with engine as stage:
        stage.script.tell("image", Pending("asking", requeue_after=MINUTE))
        read = await stage.begins(**PLAIN)
        await wishes(stage, read, "abort")
        with pytest.raises(UsageError, match="`api-prod-1` has ended meanwhile"):
            await wishes(stage, read, "pause")


async def test_pausing_and_resuming_twice_is_once(engine: Opening[Stage]) -> None:
    """A second click is no second event."""
    async with engine as stage:
        stage.script.tell("image", Pending("asking", requeue_after=HOUR))
        run = await stage.begins(**PLAIN)
        for verb in ("pause", "pause", "resume", "resume"):
            await wishes(stage, await stage.run(run.id), verb)
        async with stage.store.transaction() as tx:
            kinds = [event.kind for event in await tx.events(run.id)]
        assert [kind for kind in kinds if kind in ("run_paused", "run_resumed")] == ["run_paused", "run_resumed"]


# --- what a run leaves behind ---


async def test_waits_are_told_but_not_audited(engine: Opening[Stage]) -> None:
    """The journal holds what was asked, decided and done."""
    async with engine as stage:
        stage.script.tell("smoke", DOWN, Succeeded())
        await stage.begins(**PLAIN)
        await stage.passes(10 * SECOND)
        assert len(await stage.told(StepWaited)) == 1
        async with stage.store.transaction() as tx:
            actions = [entry.entry.action for entry in await tx.journal()]
        assert "step_waited" not in actions
        assert {"run_requested", "run_planned", "step_ended", "run_ended"} <= set(actions)


async def test_the_journal_names_who_did_it(engine: Opening[Stage]) -> None:
    """People by their ids, everything else by our name."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        run = await stage.begins(**PLAIN)
        stage.script.tell("smoke", Succeeded())
        await wishes(stage, run, "abort")
        async with stage.store.transaction() as tx:
            actors = {entry.entry.action: entry.entry.actor for entry in await tx.journal()}
        assert (actors["abort_requested"], actors["run_ended"]) == (BOB, "sluice")


async def test_a_success_is_a_healthy_record(engine: Opening[Stage]) -> None:
    """It begins when the image was set, not when the run ended."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE), Succeeded())
        begun = stage.clock.now()
        await stage.begins(**PLAIN)
        await stage.passes(MINUTE)
        [record] = records(await stage.run())
        assert (record.ref, record.healthy, record.since, record.until) == ("v2", True, begun, None)


async def test_a_restored_run_leaves_two_records(engine: Opening[Stage]) -> None:
    """The bad one, and the old one again, healthy."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502", evidence=(Evidence("t", ("l",)),)), Succeeded())
        run = await stage.begins(**PLAIN)
        bad, back = records(run)
        assert (bad.ref, bad.healthy, bad.reason) == ("v2", False, "smoke failed: 502")
        assert (back.ref, back.healthy, back.reason) == ("v1", True, "restored: smoke failed: 502")


async def test_a_failed_restore_leaves_one_unhealthy_record(engine: Opening[Stage]) -> None:
    """Nobody knows what runs; it was not good."""
    async with engine as stage:
        stage.script.tell("smoke", Failed("502"))
        stage.script.tell("restore", Failed("gone"))
        [record] = records(await stage.begins(**PLAIN))
        assert (record.ref, record.healthy) == ("v2", False)


async def test_a_run_that_touched_no_image_leaves_no_record(engine: Opening[Stage]) -> None:
    """Refused without a plan, rejected with one, or a runbook that sets none."""
    async with engine as stage:
        run = await stage.begins(approval=None, steps=(a_step("job", changes=True),))
        assert run.changed
        assert records(run) == ()
        stage.planning.error = RefusedError("no")
        refused = await stage.asks()
        await stage.worker.settle()
        assert records(await stage.run(refused.id)) == ()


async def test_the_target_is_free_after_every_end(engine: Opening[Stage]) -> None:
    """Also when the run was rejected."""
    async with engine as stage:
        run = await stage.begins()
        await stage.passes(5 * SECOND)
        stage.votes(CID, emoji="x")
        await stage.passes(2 * MINUTE)
        assert (await stage.run()).phase is Phase.REJECTED
        async with stage.store.transaction() as tx:
            assert (await tx.target_state(run.request.target)).holder is None
