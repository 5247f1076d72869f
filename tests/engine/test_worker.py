"""The worker: what is due is moved; one run's trouble is no other's; a stop loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager as Opening
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from bot.domain.errors import FencedError, UnreachableError
from bot.domain.ids import MessageKey, StepKey
from bot.domain.outcome import Pending, Succeeded
from bot.domain.phase import Phase
from bot.domain.target import Target
from bot.engine.reconciler import Reconciler
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.ports.store import Leased
from bot.store.database import Database
from bot.store.transaction import SqlTransaction
from tests.builders import a_plan, a_step
from tests.engine.stage import Stage, stage

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AWAY = UnreachableError("the database does not answer")
PLAIN = {"approval": None, "steps": (a_step("set_image", changes=True), a_step("smoke"))}


class Troubled(Reconciler):
    """A reconciler whose passes over some runs end by an error, each once."""

    def __init__(self, stage: Stage, **errors: Exception) -> None:
        super().__init__(stage.needs)
        self.errors = {run.replace("_", "-"): error for run, error in errors.items()}

    async def reconcile(self, leased: Leased) -> None:
        """See `Reconciler`."""
        error = self.errors.pop(leased.run.id, None)
        if error:
            raise error
        await super().reconcile(leased)


class Watched(Database):
    """A database that tells when something was written. `error` is what it answers instead, `refused` how often."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.error: Exception | None = None
        self.refused = 0
        self.something = asyncio.Event()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqlTransaction]:
        """See `Store`."""
        self._require_there()
        async with super().transaction() as tx:
            yield tx
        self.something.set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlTransaction]:
        """See `Store`."""
        self._require_there()
        async with super().reading() as tx:
            yield tx

    def _require_there(self) -> None:
        if self.error:
            self.refused += 1
            self.something.set()
            raise self.error


