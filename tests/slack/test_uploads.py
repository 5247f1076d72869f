"""Corners of uploading that the contract suite cannot show on a live server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import PermanentError, RefusedError, TemporaryError, UnreachableError, UnreadableError
from bot.domain.ids import ChannelId, MessageKey, UserId
from bot.ports.chat import Content, FileId, Place
from bot.slack.chat import SlackChat
from bot.slack.groups import Groups
from bot.slack.uploads import file_name
from bot.slack.web_api import Identity
from tests.builders import a_picture
from tests.fakes.clock import FakeClock
from tests.slack.scripted_api import Answer, ScriptedApi, fault, ok, scripted

C, FILE = ChannelId("C0DEPLOYS"), FileId("F1")
KEY = MessageKey("api-prod-42/thread/1/step_ended/steps.canary/7")
PICTURE = a_picture()
SEEN = Content("*errors* 6.1 % vs 0.11 %", ({"type": "divider"},), PICTURE)
TAKEN = Answer("OK")


@asynccontextmanager
async def workspace(**answers: Any) -> AsyncIterator[tuple[SlackChat, ScriptedApi]]:
    """A chat over a scripted API, whose method `upload` stands for the host that takes bytes."""
    offer: dict[str, Any] = {"ok": True, "file_id": FILE}
    async with scripted(**{"files_getUploadURLExternal": Answer(offer), "upload": TAKEN, **answers}) as (client, api):
        offer["upload_url"] = f"{client.base_url}upload"
        yield chat(client), api


def chat(client: AsyncWebClient) -> SlackChat:
    """The bot's chat."""
    clock = FakeClock()
    me = Identity("T1", UserId("U0SLUICE"), "B0SLUICE")
    return SlackChat(client, me=me, groups=Groups(client, clock=clock), clock=clock)


def shared(**shares: Any) -> Answer:
    """Slack has completed the upload."""
    return ok(files=[{"id": FILE, "shares": shares}])


def reply(ts: str) -> list[dict[str, str]]:
    """A share in the thread of the release message."""
    return [{"ts": "0.9"}, {"ts": ts, "thread_ts": "1.1"}]


async def test_an_upload_names_the_key_and_says_what_is_seen() -> None:
    """The name is how the message is found again; the alternative text goes with the file."""
    async with workspace() as (slack, api):
        assert await slack.upload(KEY, PICTURE) == FILE
        asked = api.calls["files.getUploadURLExternal"][0]
        assert asked["filename"] == file_name(KEY)
        assert asked["alt_txt"] == PICTURE.alt
        assert int(asked["length"]) > 10_000
        assert len(api.calls["upload"]) == 1


def test_a_file_is_named_after_its_run() -> None:
    """People save it; two messages of one run have two names."""
    assert file_name(KEY).startswith("api-prod-42-")
    assert file_name(KEY).endswith(".png")
    assert file_name(KEY) != file_name(MessageKey(f"{KEY}8"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (fault("missing_scope", needed="files:write"), RefusedError),
        (fault("storage_limit_reached"), PermanentError),
        (fault("file_uploads_disabled"), PermanentError),
        (fault("internal_error"), TemporaryError),
        (Answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "3"}), TemporaryError),
        (ok(file_id=FILE), UnreadableError),
    ],
)
async def test_a_refused_upload_is_told_from_one_that_may_be_tried_again(answer: Answer, kind: type[Exception]) -> None:
    """For good the message goes without; else it waits a little."""
    async with workspace(files_getUploadURLExternal=answer) as (slack, _):
        with pytest.raises(kind):
            await slack.upload(KEY, PICTURE)


