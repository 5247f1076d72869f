"""Messages, threads, channels and reactions through the Web API."""

import pytest

from bot.domain.ids import ChannelId
from bot.ports.chat import Place
from bot.sandbox.slack.acme import Acme, Channel
from bot.sandbox.slack.stand_in import SlackStandIn
from tests.fakes.clock import FakeClock
from tests.sandbox.slack.callers import DEPLOYS, caller

LINE = {"type": "section", "text": {"type": "mrkdwn", "text": "a line"}}


async def test_a_ts_is_never_given_twice() -> None:
    """Even while the clock stands still."""
    async with caller() as c:
        stamps = [await c.post() for _ in range(50)]
        assert stamps == sorted(set(stamps))


async def test_history_is_newest_first_and_without_replies() -> None:
    """Within the bounds that were asked for."""
    async with caller() as c:
        first, second, third = [await c.post(text) for text in ("one", "two", "three")]
        await c.post("a reply", thread_ts=second)
        assert await c.texts() == ["three", "two", "one"]
        assert await c.texts(oldest=first, latest=third) == ["two"]
        assert await c.texts(oldest=first, latest=third, inclusive=True) == ["three", "two", "one"]


async def test_history_comes_in_pages_though_messages_go() -> None:
    """The next page begins at the right place even if what it began with was deleted."""
    async with caller() as c:
        stamps = [await c.post(str(number)) for number in range(5)]
        body = await c.call("conversations.history", channel=DEPLOYS, limit=2)
        await c.call("chat.delete", channel=DEPLOYS, ts=stamps[2])
        cursor = body["response_metadata"]["next_cursor"]
        assert (body["has_more"], await c.texts(limit=2, cursor=cursor)) == (True, ["1", "0"])


async def test_a_thread_is_oldest_first_with_what_it_answers() -> None:
    """Asked for by any message in it; a reply to a reply is in the same thread."""
    async with caller() as c:
        root = await c.post("root")
        reply = await c.post("reply", thread_ts=root)
        await c.post("again", thread_ts=reply)
        for ts in (root, reply):
            body = await c.call("conversations.replies", channel=DEPLOYS, ts=ts)
            assert [message["text"] for message in body["messages"]] == ["root", "reply", "again"]
        assert body["messages"][0]["reply_count"] == 2
        assert await c.error("conversations.replies", channel=DEPLOYS, ts="1.000000") == "thread_not_found"


async def test_metadata_is_shown_where_it_is_asked_for() -> None:
    """It finds a message again after a lost answer."""
    async with caller() as c:
        metadata = {"event_type": "sluice_message", "event_payload": {"key": "k"}}
        await c.post(metadata=metadata)
        for asked, expected in ({}, None), ({"include_all_metadata": True}, metadata):
            body = await c.call("conversations.history", channel=DEPLOYS, **asked)
            assert body["messages"][0].get("metadata") == expected
        bad = {"event_type": "", "event_payload": {}}
        assert await c.error("chat.postMessage", channel=DEPLOYS, text="hi", metadata=bad) == "invalid_metadata_schema"


async def test_an_edit_keeps_what_it_does_not_name() -> None:
    """An empty list of blocks takes them away."""
    async with caller() as c:
        ts = await c.post(blocks=[LINE])
        kept = await c.call("chat.update", channel=DEPLOYS, ts=ts, text="other words")
        gone = await c.call("chat.update", channel=DEPLOYS, ts=ts, text="other words", blocks=[])
        assert kept["message"]["blocks"] == [LINE | {"block_id": "b0"}]
        assert "blocks" not in gone["message"]
        assert gone["message"]["edited"]["user"] == "U0SLUICE"


async def test_only_ones_own_messages_are_edited_and_deleted() -> None:
    """The app does not speak for people."""
    async with caller() as c:
        ts = (await c.slack.people.says("ann", "deploys", "mine")).ts
        asked = {"channel": DEPLOYS, "ts": ts}
        assert await c.error("chat.update", text="yours", **asked) == "cant_update_message"
        assert await c.error("chat.delete", **asked) == "cant_delete_message"
        assert await c.error("chat.delete", token="xoxp-ann", **asked) == "ok"
        assert await c.error("chat.delete", token="xoxp-ann", **asked) == "message_not_found"


