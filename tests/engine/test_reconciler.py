"""One pass: the line before a target, planning, and gates."""

from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

from bot.domain.errors import NotFoundError, RefusedError, UnreachableError, UsageError
from bot.domain.events import TurnCame
from bot.domain.outcome import Failed, Pending, Succeeded
from bot.domain.phase import Phase
from tests.builders import a_step
from tests.engine.stage import Stage
from tests.fakes.people import BOB

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR = timedelta(hours=1)
PLAIN = {"approval": None, "steps": (a_step("set_image", changes=True), a_step("smoke"))}
DOWN = UnreachableError("the registry does not answer")


# --- the line ---


async def test_the_second_waits_for_the_first(engine: Opening[Stage]) -> None:
    """It begins by itself, at once, when the first has ended, and knows how long it waited."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        await stage.begins(**PLAIN)
        second = await stage.asks()
        await stage.worker.settle()
        assert (await stage.run(second.id)).phase is Phase.QUEUED
        stage.script.tell("smoke", Succeeded())
        await stage.passes(MINUTE)
        assert (await stage.run(second.id)).phase is Phase.SUCCEEDED
        async with stage.store.transaction() as tx:
            [turn] = [event for event in await tx.events(second.id) if isinstance(event, TurnCame)]
        assert turn.waited_s == 60


async def test_a_lost_wake_up_costs_minutes_and_no_more(engine: Opening[Stage]) -> None:
    """A run in line looks by itself now and then."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=HOUR))
        first = await stage.begins(**PLAIN)
        second = await stage.asks()
        await stage.worker.settle()
        async with stage.store.transaction() as tx:
            await tx.free_target(first.request.target, first.id)
        stage.script.tell("smoke", Succeeded())
        await stage.passes(6 * MINUTE)
        assert (await stage.run(second.id)).phase is Phase.SUCCEEDED


async def test_a_run_that_is_stopped_in_line_lets_the_next_pass(engine: Opening[Stage]) -> None:
    """It never held the target, and nothing of it is done."""
    async with engine as stage:
        stage.script.tell("smoke", Pending("1 of 3", requeue_after=MINUTE))
        await stage.begins(**PLAIN)
        second, third = await stage.asks(), await stage.asks()
        async with stage.store.transaction() as tx:
            await stage.runs.abort(tx, second, by=BOB, reason="")
        await stage.worker.settle()
        assert (await stage.run(second.id)).phase is Phase.ABORTED
        stage.script.tell("smoke", Succeeded())
        await stage.passes(MINUTE)
        assert (await stage.run(third.id)).phase is Phase.SUCCEEDED


# --- planning ---


async def test_planning_waits_for_a_server(engine: Opening[Stage]) -> None:
    """It says what it waits for, and goes on by itself."""
    async with engine as stage:
        stage.planning.error = DOWN
        run = await stage.asks()
        await stage.passes(MINUTE)
        assert (await stage.run()).waiting_for == "the registry does not answer"
        stage.planning.error = None
        await stage.passes(5 * SECOND)
        found = await stage.run(run.id)
        assert (found.edition, found.waiting_for) == (1, "")


async def test_planning_honours_the_time_a_server_names(engine: Opening[Stage]) -> None:
    """Retry-After again."""
    async with engine as stage:
        stage.planning.error = UnreachableError("slow down", retry_after=4 * MINUTE)
        await stage.asks()
        await stage.worker.settle()
        stage.planning.error = None
        await stage.passes(3 * MINUTE)
        assert (await stage.run()).phase is Phase.PLANNING
        await stage.passes(MINUTE)
        assert (await stage.run()).plan is not None


async def test_no_server_is_left_alone_for_a_day(engine: Opening[Stage]) -> None:
    """However long it wishes: its gate fails at its deadline, and planning gives up after its hour."""
    async with engine as stage:
        stage.script.tell("image", UnreachableError("slow down", retry_after=timedelta(days=1)))
        run = await stage.begins(**PLAIN)
        limit = run.sealed_plan().gates[0].deadline
        await stage.passes(limit)
        assert (await stage.run()).phase is Phase.REFUSED


