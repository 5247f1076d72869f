"""What was heard: commands are handled once, reactions and channel events wake runs."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager as Opening
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.domain.errors import FencedError, PermanentError, SluiceError, TemporaryError, UnreachableError
from bot.domain.events import Event, StrayVote, VoteTooLate
from bot.domain.ids import ChannelId, UserId
from bot.domain.invocation import Invocation, Origin
from bot.domain.outcome import Pending
from bot.domain.phase import Phase
from bot.engine.inbox import Inbox
from bot.ports.chat import Place
from bot.ports.store import Heard
from bot.slack.narrator import SlackNarrator
from tests.builders import a_step
from tests.engine.stage import Stage
from tests.fakes.people import ANN, BOB, CID
from tests.fakes.workspace import DEPLOYS

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
YES = "white_check_mark"
NUMBERS = itertools.count()
SLOW = (a_step("approval"), a_step("set_image", changes=True, deadline=timedelta(hours=2)))


class Desk:
    """An inbox whose handler answers as a test told it: errors first, then it handles."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.errors: list[SluiceError] = []
        self.tried: list[str] = []
        self.inbox = Inbox(
            store=stage.store,
            clock=stage.clock,
            narrator=SlackNarrator(),
            handle=self.handle,
            may_vote=stage.needs.ballots.may_vote,
        )

    async def handle(self, heard: Heard) -> None:
        """One command."""
        self.tried.append(heard.invocation.text)
        if self.errors:
            raise self.errors.pop(0)
        async with self.stage.store.transaction() as tx:
            await tx.handled(heard.number, at=self.stage.clock.now())

    async def hears(self, text: str, *, key: str = "") -> None:
        """Somebody types a command."""
        await self.arrives(Origin.SLASH, text, user=ANN, key=key)

    async def reaction(self, user: UserId, text: str, *, on: Place | None = None) -> None:
        """A reaction event arrives and is handled."""
        place = on or self.stage.ballot().place
        await self.arrives(Origin.REACTION, text, user=user, channel=place.channel, message_ts=place.ts)
        await self.inbox.turn()

    async def arrives(
        self,
        origin: Origin,
        text: str,
        *,
        user: UserId,
        channel: ChannelId = DEPLOYS,
        message_ts: str = "",
        key: str = "",
    ) -> None:
        """Something is heard and kept."""
        unique, now = key or f"k{next(NUMBERS)}", self.stage.clock.now()
        await self.stage.store.hear(Invocation(unique, origin, user, text, channel, now, message_ts=message_ts))

    async def waiting(self) -> int:
        """How many invocations are not handled."""
        async with self.stage.store.transaction() as tx:
            return (await tx.backlog(self.stage.clock.now())).invocations


@asynccontextmanager
async def a_desk(engine: Opening[Stage]) -> AsyncIterator[Desk]:
    """A desk on a stage."""
    async with engine as stage:
        yield Desk(stage)


async def test_commands_are_handled_in_their_order(engine: Opening[Stage]) -> None:
    """And each once."""
    async with a_desk(engine) as desk:
        for line in ("first", "second"):
            await desk.hears(line)
        assert await desk.inbox.turn() == 2
        assert await desk.inbox.turn() == 0
        assert desk.tried == ["first", "second"]


async def test_a_redelivered_command_is_handled_once(engine: Opening[Stage]) -> None:
    """Slack sends it again when our acknowledgement was late."""
    async with a_desk(engine) as desk:
        await desk.hears("deploy", key="trigger-1")
        await desk.inbox.turn()
        await desk.hears("deploy", key="trigger-1")
        await desk.inbox.turn()
        assert desk.tried == ["deploy"]


async def test_one_that_must_wait_lets_the_others_pass(engine: Opening[Stage]) -> None:
    """A server is down for the first; the second needs none."""
    async with a_desk(engine) as desk:
        desk.errors = [UnreachableError("the directory does not answer")]
        for line in ("first", "second"):
            await desk.hears(line)
        await desk.inbox.turn()
        assert desk.tried == ["first", "second"]
        assert await desk.waiting() == 1


async def test_it_is_tried_again_with_growing_patience(engine: Opening[Stage]) -> None:
    """1 s, 2 s, 4 s … and never more than a minute; the command is never given up."""
    async with a_desk(engine) as desk:
        desk.errors = [UnreachableError("down") for _ in range(8)]
        await desk.hears("deploy")
        waits = []
        for _ in range(8):
            await desk.inbox.turn()
            async with desk.stage.store.transaction() as tx:
                due = await tx.next_due(desk.stage.clock.now())
            assert due is not None
            waits.append(int((due - desk.stage.clock.now()).total_seconds()))
            desk.stage.clock.advance_to(due)
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
        await desk.inbox.turn()
        assert await desk.waiting() == 0


async def test_a_server_names_its_own_time(engine: Opening[Stage]) -> None:
    """Retry-After is honoured."""
    async with a_desk(engine) as desk:
        desk.errors = [TemporaryError("slow down", retry_after=40 * SECOND)]
        await desk.hears("deploy")
        await desk.inbox.turn()
        desk.stage.clock.advance(39 * SECOND)
        assert await desk.inbox.turn() == 0
        desk.stage.clock.advance(SECOND)
        assert await desk.inbox.turn() == 1


async def test_what_somebody_else_handled_is_left_alone(engine: Opening[Stage]) -> None:
    """Another replica was faster; that is no fault."""
    async with a_desk(engine) as desk:
        desk.errors = [FencedError("handled by somebody else")]
        await desk.hears("deploy")
        await desk.inbox.turn()
        assert desk.tried == ["deploy"]


