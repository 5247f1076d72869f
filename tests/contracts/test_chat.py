"""What every Chat does: the fake, the stand-in, and Slack's Web API."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import ClosedError, NotFoundError, PermanentError, UnreachableError
from bot.domain.ids import ChannelId, MessageKey
from bot.ports.chat import Content, Place
from bot.slack.blocks import Button, actions, content, section
from tests.builders import a_picture
from tests.contracts.workspaces import DEPLOYS_NAME, PROD_NAME, OpenWorkspace, opened

LIVE = MessageKey("api-prod-42/live/1")
REPLY = MessageKey("api-prod-42/thread/1/run_ended/1")
OTHER = MessageKey("api-prod-42/thread/1/run_ended/2")
HELLO = content(section("*Hello*"), actions(Button("Abort", "abort", "abort api-prod-42")))
PICTURE = a_picture()
SEEN = Content("*errors* 0.42 % vs 0.11 %", picture=PICTURE)
NOWHERE = ChannelId("C0NOWHERE")


@pytest.fixture(params=["fake", "sandbox", pytest.param("slack", marks=pytest.mark.real)])
def workspace(request: pytest.FixtureRequest) -> OpenWorkspace:
    """How to open a workspace."""
    return opened(request.param)


async def test_a_channel_is_found_by_name_or_id(workspace: OpenWorkspace) -> None:
    """However somebody wrote it."""
    async with workspace() as w:
        found = [await w.chat.channel_id(name) for name in (f"#{DEPLOYS_NAME}", DEPLOYS_NAME, w.deploys)]
        assert found == [w.deploys] * 3
        with pytest.raises(NotFoundError):
            await w.chat.channel_id("#nowhere")


async def test_a_channel_tells_its_state(workspace: OpenWorkspace) -> None:
    """Open, ours alone, and the bot is in it."""
    async with workspace() as w:
        state = await w.chat.channel_state(w.deploys)
        assert (state.id, state.name) == (w.deploys, DEPLOYS_NAME)
        assert (state.archived, state.shared, state.member) == (False, False, True)
        with pytest.raises(ClosedError):
            await w.chat.channel_state(NOWHERE)


async def test_an_archived_channel_takes_no_messages(workspace: OpenWorkspace) -> None:
    """Its state says so, and a post is refused for good."""
    async with workspace() as w:
        await w.archives(w.prod)
        state = await w.chat.channel_state(w.prod)
        assert (state.name, state.archived) == (PROD_NAME, True)
        with pytest.raises(ClosedError):
            await w.chat.post(w.prod, LIVE, HELLO, thread_ts=None)


async def test_a_channel_that_is_not_seen_is_closed_and_nothing_in_it_was_deleted(workspace: OpenWorkspace) -> None:
    """A private channel that the bot was taken out of looks the same: what stood in it may stand still."""
    async with workspace() as w:
        with pytest.raises(ClosedError):
            await w.chat.post(NOWHERE, LIVE, HELLO, thread_ts=None)
        with pytest.raises(ClosedError):
            await w.chat.reactions(Place(NOWHERE, "1.2"))
        with pytest.raises(ClosedError):
            await w.chat.update(Place(NOWHERE, "1.2"), LIVE, HELLO)


async def test_a_message_is_found_by_its_key(workspace: OpenWorkspace) -> None:
    """After an answer that got lost, this tells whether the post arrived."""
    async with workspace() as w:
        place = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        since = float(place.ts)
        assert place.channel == w.deploys
        assert await w.chat.find(w.deploys, LIVE, thread_ts=None, since_ts=since) == place
        assert await w.chat.find(w.deploys, REPLY, thread_ts=None, since_ts=since) is None
        assert await w.chat.find(w.prod, LIVE, thread_ts=None, since_ts=since) is None


async def test_an_older_message_is_not_looked_for(workspace: OpenWorkspace) -> None:
    """Only what can have come of the last try."""
    async with workspace() as w:
        place = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        later = float(place.ts) + 3600
        assert await w.chat.find(w.deploys, LIVE, thread_ts=None, since_ts=later) is None


async def test_a_reply_is_found_in_its_thread(workspace: OpenWorkspace) -> None:
    """And only there."""
    async with workspace() as w:
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        reply = await w.chat.post(w.deploys, REPLY, Content("done"), thread_ts=root.ts)
        since = float(root.ts)
        assert await w.chat.find(w.deploys, REPLY, thread_ts=root.ts, since_ts=since) == reply
        assert await w.chat.find(w.deploys, REPLY, thread_ts=None, since_ts=since) is None


async def test_a_picture_is_shown_in_its_thread(workspace: OpenWorkspace) -> None:
    """With the text of its message, and found by the message's key like any other."""
    async with workspace() as w:
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        file = await w.chat.upload(REPLY, PICTURE)
        reply = await w.chat.post(w.deploys, REPLY, SEEN, thread_ts=root.ts, picture=file)
        since = float(root.ts)
        assert await w.pictures(reply, root.ts) == [PICTURE.title]
        assert await w.text(reply, root.ts) == SEEN.text
        assert await w.chat.find(w.deploys, REPLY, thread_ts=root.ts, since_ts=since) == reply
        assert await w.chat.find(w.deploys, OTHER, thread_ts=root.ts, since_ts=since) is None


async def test_an_upload_alone_is_seen_by_nobody(workspace: OpenWorkspace) -> None:
    """Only a post shows it, so a second upload does no harm."""
    async with workspace() as w:
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        first, second = await w.chat.upload(REPLY, PICTURE), await w.chat.upload(REPLY, PICTURE)
        assert first != second
        assert await w.chat.find(w.deploys, REPLY, thread_ts=root.ts, since_ts=float(root.ts)) is None
        reply = await w.chat.post(w.deploys, REPLY, SEEN, thread_ts=root.ts, picture=second)
        assert await w.pictures(reply, root.ts) == [PICTURE.title]