async def test_planning_gives_up_after_an_hour(engine: Opening[Stage]) -> None:
    """Nobody expects a release of this morning to begin at night."""
    async with engine as stage:
        stage.planning.error = UnreachableError("the registry does not answer", retry_after=5 * MINUTE)
        await stage.asks()
        await stage.passes(HOUR)
        assert (await stage.run()).phase is Phase.PLANNING
        await stage.passes(5 * MINUTE)
        run = await stage.run()
        assert (run.phase, run.reason) == (Phase.REFUSED, "gave up after an hour: the registry does not answer")


async def test_what_a_person_must_change_refuses_the_run(engine: Opening[Stage]) -> None:
    """With the fix in it."""
    async with engine as stage:
        stage.planning.error = UsageError("There is no tag v9.", hint="Did you mean v8?")
        await stage.asks()
        await stage.worker.settle()
        run = await stage.run()
        assert (run.phase, run.reason) == (Phase.REFUSED, "There is no tag v9. Did you mean v8?")


async def test_what_can_never_be_planned_refuses_the_run(engine: Opening[Stage]) -> None:
    """Trying again cannot help."""
    async with engine as stage:
        stage.planning.error = RefusedError("it belongs to Argo CD")
        await stage.asks()
        await stage.worker.settle()
        assert (await stage.run()).phase is Phase.REFUSED


# --- gates ---

TWO_GATES = (a_step("image", section="gates"), a_step("freeze", section="gates", deadline=MINUTE))


async def test_gates_are_asked_side_by_side(engine: Opening[Stage]) -> None:
    """All in one pass; one that has answered is not asked again."""
    async with engine as stage:
        stage.script.tell("freeze", Pending("closed until 9:01", requeue_after=30 * SECOND))
        run = await stage.begins(**PLAIN, gates=TWO_GATES)
        assert {context.token for context in stage.script.passes[:2]} == {stage.script.passes[0].token}
        assert run.phase is Phase.GATING
        assert stage.script.times("freeze") == 1
        stage.script.tell("freeze", Succeeded())
        await stage.passes(30 * SECOND)
        assert (stage.script.times("image"), stage.script.times("freeze")) == (1, 2)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_every_gate_is_heard_before_a_run_is_refused(engine: Opening[Stage]) -> None:
    """People see all that is wrong at once."""
    async with engine as stage:
        stage.script.tell("image", Failed("no such digest"))
        stage.script.tell("freeze", Pending("asking", requeue_after=30 * SECOND))
        run = await stage.begins(**PLAIN, gates=TWO_GATES)
        assert run.phase is Phase.GATING
        stage.script.tell("freeze", Failed("closed until Monday"))
        await stage.passes(30 * SECOND)
        run = await stage.run()
        assert (run.phase, run.reason) == (
            Phase.REFUSED,
            "gate image: no such digest; gate freeze: closed until Monday",
        )
        assert stage.script.times("set_image") == 0


async def test_a_gate_that_never_answers_fails_at_its_deadline(engine: Opening[Stage]) -> None:
    """Unknown waits, and then it is no: never yes."""
    async with engine as stage:
        stage.script.tell("freeze", DOWN)
        await stage.begins(**PLAIN, gates=TWO_GATES)
        await stage.passes(59 * SECOND)
        assert (await stage.step("gates.freeze")).blocked
        await stage.passes(5 * SECOND)
        run = await stage.run()
        assert run.phase is Phase.REFUSED
        assert run.reason == "gate freeze: not done within 60 s: the registry does not answer"


async def test_a_gate_with_a_permanent_error_has_failed(engine: Opening[Stage]) -> None:
    """As with a step."""
    async with engine as stage:
        stage.script.tell("image", NotFoundError("no such image"))
        run = await stage.begins(**PLAIN)
        assert (run.phase, run.reason) == (Phase.REFUSED, "gate image: no such image")


async def test_a_plan_without_gates_goes_on(engine: Opening[Stage]) -> None:
    """Nothing is asked, nothing hangs."""
    async with engine as stage:
        assert (await stage.begins(**PLAIN, gates=())).phase is Phase.SUCCEEDED
