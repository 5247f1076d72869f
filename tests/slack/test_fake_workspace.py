"""The fake's own controls: what tests of the whole bot lean on."""

import pytest

from bot.domain.errors import RefusedError, UnreachableError
from bot.domain.ids import MessageKey
from bot.ports.chat import Content
from tests.fakes.clock import FakeClock
from tests.fakes.people import ANN, BOB
from tests.fakes.workspace import DEPLOYS, FakeWorkspace

KEY = MessageKey("api-prod-42/live/1")


class CrashError(Exception):
    """The process died here."""


async def test_a_workspace_that_is_down_answers_nothing() -> None:
    """And takes nothing in."""
    slack = FakeWorkspace(FakeClock())
    slack.down = True
    with pytest.raises(UnreachableError):
        await slack.post(DEPLOYS, KEY, Content("hello"), thread_ts=None)
    assert slack.live() == []


async def test_an_ambiguous_post_has_arrived() -> None:
    """Only its answer is lost; the next post is answered again."""
    slack = FakeWorkspace(FakeClock())
    slack.ambiguous_next_post()
    with pytest.raises(UnreachableError):
        await slack.post(DEPLOYS, KEY, Content("hello"), thread_ts=None)
    assert slack.live() == ["hello"]
    await slack.post(DEPLOYS, MessageKey("other"), Content("again"), thread_ts=None)


@pytest.mark.parametrize(("when", "arrived"), [("before", []), ("after", ["hello"])])
async def test_a_crash_around_a_write(when: str, arrived: list[str]) -> None:
    """Before it nothing has happened, after it everything has."""

    def dies(now: str, what: str) -> None:
        if (now, what) == (when, f"post {KEY}"):
            raise CrashError

    slack = FakeWorkspace(FakeClock())
    slack.on_write = dies
    with pytest.raises(CrashError):
        await slack.post(DEPLOYS, KEY, Content("hello"), thread_ts=None)
    assert slack.live() == arrived


async def test_what_was_said_can_be_read() -> None:
    """Channel, thread, edits and whispers, each by itself."""
    slack = FakeWorkspace(FakeClock())
    root = await slack.post(DEPLOYS, KEY, Content("hello"), thread_ts=None)
    await slack.post(DEPLOYS, MessageKey("reply"), Content("more"), thread_ts=root.ts)
    await slack.update(root, KEY, Content("bye"))
    await slack.whisper(DEPLOYS, ANN, Content("psst"), thread_ts=None)
    assert (slack.live(), slack.thread(root), slack.whispers(ANN)) == (["bye"], ["more"], ["psst"])
    assert slack.message(KEY).edits == [Content("hello")]
    assert slack.whispers(BOB) == []


async def test_a_channel_without_the_bot_is_closed_to_it() -> None:
    """A whisper there becomes a direct message, and a list that is cut short is not complete."""
    slack = FakeWorkspace(FakeClock())
    root = await slack.post(DEPLOYS, KEY, Content("hello"), thread_ts=None)
    slack.cuts_reactions_short(root)
    assert not (await slack.reactions(root)).complete
    slack.shares(DEPLOYS)
    slack.removes_bot(DEPLOYS)
    state = await slack.channel_state(DEPLOYS)
    assert (state.shared, state.member) == (True, False)
    with pytest.raises(RefusedError):
        await slack.update(root, KEY, Content("bye"))
    await slack.whisper(DEPLOYS, ANN, Content("psst"), thread_ts=None)
    assert slack.whispered[0].direct