@pytest.mark.parametrize(("status", "kind"), [(403, PermanentError), (429, TemporaryError), (503, TemporaryError)])
async def test_the_host_that_takes_bytes_can_refuse(status: int, kind: type[Exception]) -> None:
    """It is another host than the Web API's."""
    async with workspace(upload=Answer("no", status)) as (slack, _):
        with pytest.raises(kind):
            await slack.upload(KEY, PICTURE)


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_a_shared_picture_stands_where_slack_says(kind: str) -> None:
    """In the thread that was asked for, not elsewhere in the channel; long texts go in the body, not in the URL."""
    completed = shared(**{kind: {"C0OTHER": [{"ts": "3.3", "thread_ts": "1.1"}], C: reply("2.2")}})
    async with workspace(files_completeUploadExternal=completed) as (slack, api):
        long = Content("x" * 4000, picture=PICTURE)
        assert await slack.post(C, KEY, long, thread_ts="1.1", picture=FILE) == Place(C, "2.2")
        asked = api.calls["files.completeUploadExternal"][0]
        assert (asked["channel_id"], asked["thread_ts"], asked["initial_comment"]) == (C, "1.1", "x" * 4000)
        assert json.loads(asked["files"]) == [{"id": FILE, "title": PICTURE.title}]
        assert not api.calls["chat.postMessage"]


@pytest.mark.parametrize("answer", [ok(), ok(files=[{"id": FILE}]), shared(), shared(public={C: [{"ts": "0.9"}]})])
async def test_a_picture_that_is_not_shown_yet_is_waited_for(answer: Answer) -> None:
    """Slack answers before it has looked through the file; posting anything now would be once too often."""
    async with workspace(files_completeUploadExternal=answer) as (slack, api):
        with pytest.raises(UnreachableError):
            await slack.post(C, KEY, SEEN, thread_ts="1.1", picture=FILE)
        assert not api.calls["chat.postMessage"]


async def test_a_lost_answer_posts_nothing_else() -> None:
    """Nobody knows whether the picture is shown."""
    async with workspace(files_completeUploadExternal=Answer("half an ans", 502)) as (slack, api):
        with pytest.raises(UnreachableError):
            await slack.post(C, KEY, SEEN, thread_ts="1.1", picture=FILE)
        assert not api.calls["chat.postMessage"]


async def test_a_picture_that_slack_will_not_show_is_left_out() -> None:
    """The message goes as any other, with its blocks and its metadata."""
    refused, posted = fault("file_not_found"), ok(channel=C, ts="2.2")
    async with workspace(files_completeUploadExternal=refused, chat_postMessage=posted) as (slack, api):
        assert await slack.post(C, KEY, SEEN, thread_ts="1.1", picture=FILE) == Place(C, "2.2")
        sent = api.calls["chat.postMessage"][0]
        assert sent["metadata"]["event_payload"] == {"key": KEY}
        assert sent["blocks"] == [{"type": "divider"}]


async def test_a_file_of_somebody_else_is_not_ours() -> None:
    """Anybody may upload a file of that name."""
    files = [{"name": file_name(KEY)}]
    theirs = {"ts": "2.2", "user": "U0BOB", "files": files}
    ours = {"ts": "3.3", "user": "U0SLUICE", "files": [{"mode": "tombstone"}, *files]}
    async with workspace(conversations_replies=[ok(messages=[theirs]), ok(messages=[theirs, ours])]) as (slack, _):
        assert await slack.find(C, KEY, thread_ts="1.1", since_ts=1.0) is None
        assert await slack.find(C, KEY, thread_ts="1.1", since_ts=1.0) == Place(C, "3.3")


async def test_a_client_without_a_session_is_a_fault_of_ours() -> None:
    """The bytes share the pool of all other calls."""
    async with workspace() as (_, api):
        del api
        async with scripted(files_getUploadURLExternal=ok(upload_url="http://127.0.0.1:9/", file_id=FILE)) as (
            other,
            _,
        ):
            bare = AsyncWebClient("xoxb-test", base_url=other.base_url)
            with pytest.raises(RuntimeError, match="session"):
                await chat(bare).upload(KEY, PICTURE)
