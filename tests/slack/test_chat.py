"""Corners of SlackChat that the contract suite cannot show on a live server."""

import json
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import ClosedError, NotFoundError, RefusedError, UnreachableError, UnreadableError
from bot.domain.ids import ChannelId, MessageKey, UserId
from bot.ports.chat import Content, Place, Reactions
from bot.slack.blocks import content, section
from bot.slack.chat import SlackChat
from bot.slack.groups import Groups
from bot.slack.mrkdwn import group_mention
from bot.slack.web_api import Identity
from tests.fakes.clock import FakeClock
from tests.slack.samples import ANN, BOB
from tests.slack.scripted_api import Answer, fault, ok, scripted

ME = Identity("T1", UserId("U0SLUICE"), "B0SLUICE")
C = ChannelId("C0DEPLOYS")
HERE = Place(C, "1.2")
KEY = MessageKey("api-prod-42/live/1")


def chat(client: AsyncWebClient, clock: FakeClock | None = None) -> SlackChat:
    """The chat over a scripted API."""
    clock = clock or FakeClock()
    return SlackChat(client, me=ME, groups=Groups(client, clock=clock), clock=clock)


def message(ts: str, *, key: str = KEY, bot_id: str = "B0SLUICE", kind: str = "sluice_message") -> dict[str, Any]:
    """A message in the history."""
    return {"ts": ts, "bot_id": bot_id, "metadata": {"event_type": kind, "event_payload": {"key": key}}}


def page(*messages: dict[str, Any], cursor: str = "") -> Answer:
    """One page of a history."""
    return ok(messages=list(messages), response_metadata={"next_cursor": cursor})


async def read(*reactions: dict[str, Any], **more: Any) -> Reactions:
    """What the chat makes of Slack's list."""
    async with scripted(reactions_get=ok(message={"reactions": list(reactions), **more})) as (client, api):
        found = await chat(client).reactions(HERE)
        assert api.calls["reactions.get"][0]["full"] == "1"
        return found


async def test_skin_tones_are_one_emoji() -> None:
    """One person with two hands is one voter, in the order of the list."""
    found = await read(
        {"name": "white_check_mark", "users": [BOB], "count": 1},
        {"name": "x", "users": [], "count": 0},
        {"name": "white_check_mark::skin-tone-3", "users": [ANN, BOB], "count": 2},
    )
    assert found.users("white_check_mark") == (BOB, ANN)
    assert found.complete


async def test_a_list_that_is_cut_short_is_not_complete() -> None:
    """Slack says three and names two: nobody may be counted."""
    assert not (await read({"name": "x", "users": [ANN, BOB], "count": 3})).complete


async def test_a_list_without_its_count_is_not_complete() -> None:
    """Unknown is not enough."""
    assert not (await read({"name": "x", "users": [ANN]})).complete


async def test_a_tombstone_is_a_deleted_message() -> None:
    """A ballot with a thread leaves one behind."""
    with pytest.raises(NotFoundError):
        await read(subtype="tombstone")


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (ok(channel={"id": C, "name": "deploys", "is_member": True}), NotFoundError),
        (ok(channel={"id": C, "name": "deploys", "is_member": False}), ClosedError),
        (fault("channel_not_found"), ClosedError),
    ],
    ids=["member", "taken out", "hidden"],
)
async def test_a_message_was_deleted_only_where_the_bot_can_see(seen: Answer, kind: type[Exception]) -> None:
    """Slack says `message_not_found` also of a channel that it hides: then nobody knows, and no ballot is void."""
    gone = fault("message_not_found")
    async with scripted(reactions_get=gone, chat_update=gone, conversations_info=seen) as (client, _):
        with pytest.raises(kind):
            await chat(client).reactions(HERE)
        with pytest.raises(kind):
            await chat(client).update(HERE, KEY, Content("new"))


async def test_reactions_that_cannot_be_read_are_not_none() -> None:
    """No list is not an empty list of votes."""
    async with scripted(reactions_get=ok(message={"reactions": "?"})) as (client, _):
        with pytest.raises(UnreadableError):
            await chat(client).reactions(HERE)


