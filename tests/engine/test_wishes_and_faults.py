"""What comes in the wrong moment: a wish during the last pass, a pause before the way back, a pass that breaks."""

from contextlib import AbstractAsyncContextManager as Opening
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import ConflictError, RefusedError, UnreachableError
from bot.domain.events import RunPaused
from bot.domain.ids import RunId
from bot.domain.outcome import Failed, Pending, Succeeded
from bot.domain.phase import Phase
from bot.engine.hints import Hints
from bot.engine.reconciler import Reconciler
from bot.engine.worker import LEASE
from bot.ports.execution import Effect, Executor
from bot.ports.store import Leased
from tests.builders import a_plan, a_step
from tests.engine.stage import Stage
from tests.fakes.people import BOB

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
OPEN = {"approval": None, "steps": (a_step("set_image", changes=True), a_step("smoke"))}


class Broken:
    """Executors with a fault of ours in them."""

    def get(self, kind: str) -> Executor:
        """See `Executors`."""
        raise KeyError(kind)

    def effect(self, kind: str) -> Effect:
        """See `Executors`."""
        raise KeyError(kind)


async def leased(stage: Stage) -> Leased:
    """The one run that is due."""
    async with stage.store.transaction() as tx:
        [one] = await tx.lease_due("a", stage.clock.now(), duration=LEASE, limit=1)
    return one


async def test_a_wish_to_stop_wins_over_a_success_in_the_same_moment(engine: Opening[Stage]) -> None:
    """It was accepted, and told: the pass that would have ended the run is given up, and the next one honours it."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("x", 5 * SECOND), Succeeded())
        run = await stage.begins(**OPEN)
        stage.clock.advance(5 * SECOND)
        reconciler = Reconciler(stage.needs)
        await reconciler.reconcile(await leased(stage))
        closing = await leased(stage)
        assert closing.run.current() is None
        async with stage.store.transaction() as tx:
            await stage.runs.abort(tx, closing.run, by=BOB, reason="")
        with pytest.raises(ConflictError, match="wished api-prod-1 to stop"):
            await reconciler.reconcile(closing)
        await stage.passes(2 * LEASE)
        assert (await stage.run(run.id)).phase is Phase.RESTORED


async def test_a_pause_does_not_hold_up_a_way_back_that_has_not_begun(engine: Opening[Stage]) -> None:
    """The broken version does not stay because somebody wanted to look at it."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("x", 5 * SECOND), Failed("bad"))
        await stage.begins(**OPEN)
        stage.clock.advance(5 * SECOND)
        reconciler = Reconciler(stage.needs)
        while (await stage.run()).phase is not Phase.RESTORING:
            await reconciler.reconcile(await leased(stage))
        run = await stage.run()
        async with stage.store.transaction() as tx:
            await stage.runs.pause(tx, run, by=BOB, reason="let me look")
        await stage.worker.settle()
        assert (await stage.run()).phase is not Phase.RESTORING


async def test_an_abort_halts_the_step_that_goes_on_by_itself(engine: Opening[Stage]) -> None:
    """Before the way back begins; a cluster that is away is waited for, one that refuses holds nobody up."""
    async with engine as stage:
        stage.script.tell("set_image", Pending("a Job runs", 5 * SECOND))
        run = await stage.begins(**OPEN)
        stage.script.halting = [UnreachableError("the cluster is away"), RefusedError("no")]
        async with stage.store.transaction() as tx:
            await stage.runs.abort(tx, run, by=BOB, reason="")
        await stage.worker.settle()
        assert (await stage.run()).waiting_for == "the cluster is away"
        await stage.passes(10 * SECOND)
        assert (await stage.run()).phase is Phase.RESTORED
        assert [context.step.kind for context in stage.script.halted] == ["set_image", "set_image"]


async def test_a_run_whose_passes_break_says_so(engine: Opening[Stage]) -> None:
    """It is tried on, but people and the watchdog know."""
    async with engine as stage:
        stage.planning.made = a_plan(**OPEN)
        run = await stage.asks()
        worker = stage.staffed(Reconciler(replace(stage.needs, executors=Broken())))
        for _ in range(20):
            stage.clock.advance(20 * SECOND)
            await worker.lap()
        told = await stage.told(RunPaused)
        assert [event.reason for event in told] == ["a fault in Sluice itself: KeyError('image')"]
        async with stage.store.reading() as tx:
            assert (await tx.backlog(stage.clock.now())).late > timedelta(minutes=1)
        assert not (await stage.run(run.id)).phase.final


def test_a_hint_uses_a_watch_up() -> None:
    """A process forgets a run that another one has moved to its end; passes of its own watch anew."""
    hints, workload = Hints(lambda: None), a_plan().workload
    hints.watching(workload, RunId("api-prod-1"))
    hints.changed(workload)
    assert hints.take() == {"api-prod-1"}
    hints.changed(workload)
    assert hints.take() == frozenset()
