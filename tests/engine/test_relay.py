"""The outbox: in order, within Slack's limits, once each, whatever the network does."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager as Opening
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.ids import MessageKey
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.ports.store import Letter
from tests.engine.stage import Stage
from tests.fakes.people import ANN, BOT
from tests.fakes.workspace import DEPLOYS, PROD

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


async def test_a_message_is_posted_and_then_edited(engine: Opening[Stage]) -> None:
    """One message, whatever it says in the end."""
    async with engine as stage:
        await wants(stage, said(LIVE, "begins"))
        await stage.relay.turn()
        await wants(stage, said(LIVE, "ends"))
        await stage.relay.turn()
        message = stage.workspace.message(LIVE)
        assert (message.text, [edit.text for edit in message.edits]) == ("ends", ["begins"])


async def test_nothing_is_sent_twice(engine: Opening[Stage]) -> None:
    """A turn with nothing new to show is quiet."""
    async with engine as stage:
        await wants(stage, said(LIVE))
        assert (await stage.relay.turn())[0] == 1
        assert await stage.relay.turn() == (0, None)


async def test_a_thread_is_under_its_message(engine: Opening[Stage]) -> None:
    """A reply goes where its first message stands, also where a person asked."""
    async with engine as stage:
        await wants(stage, said("reply", under=MessageKey(LIVE)), said(LIVE))
        await stage.relay.turn()
        await stage.relay.turn()
        assert stage.workspace.thread(stage.workspace.message(LIVE).place) == ["hello"]
        await wants(stage, said("there", thread_ts="17.5"))
        await stage.relay.turn()
        assert stage.workspace.message("there").thread_ts == "17.5"


async def test_the_bot_seeds_its_message(engine: Opening[Stage]) -> None:
    """Once, in their order; an edit seeds nothing again."""
    async with engine as stage:
        await wants(stage, said(LIVE, seeds=("yes", "no")))
        await stage.relay.turn()
        await wants(stage, said(LIVE, "edited", seeds=("yes", "no")))
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).reactions == {"yes": [BOT], "no": [BOT]}


async def test_seeds_that_were_missed_are_added_without_another_post(engine: Opening[Stage]) -> None:
    """Slack went away between the post and its reactions."""
    async with engine as stage:

        def go_away(when: str, what: str) -> None:
            stage.workspace.down = stage.workspace.down or (when, what) == ("after", f"post {LIVE}")

        stage.workspace.on_write = go_away
        await wants(stage, said(LIVE, seeds=("yes",)))
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).reactions == {}
        stage.workspace.down, stage.workspace.on_write = False, None
        stage.clock.advance(SECOND)
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).reactions == {"yes": [BOT]}


# --- posts whose answer is lost ---


async def test_a_post_whose_answer_was_lost_is_found_and_not_doubled(engine: Opening[Stage]) -> None:
    """Its metadata tells that it arrived; it is brought up to date where it stands."""
    async with engine as stage:
        stage.workspace.ambiguous_next_post()
        await wants(stage, said(LIVE, "begins"))
        await stage.relay.turn()
        await wants(stage, said(LIVE, "ends"))
        stage.clock.advance(SECOND)
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).text == "ends"
        assert (await letter(stage, LIVE)).place == stage.workspace.message(LIVE).place


async def test_a_post_that_never_arrived_is_made_again(engine: Opening[Stage]) -> None:
    """Looked for, not found, posted."""
    async with engine as stage:
        await wants(stage, said(LIVE))
        async with stage.store.transaction() as tx:
            await tx.attempt(MessageKey(LIVE), DEPLOYS, at=stage.clock.now())
        await stage.relay.turn()
        assert keys(stage) == [LIVE]


async def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(engine: Opening[Stage]) -> None:
    """The same in a thread."""
    async with engine as stage:
        await wants(stage, said(LIVE), said("reply", under=MessageKey(LIVE)))
        await stage.relay.turn()
        stage.workspace.ambiguous_next_post()
        await stage.relay.turn()
        stage.clock.advance(SECOND)
        await stage.relay.turn()
        assert keys(stage) == [LIVE, "reply"]


# --- what the channel will not have ---


async def test_an_edit_that_is_refused_is_posted_anew(engine: Opening[Stage]) -> None:
    """The edit window has closed: people must still see how it ended."""
    async with engine as stage:
        await wants(stage, said(LIVE, "begins"))
        await stage.relay.turn()
        first = stage.workspace.message(LIVE)
        stage.workspace.closes_edit_window(first.place)
        await wants(stage, said(LIVE, "ends"))
        await stage.relay.turn()
        stage.clock.advance(2 * SECOND)
        await stage.relay.turn()
        assert first.text == "begins"
        assert [message.text for message in stage.workspace.messages] == ["begins", "ends"]


async def test_a_ballot_that_cannot_be_edited_stays_where_people_voted(engine: Opening[Stage]) -> None:
    """A second one would look as open as the first. When it is decided, the end is told anew."""
    async with engine as stage:
        await wants(stage, said(LIVE, "vote", seeds=("yes", "no")))
        await stage.relay.turn()
        stage.workspace.closes_edit_window(stage.workspace.message(LIVE).place)
        await wants(stage, said(LIVE, "one of two", seeds=("yes", "no")))
        for _ in range(9):
            await stage.relay.turn()
            stage.clock.advance(MINUTE)
        assert [message.text for message in stage.workspace.messages] == ["vote"]
        await wants(stage, said(LIVE, "approved"))
        await stage.relay.turn()
        stage.clock.advance(2 * SECOND)
        await stage.relay.turn()
        assert [message.text for message in stage.workspace.messages] == ["vote", "approved"]


@pytest.mark.parametrize("seeds", [(), ("yes", "no")], ids=["told", "ballot"])
async def test_a_message_waits_until_the_bot_is_let_in_again(engine: Opening[Stage], seeds: tuple[str, ...]) -> None:
    """Somebody took the bot out by mistake: what stands there is edited in place once it is back."""
    async with engine as stage:
        await wants(stage, said(LIVE, "begins", seeds=seeds))
        await stage.relay.turn()
        stage.workspace.removes_bot(DEPLOYS)
        await wants(stage, said(LIVE, "ends", seeds=seeds))
        await stage.relay.turn()
        stage.workspace.invites_bot(DEPLOYS)
        stage.clock.advance(2 * MINUTE)
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).text == "ends"


async def test_a_private_channel_that_hides_itself_is_waited_for(engine: Opening[Stage]) -> None:
    """Slack answers as if there were no such channel: that is no deleted message."""
    async with engine as stage:
        await wants(stage, said(LIVE, "begins"))
        await stage.relay.turn()
        hidden = stage.workspace.hides(DEPLOYS)
        await wants(stage, said(LIVE, "ends"))
        await stage.relay.turn()
        stage.workspace.channels[DEPLOYS] = hidden
        stage.clock.advance(2 * MINUTE)
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).text == "ends"


async def test_a_name_that_means_another_channel_now_gets_its_message_there(engine: Opening[Stage]) -> None:
    """The former channel was renamed and archived between the first try and the next."""
    async with engine as stage:
        stage.workspace.archives(DEPLOYS)
        await wants(stage, said(LIVE))
        await stage.relay.turn()
        stage.workspace.renames(DEPLOYS, "old")
        stage.workspace.renames(PROD, "deploys")
        stage.clock.advance(2 * MINUTE)
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).place.channel == PROD


async def test_a_message_that_somebody_deleted_stays_deleted(engine: Opening[Stage]) -> None:
    """Its edits are dropped; nobody is pestered with it again."""
    async with engine as stage:
        await wants(stage, said(LIVE))
        await stage.relay.turn()
        stage.workspace.deletes(stage.workspace.message(LIVE).place)
        await wants(stage, said(LIVE, "newer"))
        await stage.relay.turn()
        stage.clock.advance(MINUTE)
        assert await stage.relay.turn() == (0, None)
        assert stage.workspace.messages == []


async def test_a_channel_that_is_unknown_keeps_the_message_waiting_with_its_reason(engine: Opening[Stage]) -> None:
    """`why` can tell it; it is tried again slowly, as somebody may let the bot in."""
    async with engine as stage:
        await wants(stage, said(LIVE, channel="#nowhere"))
        await stage.relay.turn()
        stage.clock.advance(MINUTE)
        assert await stage.relay.turn() == (0, None)
        assert (await letter(stage, LIVE)).error == "the bot sees no channel #nowhere"


async def test_an_archived_channel_does_not_stop_private_answers(engine: Opening[Stage]) -> None:
    """They come as a direct message instead."""
    async with engine as stage:
        stage.workspace.archives(DEPLOYS)
        await wants(stage, said("answer", to=ANN))
        await stage.relay.turn()
        assert stage.workspace.whispered[0].direct


async def test_replies_to_a_message_that_never_stood_set_no_alarm(engine: Opening[Stage]) -> None:
    """Only the next slow try of the message itself does."""
    async with engine as stage:
        await wants(stage, said(LIVE, channel="#nowhere"), said("reply", under=MessageKey(LIVE)))
        await stage.relay.turn()
        async with stage.store.transaction() as tx:
            assert await tx.next_due(stage.clock.now()) == stage.clock.now() + 2 * MINUTE


async def test_people_at_a_terminal_read_the_database_themselves(engine: Opening[Stage]) -> None:
    """Nothing is sent to Slack for them, and nothing is left undone."""
    async with engine as stage:
        await wants(stage, *(said(f"m{number}", channel="terminal", seeds=("yes",)) for number in range(9)))
        assert (await stage.relay.turn())[0] == 9
        assert await stage.relay.turn() == (0, None)
        assert stage.workspace.messages == []


async def test_a_ballot_is_looked_at_as_soon_as_it_stands(engine: Opening[Stage]) -> None:
    """Its delivery wakes the run: a vote given at once is counted at once."""
    async with engine as stage:
        stage.workspace.busy_once(10 * SECOND)
        await stage.begins()
        await stage.passes(10 * SECOND)
        assert keys(stage)[0] == LIVE
        assert (await stage.step("steps.approval")).blocked is False