async def test_what_cannot_be_handled_is_not_tried_for_ever(engine: Opening[Stage]) -> None:
    """It is put away, and the log says why."""
    async with a_desk(engine) as desk:
        desk.errors = [PermanentError("no such thing")]
        await desk.hears("deploy")
        await desk.inbox.turn()
        assert await desk.waiting() == 0


# --- reactions ---


async def test_a_reaction_on_something_else_does_nothing(engine: Opening[Stage]) -> None:
    """Not a message of ours, or one that is no release message."""
    async with a_desk(engine) as desk:
        await desk.reaction(BOB, f"+{YES}", on=Place(DEPLOYS, "1.2"))
        await desk.stage.begins()
        await desk.stage.passes(5 * SECOND)
        [thread] = [m for m in desk.stage.workspace.messages if m.thread_ts]
        await desk.reaction(BOB, f"+{YES}", on=thread.place)
        assert await desk.waiting() == 0
        assert await desk.stage.told(StrayVote) == []


async def test_a_reaction_wakes_its_run(engine: Opening[Stage]) -> None:
    """The votes are read at once, not at the next round look."""
    async with a_desk(engine) as desk:
        await desk.stage.begins(steps=SLOW)
        await desk.stage.passes(5 * SECOND)
        desk.stage.votes(BOB, CID)
        await desk.reaction(CID, f"+{YES}")
        await desk.stage.worker.settle()
        assert (await desk.stage.run()).phase is Phase.SUCCEEDED


async def test_applause_is_no_vote(engine: Opening[Stage]) -> None:
    """Another emoji on a decided ballot is worth no answer."""
    async with a_desk(engine) as desk:
        await ended(desk)
        await desk.reaction(BOB, "+tada")
        assert await desk.stage.told(StrayVote) == []


async def ended(desk: Desk) -> None:
    """A release that bob and cid approved, to its end."""
    await desk.stage.begins(steps=SLOW)
    await desk.stage.passes(5 * SECOND)
    desk.stage.votes(BOB, CID)
    await desk.stage.passes(2 * MINUTE)
    assert (await desk.stage.run()).phase is Phase.SUCCEEDED


async def test_a_vote_on_a_release_that_has_ended_is_answered(engine: Opening[Stage]) -> None:
    """With how it ended."""
    async with a_desk(engine) as desk:
        await ended(desk)
        await desk.reaction(BOB, "+x")
        [event] = await desk.stage.told(StrayVote)
        assert isinstance(event, StrayVote)
        assert (event.by, event.edition, event.why) == (BOB, 1, "the release has ended: succeeded")


async def changing(desk: Desk) -> None:
    """An approved change is under way."""
    desk.stage.script.tell("set_image", Pending("setting", requeue_after=10 * MINUTE, memo={"n": 1}))
    await desk.stage.begins(steps=SLOW)
    await desk.stage.passes(5 * SECOND)
    desk.stage.votes(BOB, CID)
    await desk.stage.passes(2 * MINUTE)
    assert (await desk.stage.run()).changed


async def test_a_vote_during_the_change_is_answered(engine: Opening[Stage]) -> None:
    """The ballot is closed, and says by whom."""
    async with a_desk(engine) as desk:
        await changing(desk)
        await desk.reaction(BOB, "+x")
        [event] = await desk.stage.told(StrayVote)
        assert isinstance(event, StrayVote)
        assert event.why == "it was closed: approved by <@U0BOB>, <@U0CID>"


@pytest.mark.parametrize(
    ("user", "text", "kind", "times"),
    [
        (BOB, f"-{YES}", VoteTooLate, 1),
        (ANN, f"-{YES}", VoteTooLate, 0),
        (BOB, "-x", VoteTooLate, 0),
    ],
    ids=["a counted yes", "a yes that never counted", "a no"],
)
async def test_what_is_taken_back_during_the_change(
    engine: Opening[Stage], user: UserId, text: str, kind: type[Event], times: int
) -> None:
    """Only a yes that was counted is worth a word: it came back too late."""
    async with a_desk(engine) as desk:
        await changing(desk)
        await desk.reaction(user, text)
        assert len(await desk.stage.told(kind)) == times


async def test_a_reaction_before_any_decision_is_only_a_hint(engine: Opening[Stage]) -> None:
    """The event itself is never counted: nobody reacted on the message."""
    async with a_desk(engine) as desk:
        await desk.stage.begins(steps=SLOW)
        await desk.stage.passes(5 * SECOND)
        for person in (BOB, CID):
            await desk.reaction(person, f"+{YES}")
        await desk.stage.passes(5 * MINUTE)
        assert desk.stage.script.times("set_image") == 0


# --- channels ---


async def test_a_channel_event_makes_open_ballots_look(engine: Opening[Stage]) -> None:
    """And is nothing to a run that asks nobody."""
    async with a_desk(engine) as desk:
        await desk.stage.begins(steps=SLOW)
        await desk.stage.passes(5 * SECOND)
        desk.stage.workspace.archives(DEPLOYS)
        await desk.arrives(Origin.CHANNEL, "channel_archive", user=ANN)
        await desk.inbox.turn()
        await desk.stage.worker.settle()
        assert (await desk.stage.run()).phase is Phase.EXPIRED
        await desk.arrives(Origin.CHANNEL, "channel_archive", user=ANN)
        assert await desk.inbox.turn() == 1
        assert await desk.waiting() == 0