async def test_a_lost_message_is_found_on_a_later_page() -> None:
    """However much was said since."""
    pages = [page(message("3.0", key="other"), cursor="next"), page(message("2.0"))]
    async with scripted(conversations_history=pages) as (client, api):
        assert await chat(client).find(C, KEY, thread_ts=None, since_ts=1.5) == Place(C, "2.0")
        asked = api.calls["conversations.history"]
    assert (asked[0]["oldest"], asked[0]["include_all_metadata"]) == ("1.500000", "1")
    assert asked[1]["cursor"] == "next"


async def test_somebody_elses_message_with_our_key_is_not_ours() -> None:
    """Metadata can be written by anybody: the author decides."""
    forged, other = message("2.0", bot_id="B0EVIL"), message("2.1", kind="other_app")
    async with scripted(conversations_history=page(forged, other, {"ts": "2.2"})) as (client, _):
        assert await chat(client).find(C, KEY, thread_ts=None, since_ts=1) is None


async def test_a_history_without_end_is_not_an_empty_one() -> None:
    """Not having found it is no proof that it is not there."""
    async with scripted(conversations_history=page(cursor="again")) as (client, _):
        with pytest.raises(UnreachableError, match="does not end"):
            await chat(client).find(C, KEY, thread_ts=None, since_ts=1)


async def test_a_reaction_that_is_there_already_is_fine() -> None:
    """Seeding may be repeated."""
    async with scripted(reactions_add=fault("already_reacted")) as (client, api):
        await chat(client).react(HERE, "x")
        assert len(api.calls["reactions.add"]) == 1


async def test_a_reaction_that_is_refused_is_told() -> None:
    """And with what is wrong."""
    async with scripted(reactions_add=fault("too_many_emoji")) as (client, _):
        with pytest.raises(RefusedError, match="too many reactions"):
            await chat(client).react(HERE, "x")


async def test_an_edit_without_blocks_removes_them() -> None:
    """Slack keeps the old blocks unless it is told to drop them."""
    async with scripted(chat_update=ok()) as (client, api):
        await chat(client).update(HERE, KEY, Content("new"))
        assert api.calls["chat.update"][0]["blocks"] == []


async def test_a_whisper_becomes_a_direct_message_where_the_bot_is_not() -> None:
    """Commands work in any channel; their answers must too."""
    answers = {"chat_postEphemeral": fault("not_in_channel"), "conversations_open": ok(channel={"id": "D1"})}
    async with scripted(**answers, chat_postMessage=ok()) as (client, api):
        await chat(client).whisper(C, ANN, Content("psst"), thread_ts=None)
        assert api.calls["chat.postMessage"][0]["channel"] == "D1"


async def test_nothing_is_whispered_to_a_terminal() -> None:
    """That is not a Slack user."""
    async with scripted() as (client, _):
        with pytest.raises(RefusedError, match="terminal:ann is not a Slack user"):
            await chat(client).whisper(C, UserId("terminal:ann"), Content("psst"), thread_ts=None)


async def test_a_group_is_mentioned_by_its_id() -> None:
    """Only that notifies its members."""
    groups = ok(usergroups=[{"id": "S1", "handle": "Release-Approvers"}])
    async with scripted(usergroups_list=groups, chat_postMessage=ok(channel=C, ts="1.2")) as (client, api):
        said = content(section(f"{group_mention('@release-approvers')} vote"))
        await chat(client).post(C, KEY, said, thread_ts=None)
        sent = api.calls["chat.postMessage"][0]
    assert sent["text"] == "<!subteam^S1> vote"
    assert "<!subteam^S1> vote" in json.dumps(sent["blocks"])


async def test_a_group_that_is_not_there_is_named() -> None:
    """A message is not lost for a mention."""
    async with scripted(usergroups_list=ok(usergroups=[]), chat_postMessage=ok(channel=C, ts="1.2")) as (client, api):
        await chat(client).post(C, KEY, Content(f"{group_mention('@ops')} vote"), thread_ts=None)
        assert api.calls["chat.postMessage"][0]["text"] == "@ops vote"