async def test_two_pictures_in_a_thread_are_told_apart(workspace: OpenWorkspace) -> None:
    """Each by its own key."""
    async with workspace() as w:
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        places = []
        for key in (REPLY, OTHER):
            file = await w.chat.upload(key, PICTURE)
            places.append(await w.chat.post(w.deploys, key, SEEN, thread_ts=root.ts, picture=file))
        found = [await w.chat.find(w.deploys, k, thread_ts=root.ts, since_ts=float(root.ts)) for k in (REPLY, OTHER)]
        assert found == places


async def test_a_picture_is_shown_in_the_channel(workspace: OpenWorkspace) -> None:
    """Where a message has no thread."""
    async with workspace() as w:
        file = await w.chat.upload(LIVE, PICTURE)
        place = await w.chat.post(w.deploys, LIVE, SEEN, thread_ts=None, picture=file)
        assert await w.chat.find(w.deploys, LIVE, thread_ts=None, since_ts=float(place.ts)) == place


async def test_a_message_with_a_picture_can_still_be_edited(workspace: OpenWorkspace) -> None:
    """Its words; the picture stays."""
    async with workspace() as w:
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        file = await w.chat.upload(REPLY, PICTURE)
        reply = await w.chat.post(w.deploys, REPLY, SEEN, thread_ts=root.ts, picture=file)
        await w.chat.update(reply, REPLY, replace(SEEN, text="over"))
        assert await w.text(reply, root.ts) == "over"
        assert await w.pictures(reply, root.ts) == [PICTURE.title]


async def test_where_no_files_are_taken_it_says_so(workspace: OpenWorkspace) -> None:
    """For good, so that the message goes without its picture."""
    async with workspace() as w:
        await w.takes_no_files()
        with pytest.raises(PermanentError):
            await w.chat.upload(REPLY, PICTURE)


async def test_where_no_files_are_shown_the_message_goes_without(workspace: OpenWorkspace) -> None:
    """A picture never costs the message."""
    async with workspace() as w:
        await w.shows_no_files()
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        file = await w.chat.upload(REPLY, PICTURE)
        reply = await w.chat.post(w.deploys, REPLY, SEEN, thread_ts=root.ts, picture=file)
        assert await w.pictures(reply, root.ts) == []
        assert await w.text(reply, root.ts) == SEEN.text
        assert await w.chat.find(w.deploys, REPLY, thread_ts=root.ts, since_ts=float(root.ts)) == reply


async def test_an_edit_keeps_place_and_key(workspace: OpenWorkspace) -> None:
    """The same message says something new; doing it again changes nothing."""
    async with workspace() as w:
        place = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        for said in (Content("over"), Content("over"), HELLO):
            await w.chat.update(place, LIVE, said)
        assert await w.chat.find(w.deploys, LIVE, thread_ts=None, since_ts=float(place.ts)) == place


async def test_a_message_that_is_gone_is_not_found(workspace: OpenWorkspace) -> None:
    """A deleted ballot can neither be edited, nor voted on, nor counted."""
    async with workspace() as w:
        place = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        await w.deletes(place)
        with pytest.raises(NotFoundError):
            await w.chat.update(place, LIVE, HELLO)
        with pytest.raises(NotFoundError):
            await w.chat.react(place, "x")
        with pytest.raises(NotFoundError):
            await w.chat.reactions(place)
        assert await w.chat.find(w.deploys, LIVE, thread_ts=None, since_ts=float(place.ts)) is None


async def test_reactions_are_read_in_full(workspace: OpenWorkspace) -> None:
    """The bot's seeds and everybody's votes, in the order in which they came."""
    async with workspace() as w:
        first, second, _ = w.approvers
        place = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        await w.chat.react(place, "white_check_mark")
        await w.chat.react(place, "white_check_mark")
        await w.reacts(second, place, "white_check_mark")
        await w.reacts(first, place, "white_check_mark")
        await w.reacts(first, place, "x")
        found = await w.chat.reactions(place)
        assert found.complete
        assert found.users("white_check_mark") == (w.bot, second, first)
        assert found.users("x") == (first,)
        assert found.users("eyes") == ()


async def test_a_reaction_that_was_taken_back_is_gone(workspace: OpenWorkspace) -> None:
    """A vote can be withdrawn."""
    async with workspace() as w:
        voter = w.approvers[0]
        place = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        await w.reacts(voter, place, "x")
        await w.takes_back(voter, place, "x")
        assert (await w.chat.reactions(place)).users("x") == ()


async def test_a_whisper_reaches_one_person(workspace: OpenWorkspace) -> None:
    """In the channel, in a thread of it, or directly where there is no such channel; never as a message of it."""
    async with workspace() as w:
        root = await w.chat.post(w.deploys, LIVE, HELLO, thread_ts=None)
        for channel, thread_ts in ((w.deploys, None), (w.deploys, root.ts), (NOWHERE, None)):
            await w.chat.whisper(channel, w.approvers[0], HELLO, thread_ts=thread_ts)
        assert await w.chat.find(w.deploys, LIVE, thread_ts=None, since_ts=float(root.ts)) == root


async def test_a_limit_is_told_with_its_wish(workspace: OpenWorkspace) -> None:
    """Whoever asked knows when to come again, and nothing was done."""
    async with workspace() as w:
        await w.busy_once(timedelta(seconds=7))
        with pytest.raises(UnreachableError) as raised:
            await w.chat.reactions(Place(w.deploys, "1.2"))
        assert raised.value.retry_after == timedelta(seconds=7)
