"""Pictures in the outbox: shown once, and never at the cost of their message."""

from contextlib import AbstractAsyncContextManager as Opening
from dataclasses import replace
from datetime import timedelta

from bot.domain.ids import MessageKey
from bot.engine.relay import PICTURE_TRIES, SETTLING
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from tests.builders import a_picture
from tests.engine.stage import Stage
from tests.fakes.workspace import Message

LIVE, REPLY = MessageKey("api-prod-1/live/1"), MessageKey("api-prod-1/thread/1/step_ended/canary/1")
PICTURE = a_picture()
TELLING = Telling(REPLY, "#deploys", Content("*errors* 6.1 % vs 0.11 %", picture=PICTURE), under=LIVE)
SECOND = timedelta(seconds=1)


async def told(stage: Stage) -> None:
    """A release message stands, and something with a picture shall be said under it."""
    async with stage.store.transaction() as tx:
        await tx.tell([Telling(LIVE, "#deploys", Content("api v2"))], at=stage.clock.now())
    await stage.relay.turn()
    async with stage.store.transaction() as tx:
        await tx.tell([TELLING], at=stage.clock.now())


async def passes(stage: Stage, time: timedelta) -> None:
    """Time goes by, and the relay looks every second."""
    for _ in range(int(time / SECOND)):
        await stage.relay.turn()
        stage.clock.advance(SECOND)
    await stage.relay.turn()


def shown(stage: Stage) -> Message:
    """The one message that stands there."""
    return stage.workspace.message(REPLY)


async def test_a_picture_is_shown_in_the_thread(engine: Opening[Stage]) -> None:
    """With its text, and once."""
    async with engine as stage:
        await told(stage)
        await passes(stage, timedelta(minutes=2))
        assert (shown(stage).picture, shown(stage).text) == (PICTURE, TELLING.content.text)
        assert shown(stage).thread_ts == stage.workspace.message(LIVE).place.ts
        assert len(stage.workspace.uploads) == 1


async def test_a_lost_answer_shows_no_picture_twice(engine: Opening[Stage]) -> None:
    """It is looked for before anything else, and what is found is not edited."""
    async with engine as stage:
        await told(stage)
        stage.workspace.ambiguous_next_post()
        await passes(stage, timedelta(minutes=2))
        assert (shown(stage).picture, shown(stage).edits) == (PICTURE, [])
        assert len(stage.workspace.uploads) == 1


async def test_a_picture_that_appears_late_is_waited_for(engine: Opening[Stage]) -> None:
    """Slack looks through files before it shows them."""
    async with engine as stage:
        await told(stage)
        stage.workspace.shows_next_post_after(SETTLING - timedelta(seconds=20))
        await passes(stage, 4 * SETTLING)
        assert shown(stage).picture == PICTURE


async def test_a_picture_that_never_appears_leaves_its_message(engine: Opening[Stage]) -> None:
    """Slack can lose what it has taken; the text is posted then."""
    async with engine as stage:
        await told(stage)
        stage.workspace.shows_next_post_after(timedelta(days=1))
        await passes(stage, 2 * SETTLING)
        assert (shown(stage).picture, shown(stage).text) == (None, TELLING.content.text)


async def test_where_no_files_are_taken_the_text_goes_at_once(engine: Opening[Stage]) -> None:
    """A scope that is missing delays nothing."""
    async with engine as stage:
        stage.workspace.takes_files = False
        await told(stage)
        await stage.relay.turn()
        assert (shown(stage).picture, shown(stage).text) == (None, TELLING.content.text)


async def test_where_the_host_of_files_is_away_the_text_goes_soon(engine: Opening[Stage]) -> None:
    """A firewall may let the Web API through and not the host that takes files."""
    async with engine as stage:
        stage.workspace.files_down = True
        await told(stage)
        await stage.relay.turn()
        assert not stage.workspace.thread(stage.workspace.message(LIVE).place)
        await passes(stage, timedelta(seconds=2**PICTURE_TRIES))
        assert (shown(stage).picture, shown(stage).text) == (None, TELLING.content.text)


async def test_a_host_of_files_that_comes_back_gets_the_picture(engine: Opening[Stage]) -> None:
    """A moment's outage costs a second."""
    async with engine as stage:
        stage.workspace.files_down = True
        await told(stage)
        await stage.relay.turn()
        stage.workspace.files_down = False
        await passes(stage, timedelta(seconds=3))
        assert shown(stage).picture == PICTURE


async def test_a_picture_that_breaks_leaves_its_message(engine: Opening[Stage]) -> None:
    """A fault of ours over a drawing is no reason to be silent."""
    async with engine as stage:

        def breaks(when: str, what: str) -> None:
            if (when, what) == ("before", f"upload {REPLY}"):
                raise ZeroDivisionError

        stage.workspace.on_write = breaks
        await told(stage)
        await stage.relay.turn()
        assert (shown(stage).picture, shown(stage).text) == (None, TELLING.content.text)


async def test_a_message_without_a_picture_uploads_nothing(engine: Opening[Stage]) -> None:
    """And is posted anew as soon as it is known to be lost."""
    async with engine as stage:
        async with stage.store.transaction() as tx:
            plain = replace(TELLING, under=None, content=Content("plain"))
            await tx.tell([plain], at=stage.clock.now())
        stage.workspace.shows_next_post_after(timedelta(days=1))
        await passes(stage, timedelta(seconds=3))
        assert shown(stage).text == "plain"
        assert stage.workspace.uploads == []