@pytest.mark.parametrize(
    ("method", "asked", "error"),
    [
        ("chat.postMessage", {"text": ""}, "no_text"),
        ("chat.postMessage", {"text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"text": "hi", "thread_ts": "yesterday"}, "invalid_thread_ts"),
        ("chat.postMessage", {"text": "hi", "blocks": "[{"}, "invalid_blocks_format"),
        ("chat.update", {"ts": "1.000000", "text": "hi"}, "message_not_found"),
        ("chat.postEphemeral", {"user": "U0NOBODY", "text": "hi"}, "user_not_found"),
        ("chat.postEphemeral", {"user": "U0FRANK", "text": "hi"}, "user_not_in_channel"),
        ("reactions.add", {"timestamp": "1.000000", "name": "eyes"}, "message_not_found"),
        ("chat.getPermalink", {"message_ts": "1.000000"}, "message_not_found"),
    ],
)
async def test_a_message_that_cannot_be_is_refused(method: str, asked: dict[str, str], error: str) -> None:
    """By Slack's name for it."""
    async with caller() as c:
        assert await c.error(method, channel=DEPLOYS, **asked) == error


async def test_an_edited_text_is_shorter_than_a_posted_one() -> None:
    """Slack's two limits differ."""
    async with caller() as c:
        ts = await c.post("x" * 4_001)
        assert await c.error("chat.update", channel=DEPLOYS, ts=ts, text="x" * 4_001) == "msg_too_long"


async def test_something_ephemeral_is_seen_by_one_person_and_no_history() -> None:
    """Nor can it be edited or reacted to."""
    async with caller() as c:
        ts = (await c.call("chat.postEphemeral", channel=DEPLOYS, user="U0ANN", text="psst"))["message_ts"]
        assert await c.texts() == []
        assert await c.error("chat.update", channel=DEPLOYS, ts=ts, text="hi") == "message_not_found"
        seen = [c.slack.snapshot(who)["channels"][0]["messages"] for who in ("ann", "bob")]
        assert [len(messages) for messages in seen] == [1, 0]


async def test_a_conversation_of_two_is_theirs_alone() -> None:
    """The same one each time, also when a message is posted to the person."""
    async with caller() as c:
        room = (await c.call("conversations.open", users="U0ANN"))["channel"]["id"]
        posted = await c.call("chat.postMessage", channel="U0ANN", text="just you")
        assert posted["channel"] == room
        assert room in {channel["id"] for channel in c.slack.snapshot("ann")["channels"]}
        assert room not in {channel["id"] for channel in c.slack.snapshot("bob")["channels"]}


async def test_a_channel_without_the_bot_is_closed_to_it() -> None:
    """A public one is seen; a private one looks as if it never was."""
    acme = Acme(
        channels=(Channel("C0OPEN", "open", members=frozenset({"U0ANN"})), Channel("G0OPS", "ops", is_private=True))
    )
    async with caller(acme) as c:
        c.slack.admins.removes_bot("ops")
        assert await c.error("chat.postMessage", channel="C0OPEN", text="hi") == "not_in_channel"
        assert await c.error("chat.postMessage", channel="G0OPS", text="hi") == "channel_not_found"
        listed = await c.call("conversations.list", types="public_channel,private_channel")
        assert [(row["name"], row["is_member"]) for row in listed["channels"]] == [("open", False)]


async def test_an_archived_channel_is_read_only() -> None:
    """Until it is opened again."""
    async with caller() as c:
        ts = await c.post()
        assert await c.error("conversations.archive", token="xoxp-ann", channel=DEPLOYS) == "ok"
        assert await c.error("conversations.archive", token="xoxp-ann", channel=DEPLOYS) == "already_archived"
        tried = [("chat.postMessage", {"text": "hi"}), ("chat.update", {"ts": ts, "text": "hi"})]
        tried += [("reactions.add", {"timestamp": ts, "name": "eyes"})]
        assert [await c.error(method, channel=DEPLOYS, **asked) for method, asked in tried] == ["is_archived"] * 3
        listed = await c.call("conversations.list", exclude_archived=True)
        assert [row["name"] for row in listed["channels"]] == ["prod"]
        assert await c.error("conversations.unarchive", token="xoxp-ann", channel=DEPLOYS) == "ok"


async def test_reactions_are_given_once_and_taken_back_once() -> None:
    """By each person for themselves, in the order in which they came."""
    async with caller() as c:
        ts = await c.post()
        asked = {"channel": DEPLOYS, "timestamp": ts, "name": "eyes"}
        assert [await c.error("reactions.add", **asked) for _ in range(2)] == ["ok", "already_reacted"]
        await c.call("reactions.add", token="xoxp-bob", **asked)
        message = (await c.call("reactions.get", channel=DEPLOYS, timestamp=ts, full=True))["message"]
        assert message["reactions"] == [{"name": "eyes", "users": ["U0SLUICE", "U0BOB"], "count": 2}]
        assert [await c.error("reactions.remove", **asked) for _ in range(2)] == ["ok", "no_reaction"]
        assert await c.error("reactions.add", **asked | {"name": "no such"}) == "invalid_name"


async def test_a_deleted_message_with_replies_becomes_a_tombstone() -> None:
    """Its replies stand, and it can neither be edited nor reacted to."""
    async with caller() as c:
        ts = await c.post("root")
        await c.post("reply", thread_ts=ts)
        await c.slack.people.deletes("ann", Place(ChannelId(DEPLOYS), ts))
        thread = (await c.call("conversations.replies", channel=DEPLOYS, ts=ts))["messages"]
        assert [(message.get("subtype"), message["text"]) for message in thread] == [
            ("tombstone", "This message was deleted."),
            (None, "reply"),
        ]
        assert await c.error("chat.update", channel=DEPLOYS, ts=ts, text="hi") == "message_not_found"


async def test_a_permalink_leads_to_the_message() -> None:
    """As people know them."""
    async with caller() as c:
        ts = await c.post()
        link = (await c.call("chat.getPermalink", channel=DEPLOYS, message_ts=ts))["permalink"]
        assert link == f"https://acme.slack.com/archives/{DEPLOYS}/p{ts.replace('.', '')}"


async def test_the_oldest_messages_drop_out() -> None:
    """A workspace in memory does not grow for ever."""
    slack = SlackStandIn(FakeClock())
    for number in range(3_100):
        await slack.people.says("ann", "deploys", str(number))
    messages = slack.snapshot("ann")["channels"][0]["messages"]
    assert (len(messages), messages[0]["text"], messages[-1]["text"]) == (3_000, "100", "3099")
