"""A step that waits for people goes on when so many and such people say so as the plan's policy asks."""

from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

from bot.domain.events import ConsentGiven
from bot.domain.ids import StepKey, UserId
from bot.domain.outcome import Pending, Question, Succeeded
from bot.domain.phase import Phase
from tests.builders import POLICY, a_step
from tests.engine.stage import Stage
from tests.fakes.people import ANN, BOB, CID, DAN

SECOND = timedelta(seconds=1)
WAITS = Pending("waits for people", 5 * SECOND, blocked=True, asks=Question.HELD)
STEPS = (a_step("set_image", changes=True), a_step("smoke"))
SMOKE = StepKey("steps.smoke")


async def consents(stage: Stage, *people: UserId, step: StepKey = SMOKE) -> tuple[UserId, ...]:
    """These people let the step go on; who counted at its next pass."""
    for person in people:
        run = await stage.run()
        async with stage.store.transaction() as tx:
            await stage.runs.consent(tx, run, step, by=person)
        await stage.worker.settle()
    return stage.script.passes[-1].consent


async def waiting(stage: Stage) -> None:
    """A run at a step that waits for two of the group."""
    stage.script.tell("smoke", WAITS)
    await stage.begins(approval=POLICY, steps=STEPS)
    await stage.worker.settle()


async def test_consent_is_counted_like_votes(engine: Opening[Stage]) -> None:
    """The requester and people outside the group do not count; two of the group do, each once."""
    async with engine as stage:
        await waiting(stage)
        assert await consents(stage, ANN, DAN, BOB, BOB) == ()
        assert await consents(stage, CID) == (BOB, CID)
        assert [event.by for event in await stage.told(ConsentGiven)] == [ANN, DAN, BOB, CID]
        stage.script.tell("smoke", Succeeded())
        await stage.passes(5 * SECOND)
        assert (await stage.run()).phase is Phase.SUCCEEDED


async def test_where_nobody_votes_anybody_lets_it_go_on(engine: Opening[Stage]) -> None:
    """One person is enough."""
    async with engine as stage:
        stage.script.tell("smoke", WAITS)
        await stage.begins(approval=None, steps=STEPS)
        await stage.worker.settle()
        assert await consents(stage, DAN) == (DAN,)


async def test_consent_for_another_step_is_none_for_this(engine: Opening[Stage]) -> None:
    """Each step waits for its own."""
    async with engine as stage:
        await waiting(stage)
        assert await consents(stage, BOB, CID, step=StepKey("steps.set_image")) == ()


async def test_what_cannot_be_read_is_no_consent(engine: Opening[Stage]) -> None:
    """The step is looked at all the same: its guards stay armed."""
    async with engine as stage:
        await waiting(stage)
        stage.workspace.down = True
        asked = stage.script.times("smoke")
        assert await consents(stage, BOB, CID) == ()
        assert stage.script.times("smoke") > asked
