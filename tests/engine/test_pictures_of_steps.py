"""A step's picture on its way: from the outcome to the event, the message and the record of both."""

import json
from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta

import pytest

from bot.domain.events import StepEnded
from bot.domain.ids import MessageKey, RunId, StepKey
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.phase import Phase
from bot.engine.record import record
from bot.engine.stepping import Stepping
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.slack.thread_messages import thread_message
from bot.store.mapping import EVENT, TELLING, event_text, telling_text
from tests.builders import NOW, a_picture, a_plan, a_run, a_step
from tests.engine.stage import Script, Stage

PICTURE = a_picture()
CANARY = StepKey("steps.canary")
MINUTE = timedelta(minutes=1)


def ended(*, ok: bool = False, picture: object = PICTURE) -> StepEnded:
    """A canary's end."""
    shown = PICTURE if picture else None
    return StepEnded(RunId("api-prod-1"), NOW, CANARY, ok, "errors 6.1 % vs 0.11 %", 180, picture=shown)


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded("promoted", picture=PICTURE),
        Failed("bad", picture=PICTURE),
        Pending("judging", MINUTE, picture=PICTURE),
    ],
)
def test_the_end_of_a_step_carries_its_picture(outcome: Outcome) -> None:
    """Good, bad, or out of time."""
    planned = a_step("canary")
    run = a_run(phase=Phase.RUNNING, plan=a_plan(steps=(planned,)))
    run, _ = run.step_started(CANARY, at=NOW)
    moved = Stepping(Script(), ballots=None).apply(run, planned, outcome, NOW + timedelta(hours=1))  # type: ignore[arg-type]
    assert [event.picture for event in moved.events if isinstance(event, StepEnded)] == [PICTURE]


@pytest.mark.parametrize(
    ("ok", "sign"), [(True, ":white_check_mark: *Step canary* done"), (False, ":x: *Step canary*")]
)
def test_the_thread_shows_the_picture(ok: bool, sign: str) -> None:
    """Beside the line that explains the verdict, also when all went well."""
    said = thread_message(a_run(), ended(ok=ok))
    assert said is not None
    assert said.picture == PICTURE
    assert said.text.startswith(sign)
    assert "errors 6.1 % vs 0.11 %" in said.text


def test_a_good_step_without_a_picture_stays_silent() -> None:
    """It shows in the release message."""
    assert thread_message(a_run(), ended(ok=True, picture=None)) is None


def test_what_has_no_picture_is_written_down_as_ever() -> None:
    """Events and messages that were stored before pictures were read the same, and are not told anew."""
    telling = Telling(MessageKey("k"), "#deploys", Content("hello"))
    assert json.loads(telling_text(telling))["content"] == {"text": "hello", "blocks": []}
    assert "picture" not in json.loads(event_text(ended(picture=None)))
    assert TELLING.validate_json(telling_text(telling)) == telling
    assert EVENT.validate_json(event_text(ended(picture=None))) == ended(picture=None)


def test_what_has_a_picture_is_read_back_with_it() -> None:
    """Another process may be the one that delivers it."""
    telling = Telling(MessageKey("k"), "#deploys", Content("hello", picture=PICTURE))
    assert TELLING.validate_json(telling_text(telling)) == telling
    assert EVENT.validate_json(event_text(ended())) == ended()


async def test_the_journal_holds_the_result_and_not_its_drawing(engine: Opening[Stage]) -> None:
    """The event does; what is chained stays small."""
    async with engine as stage:
        async with stage.store.transaction() as tx:
            await tx.next_number(a_run().request.target)
            await tx.add_run(a_run(id=RunId("api-prod-1")), wake_at=NOW)
            await record(tx, [ended()], [], at=NOW)
        async with stage.store.reading() as tx:
            assert await tx.events(RunId("api-prod-1")) == [ended()]
            (chained,) = await tx.journal()
        assert isinstance(chained.entry.detail, dict)
        assert chained.entry.detail["said"] == "errors 6.1 % vs 0.11 %"
        assert "picture" not in chained.entry.detail