def channels(*names: str, cursor: str = "") -> Answer:
    """A page of channels."""
    listed = [{"id": f"C{name.upper()}", "name": name} for name in names]
    return ok(channels=listed, response_metadata={"next_cursor": cursor})


async def test_channels_are_listed_once_and_again_for_a_new_name() -> None:
    """A channel that was just made is found, but a wrong name does not use the budget up."""
    clock = FakeClock()
    pages = [channels("deploys", cursor="more"), channels("prod"), channels("prod", "new")]
    async with scripted(conversations_list=pages) as (client, api):
        slack = chat(client, clock)
        assert await slack.channel_id("#prod") == "CPROD"
        with pytest.raises(NotFoundError, match="/invite @sluice"):
            await slack.channel_id("#new")
        clock.advance(timedelta(seconds=31))
        assert await slack.channel_id("new") == "CNEW"
        assert len(api.calls["conversations.list"]) == 3


def channel(name: str, **more: Any) -> Answer:
    """What Slack says of one channel."""
    return ok(channel={"id": "COLD", "name": name, "is_member": True, **more})


@pytest.mark.parametrize(
    "seen", [channel("renamed"), channel("deploys", is_archived=True), fault("channel_not_found")], ids=str
)
async def test_a_name_that_passed_to_another_channel_means_that_one(seen: Answer) -> None:
    """The former channel was renamed, archived or deleted; the next message goes where people are now."""
    clock = FakeClock()
    lists = [ok(channels=[{"id": id_, "name": "deploys"}]) for id_ in ("COLD", "CNEW")]
    async with scripted(conversations_list=lists, conversations_info=seen) as (client, _):
        slack = chat(client, clock)
        assert await slack.channel_id("#deploys") == "COLD"
        clock.advance(timedelta(minutes=2))
        assert await slack.channel_id("#deploys") == "CNEW"


async def test_a_name_that_means_what_it_meant_is_not_listed_again() -> None:
    """One look at the channel is enough, and none within a minute."""
    clock = FakeClock()
    lists = ok(channels=[{"id": "COLD", "name": "deploys"}])
    async with scripted(conversations_list=lists, conversations_info=channel("deploys")) as (client, api):
        slack = chat(client, clock)
        for _ in range(4):
            assert await slack.channel_id("#deploys") == "COLD"
            clock.advance(timedelta(seconds=40))
    assert (len(api.calls["conversations.list"]), len(api.calls["conversations.info"])) == (1, 1)


async def test_a_channel_that_refused_a_message_is_looked_at_before_the_next() -> None:
    """Archived a moment ago, and its name given to another."""
    lists = [ok(channels=[{"id": id_, "name": "deploys"}]) for id_ in ("COLD", "CNEW")]
    archived = channel("deploys", is_archived=True)
    async with scripted(
        conversations_list=lists, conversations_info=archived, chat_postMessage=fault("is_archived")
    ) as (client, _):
        slack = chat(client)
        with pytest.raises(ClosedError):
            await slack.post(await slack.channel_id("#deploys"), KEY, Content("x"), thread_ts=None)
        assert await slack.channel_id("#deploys") == "CNEW"


async def test_a_channel_of_two_workspaces_is_shared() -> None:
    """People of others may react there."""
    seen = {"id": C, "name": "deploys", "is_ext_shared": True, "is_member": True}
    async with scripted(conversations_info=ok(channel=seen)) as (client, _):
        state = await chat(client).channel_state(C)
    assert (state.shared, state.archived, state.member) == (True, False, True)


async def test_the_state_of_another_channel_is_no_answer() -> None:
    """Nothing is decided on a misunderstanding."""
    async with scripted(conversations_info=ok(channel={"id": "C9"})) as (client, _):
        with pytest.raises(UnreadableError):
            await chat(client).channel_state(C)
