"""Slack's limits: about a message a second and channel, what is urgent first, silence when asked for."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta
from typing import Any

from bot.domain.ids import MessageKey
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.ports.store import Letter
from tests.engine.stage import Stage
from tests.fakes.people import ANN
from tests.fakes.workspace import PROD

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIVE = "api-prod-1/live/1"


def said(key: str, text: str = "hello", *, channel: str = "#deploys", **options: Any) -> Telling:
    """A message for a channel."""
    return Telling(MessageKey(key), channel, Content(text), **options)


async def wants(stage: Stage, *tellings: Telling) -> None:
    """These messages shall stand in their channels."""
    async with stage.store.transaction() as tx:
        await tx.tell(tellings, at=stage.clock.now())


async def letter(stage: Stage, key: str) -> Letter:
    """A message as the relay left it."""
    async with stage.store.transaction() as tx:
        found = await tx.letter(MessageKey(key))
    assert found is not None
    return found


def keys(stage: Stage) -> Sequence[str]:
    """The messages that stand in channels, in the order in which they were posted."""
    return [message.key for message in stage.workspace.messages]


async def test_a_channel_gets_a_short_burst_and_then_one_a_second(engine: Opening[Stage]) -> None:
    """What is left comes in its order as there is room."""
    async with engine as stage:
        await wants(stage, *(said(f"m{number}") for number in range(7)))
        sent, wait = await stage.relay.turn()
        assert (sent, wait) == (4, SECOND)
        for expected in (5, 6, 7):
            stage.clock.advance(SECOND)
            await stage.relay.turn()
            assert len(stage.workspace.messages) == expected
        assert keys(stage) == [f"m{number}" for number in range(7)]


async def test_one_busy_channel_does_not_hold_up_another(engine: Opening[Stage]) -> None:
    """Each has a budget of its own."""
    async with engine as stage:
        await wants(stage, *(said(f"m{number}") for number in range(9)), said("elsewhere", channel="#prod"))
        await stage.relay.turn()
        assert stage.workspace.message("elsewhere").place.channel == PROD


async def test_progress_leaves_room_for_what_is_urgent(engine: Opening[Stage]) -> None:
    """Edits of progress stop while something of the burst is left; a decision still goes out at once."""
    async with engine as stage:
        await wants(stage, *(said(f"m{number}") for number in range(3)))
        await stage.relay.turn()
        await wants(stage, said("m0", "40 %"))
        sent, wait = await stage.relay.turn()
        assert (sent, wait) == (0, SECOND)
        await wants(stage, said("m1", "approved", urgent=True))
        await stage.relay.turn()
        assert stage.workspace.message("m1").text == "approved"
        assert stage.workspace.message("m0").text == "hello"


async def test_an_urgent_edit_goes_before_new_messages(engine: Opening[Stage]) -> None:
    """A decision is shown before somebody else's news."""
    async with engine as stage:
        await wants(stage, said(LIVE))
        await stage.relay.turn()
        await wants(stage, *(said(f"m{number}") for number in range(4)), said(LIVE, "rejected", urgent=True))
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).text == "rejected"
        assert keys(stage) == [LIVE, "m0", "m1"]


async def test_a_private_answer_needs_no_room(engine: Opening[Stage]) -> None:
    """Somebody who asked does not wait for a busy channel."""
    async with engine as stage:
        await wants(stage, *(said(f"m{number}") for number in range(6)), said("answer", to=ANN))
        await stage.relay.turn()
        assert stage.workspace.whispers(ANN) == ["hello"]


async def test_a_channel_that_asks_for_silence_gets_it(engine: Opening[Stage]) -> None:
    """429: nothing more goes there until the time that Slack named, then all of it, in order."""
    async with engine as stage:
        await wants(stage, said("m0"), said("m1"))
        stage.workspace.busy_once(30 * SECOND)
        await stage.relay.turn()
        assert stage.workspace.messages == []
        stage.clock.advance(29 * SECOND)
        assert await stage.relay.turn() == (0, SECOND)
        stage.clock.advance(SECOND)
        await stage.relay.turn()
        assert keys(stage) == ["m0", "m1"]


async def test_a_short_outage_is_tried_again_with_growing_patience(engine: Opening[Stage]) -> None:
    """1 s, 2 s, 4 s … and never more than two minutes."""
    async with engine as stage:
        stage.workspace.down = True
        await wants(stage, said(LIVE))
        waits = []
        for _ in range(9):
            await stage.relay.turn()
            async with stage.store.transaction() as tx:
                due = await tx.next_due(stage.clock.now())
            assert due is not None
            waits.append(int((due - stage.clock.now()).total_seconds()))
            stage.clock.advance_to(due)
        assert waits == [1, 2, 4, 8, 16, 32, 64, 120, 120]
        assert (await letter(stage, LIVE)).error == "Slack does not answer"


async def test_a_message_that_waits_lets_others_of_its_channel_pass(engine: Opening[Stage]) -> None:
    """One that failed without a reason of the channel's own holds up nobody."""
    async with engine as stage:
        await wants(stage, said("broken", channel="#deploys"))
        stage.workspace.down = True
        await stage.relay.turn()
        stage.workspace.down = False
        await wants(stage, said("fine"))
        await stage.relay.turn()
        assert keys(stage) == ["fine"]