class Shift:
    """Two runs that are asked for, and a worker that serves. The clock stands still until a test moves it."""

    def __init__(self, stage: Stage, store: Watched) -> None:
        self.stage, self.store = stage, store
        stage.planning.made = a_plan(**PLAIN)

    @asynccontextmanager
    async def serving(self, reconciler: Reconciler | None = None) -> AsyncIterator[None]:
        """Serve inside the block; then stop."""
        worker = self.stage.staffed(reconciler) if reconciler else self.stage.worker
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(worker.serve())
            yield
            worker.stop()

    async def until(self, so: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so; looked at whenever something was written."""
        self.store.something.set()
        while not await so():
            self.store.something.clear()
            await self.store.something.wait()

    def later(self, span: timedelta) -> None:
        """Time passes, and the alarm rings."""
        self.stage.clock.advance(span)
        self.stage.bells.ring()

    def is_at(self, run_id: str, phase: Phase, *, why: str = "") -> Callable[[], Awaitable[bool]]:
        """Whether a run is in a phase, and its smoke test at some point."""

        async def look() -> bool:
            run = await self.stage.run(run_id)
            return run.phase is phase and run.step(StepKey("steps.smoke")).why == why

        return look


@asynccontextmanager
async def a_shift(url: str) -> AsyncIterator[Shift]:
    """A shift that is about to begin."""
    store = Watched(url)
    async with stage(store) as there:
        shift = Shift(there, store)
        await there.asks()
        await there.asks(target=Target("web", "prod"))
        yield shift


async def test_a_serving_worker_carries_a_run_to_its_end(url: str) -> None:
    """Passes, waits and messages: all three loops, by bells alone."""
    async with a_shift(url) as shift, shift.serving():
        shift.stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        await shift.until(shift.is_at("api-prod-1", Phase.RUNNING, why="1 of 3"))
        shift.stage.script.tell("smoke", Succeeded())
        shift.later(MINUTE)
        await shift.until(shift.is_at("api-prod-1", Phase.SUCCEEDED))
        shift.later(MINUTE)

        async def told() -> bool:
            return any("runs in *prod*" in text for text in shift.stage.workspace.live())

        await shift.until(told)


async def test_the_alarm_is_set_to_what_is_due_next(engine: Opening[Stage]) -> None:
    """Nobody has to ring for what was planned for later."""
    async with engine as stage:
        begun, alarms = stage.clock.now(), set[datetime]()
        stage.bells.set_alarm = alarms.add
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=30 * SECOND))
        await stage.begins(**PLAIN)
        await stage.passes(10 * SECOND)
        assert begun + 30 * SECOND in alarms


async def test_a_pass_that_breaks_leaves_the_others_alone(url: str) -> None:
    """A fault of ours over one run: the other succeeds meanwhile, and the first is tried again when its lease ends."""
    async with a_shift(url) as shift, shift.serving(Troubled(shift.stage, api_prod_1=KeyError("a fault of ours"))):
        await shift.until(shift.is_at("web-prod-1", Phase.SUCCEEDED))
        assert (await shift.stage.run("api-prod-1")).phase is Phase.QUEUED
        shift.later(MINUTE)
        await shift.until(shift.is_at("api-prod-1", Phase.SUCCEEDED))


@pytest.mark.parametrize(
    "error",
    [FencedError("a newer owner has it"), UnreachableError("the database does not answer"), TimeoutError()],
    ids=["a newer owner", "no database", "too long"],
)
async def test_a_pass_that_is_given_up_is_made_again(url: str, error: Exception) -> None:
    """It wrote nothing; when its lease has run out the next pass looks anew."""
    async with a_shift(url) as shift, shift.serving(Troubled(shift.stage, api_prod_1=error)):
        await shift.until(shift.is_at("web-prod-1", Phase.SUCCEEDED))
        assert (await shift.stage.run("api-prod-1")).phase is Phase.QUEUED
        shift.later(MINUTE)
        await shift.until(shift.is_at("api-prod-1", Phase.SUCCEEDED))


@pytest.mark.parametrize("error", [AWAY, KeyError("a fault of ours")], ids=["away", "fault"])
async def test_the_worker_survives_a_database_that_goes_away(url: str, error: Exception) -> None:
    """All three loops fail, and go on when it is back; a fault of ours in them is no end either."""
    async with a_shift(url) as shift, shift.serving():
        shift.stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        await shift.until(shift.is_at("api-prod-1", Phase.RUNNING, why="1 of 3"))
        shift.store.error = error
        shift.later(SECOND)
        while shift.store.refused < 3:
            shift.store.something.clear()
            await shift.store.something.wait()
        shift.store.error = None
        shift.stage.script.tell("smoke", Succeeded())
        shift.later(MINUTE)
        await shift.until(shift.is_at("api-prod-1", Phase.SUCCEEDED))


async def test_a_stop_delivers_what_is_due(engine: Opening[Stage]) -> None:
    """What was decided before the stop is told before the end."""
    async with engine as stage:
        async with stage.store.transaction() as tx:
            await tx.tell([Telling(MessageKey("last"), "#deploys", Content("goodbye"))], at=stage.clock.now())
        stage.worker.stop()
        stage.worker.stop()
        async with asyncio.timeout(5):
            await stage.worker.serve()
        assert stage.workspace.message("last").text == "goodbye"


async def test_a_stop_begins_nothing_more(engine: Opening[Stage]) -> None:
    """Whoever starts next finds the run where it was."""
    async with engine as stage:
        run = await stage.asks()
        stage.worker.stop()
        await stage.worker.serve()
        assert (await stage.run(run.id)).phase is Phase.QUEUED


async def test_a_stop_does_not_wait_for_a_slack_that_is_down(engine: Opening[Stage]) -> None:
    """The message is left for the next start."""
    async with engine as stage:
        stage.workspace.down = True
        async with stage.store.transaction() as tx:
            await tx.tell([Telling(MessageKey("last"), "#deploys", Content("goodbye"))], at=stage.clock.now())
        stage.worker.stop()
        async with asyncio.timeout(5):
            await stage.worker.serve()
        async with stage.store.transaction() as tx:
            assert (await tx.backlog(stage.clock.now())).letters == 1


@pytest.mark.parametrize("error", [AWAY, KeyError("a fault of ours")], ids=["away", "fault"])
async def test_a_stop_does_not_need_a_database(url: str, error: Exception) -> None:
    """It ends all the same; nothing that was committed is lost."""
    store = Watched(url)
    async with stage(store) as there:
        store.error = error
        there.worker.stop()
        async with asyncio.timeout(5):
            await there.worker.serve()
        assert there.workspace.messages == []


async def test_two_workers_move_each_run_once(engine: Opening[Stage]) -> None:
    """Any number of replicas: the leases keep them apart."""
    async with engine as stage:
        stage.planning.made = a_plan(**PLAIN)
        await stage.asks()
        await stage.asks(target=Target("web", "prod"))
        other = stage.staffed(Reconciler(stage.needs), owner="b")
        await asyncio.gather(stage.worker.settle(), other.settle())
        await stage.passes(10 * SECOND)
        passes = [(context.run.id, context.step.key) for context in stage.script.passes]
        assert len(passes) == len(set(passes)) == 6


async def test_a_hint_makes_the_worker_look_at_once(engine: Opening[Stage]) -> None:
    """A step that would have looked in a minute looks when something about its workload changed."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE), Succeeded())
        run = await stage.begins(**PLAIN)
        stage.hints.changed(run.sealed_plan().workload)
        await stage.worker.settle()
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_a_run_that_ended_hears_no_more_hints(engine: Opening[Stage]) -> None:
    """Nobody is woken for it."""
    async with engine as stage:
        run = await stage.begins(**PLAIN)
        stage.bells.runs.clear()
        stage.hints.changed(run.sealed_plan().workload)
        assert stage.hints.take() == frozenset()
        assert not stage.bells.runs.is_set()
