"""What once went wrong between the database and people: endless failures, two relays, refused reactions, our faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager as Opening
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import RefusedError, UnreachableError
from bot.domain.ids import ChannelId, MessageKey, slip_key
from bot.domain.invocation import Invocation, Origin
from bot.engine.inbox import BROKEN, Inbox
from bot.engine.patience import patience
from bot.engine.relay import Relay
from bot.ports.chat import Content, FileId, Place
from bot.ports.narrator import Telling
from bot.ports.store import Heard
from bot.slack.narrator import SlackNarrator
from bot.store.database import Database
from tests.engine.stage import Stage
from tests.fakes.people import ANN
from tests.fakes.workspace import DEPLOYS, PROD, FakeWorkspace

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIVE = "api-prod-1/live/1"


def said(key: str, text: str = "hello", *, channel: str = "#deploys", **options: Any) -> Telling:
    """A message for a channel."""
    return Telling(MessageKey(key), channel, Content(text), **options)


async def wants(stage: Stage, *tellings: Telling) -> None:
    """These messages shall stand in their channels."""
    async with stage.store.transaction() as tx:
        await tx.tell(tellings, at=stage.clock.now())


class Unreactable(FakeWorkspace):
    """A workspace in which the bot may post and not react."""

    async def react(self, place: Place, emoji: str) -> None:
        """See the port."""
        raise RefusedError(f"the bot may not react with {emoji} in {place.channel}")


class Faulty(FakeWorkspace):
    """A workspace whose adapter has a fault: one message makes it break."""

    async def post(
        self,
        channel: ChannelId,
        key: MessageKey,
        content: Content,
        *,
        thread_ts: str | None,
        picture: FileId | None = None,
    ) -> Place:
        """See the port."""
        if key == "poison":
            raise KeyError(key)
        return await super().post(channel, key, content, thread_ts=thread_ts, picture=picture)


# --- waits ---


@pytest.mark.parametrize("failures", [20, 64, 5000])
def test_patience_has_an_end(failures: int) -> None:
    """After a night of failures the wait is still the longest, and no overflow."""
    assert patience(failures, longest=MINUTE) == MINUTE


async def test_a_command_survives_a_server_that_was_away_for_very_long(engine: Opening[Stage]) -> None:
    """Its next try is a minute away, however often it was tried."""
    async with engine as stage:

        async def away(_: Heard) -> None:
            raise UnreachableError("the directory does not answer")

        inbox = Inbox(
            store=stage.store,
            clock=stage.clock,
            narrator=SlackNarrator(),
            handle=away,
            may_vote=stage.needs.ballots.may_vote,
        )
        await hears(stage)
        for _ in range(70):
            await inbox.turn()
            stage.clock.advance(MINUTE)
        async with stage.store.reading() as tx:
            [heard] = await tx.unhandled(stage.clock.now(), limit=9)
        assert heard.attempts == 70


# --- our own faults ---


async def hears(stage: Stage, origin: Origin = Origin.SLASH) -> None:
    """Somebody types something."""
    await stage.store.hear(Invocation("k", origin, ANN, "status", DEPLOYS, stage.clock.now()))


@pytest.mark.parametrize("origin", [Origin.SLASH, Origin.MENTION, Origin.TERMINAL])
async def test_a_command_that_breaks_us_is_answered_in_the_end(engine: Opening[Stage], origin: Origin) -> None:
    """Three tries, then its asker is told that nothing was done, and it is never met again."""
    async with engine as stage:

        async def broken(_: Heard) -> None:
            raise KeyError("a fault of ours")

        inbox = Inbox(
            store=stage.store,
            clock=stage.clock,
            narrator=SlackNarrator(),
            handle=broken,
            may_vote=stage.needs.ballots.may_vote,
        )
        await hears(stage, origin)
        tries = 0
        for _ in range(9):
            tries += await inbox.turn()
            stage.clock.advance(MINUTE)
        async with stage.store.reading() as tx:
            answer = await tx.letter(slip_key(1))
        assert tries == 3
        assert answer is not None
        assert (answer.telling.content.text, answer.telling.to) == (BROKEN, ANN)


async def test_a_message_that_breaks_us_holds_up_no_other(engine: Opening[Stage]) -> None:
    """It is tried again slowly; the one behind it goes out."""
    async with engine as stage:
        chat = Faulty(stage.clock)
        relay = Relay(store=stage.store, chat=chat, clock=stage.clock)
        await wants(stage, said("poison"), said("fine"))
        await relay.turn()
        assert [message.key for message in chat.messages] == ["fine"]


# --- channels ---


async def test_a_busy_channel_delays_no_other_by_more_than_a_turn(engine: Opening[Stage]) -> None:
    """Three hundred messages wait in one; the only one of the other goes out at once."""
    async with engine as stage:
        await wants(stage, *(said(f"m{number}") for number in range(300)))
        await stage.relay.turn()
        await wants(stage, said("elsewhere", channel="#prod"))
        await stage.relay.turn()
        assert stage.workspace.message("elsewhere").place.channel == PROD


async def test_a_channel_that_shut_the_bot_out_gets_its_message_when_it_is_let_in(engine: Opening[Stage]) -> None:
    """Days later too, and nobody has to ask again."""
    async with engine as stage:
        member = await stage.workspace.channel_state(DEPLOYS)
        stage.workspace.removes_bot(DEPLOYS)
        await wants(stage, said(LIVE))
        for _ in range(50):
            await stage.relay.turn()
            stage.clock.advance(2 * MINUTE)
        stage.workspace.channels[DEPLOYS] = member
        stage.clock.advance(15 * MINUTE)
        await stage.relay.turn()
        assert stage.workspace.message(LIVE).text == "hello"


async def test_a_refused_reaction_posts_nothing_again(engine: Opening[Stage]) -> None:
    """People can react by themselves; the ballot stands once."""
    async with engine as stage:
        chat = Unreactable(stage.clock)
        relay = Relay(store=stage.store, chat=chat, clock=stage.clock)
        await wants(stage, said(LIVE, seeds=("yes", "no")))
        for _ in range(5):
            await relay.turn()
            stage.clock.advance(MINUTE)
        assert [message.key for message in chat.messages] == [LIVE]
        assert await relay.turn() == (0, None)


# --- two processes ---


@asynccontextmanager
async def two_relays(stage: Stage, url: str) -> AsyncIterator[tuple[Relay, Relay]]:
    """Two processes over one database and one workspace."""
    async with Database(url) as other:
        one = Relay(store=stage.store, chat=stage.workspace, clock=stage.clock, owner="a")
        yield one, Relay(store=other, chat=stage.workspace, clock=stage.clock, owner="b")


async def test_two_relays_post_each_message_once_and_in_order(engine: Opening[Stage], url: str) -> None:
    """Whoever delivers in a channel has it for itself meanwhile."""
    async with engine as stage, two_relays(stage, url) as relays:
        wanted = [f"m{number}" for number in range(20)]
        await wants(stage, *(said(key) for key in wanted))
        for _ in range(40):
            await asyncio.gather(*(relay.turn() for relay in relays))
            stage.clock.advance(SECOND)
        assert [message.key for message in stage.workspace.messages] == wanted


async def test_two_relays_edit_each_message_once(engine: Opening[Stage], url: str) -> None:
    """An edit is claimed as a post is."""
    async with engine as stage, two_relays(stage, url) as relays:
        await wants(stage, said(LIVE, "begins"))
        await relays[0].turn()
        await wants(stage, said(LIVE, "ends", urgent=True))
        await asyncio.gather(*(relay.turn() for relay in relays))
        assert [edit.text for edit in stage.workspace.message(LIVE).edits] == ["begins"]
