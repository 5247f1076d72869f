"""Slack's faults become ours, and no call is repeated behind our back."""

from datetime import timedelta

import pytest

from bot.domain.errors import (
    ClosedError,
    NotFoundError,
    PermanentError,
    RefusedError,
    SluiceError,
    UneditableError,
    UnreachableError,
    UnreadableError,
)
from bot.slack.web_api import calling, identify, open_client
from tests.slack.scripted_api import Answer, fault, ok, scripted


async def posting(answer: Answer) -> SluiceError:
    """What a post raises upon an answer."""
    async with scripted(chat_postMessage=answer) as (client, api):
        with pytest.raises(SluiceError) as raised:
            async with calling("post in C0DEPLOYS"):
                await client.chat_postMessage(channel="C0DEPLOYS", text="hello")
        assert len(api.calls["chat.postMessage"]) == 1
        return raised.value


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            fault("channel_not_found"),
            ClosedError,
            "Slack would not post in C0DEPLOYS: the bot sees no such channel; if it is private, invite the bot: "
            "/invite @sluice",
        ),
        (
            fault("edit_window_closed"),
            UneditableError,
            "Slack would not post in C0DEPLOYS: the message is too old to be edited in this workspace",
        ),
        (fault("thread_not_found"), NotFoundError, "Slack could not post in C0DEPLOYS: thread_not_found"),
        (
            fault("not_in_channel"),
            ClosedError,
            "Slack would not post in C0DEPLOYS: the bot is not in the channel; invite it: /invite @sluice",
        ),
        (
            fault("missing_scope", needed="chat:write"),
            RefusedError,
            "Slack would not post in C0DEPLOYS: add the scope chat:write to the app and install it again",
        ),
        (
            fault("invalid_auth"),
            RefusedError,
            "Slack would not post in C0DEPLOYS: the bot's token is wrong: check SLACK_BOT_TOKEN",
        ),
        (fault("invalid_blocks"), PermanentError, "Slack would not post in C0DEPLOYS: invalid_blocks"),
        (fault("internal_error"), UnreachableError, "Slack could not post in C0DEPLOYS now (internal_error)"),
        (Answer("<html>", status=502), UnreachableError, "Slack could not post in C0DEPLOYS now (502)"),
        (Answer("<html>"), UnreachableError, "Slack's answer could not be read when asked to post in C0DEPLOYS"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
async def test_a_fault_says_what_was_tried_and_what_to_do(answer: Answer, kind: type[SluiceError], said: str) -> None:
    """Temporary faults are told from final ones, and each has its fix beside it."""
    error = await posting(answer)
    assert type(error) is kind
    assert str(error) == said


async def test_a_limit_says_when_to_come_back() -> None:
    """Slack's own wish is kept."""
    error = await posting(Answer({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "7"}))
    assert isinstance(error, UnreachableError)
    assert error.retry_after == timedelta(seconds=7)


async def test_nobody_there_is_unreachable() -> None:
    """A refused connection is a wait, and is not tried again by the SDK."""
    async with open_client("xoxb-test", base_url="http://127.0.0.1:9/api/") as client:
        with pytest.raises(UnreachableError, match="Slack did not answer when asked to post"):
            async with calling("post"):
                await client.chat_postMessage(channel="C0DEPLOYS", text="hello")


async def test_a_call_has_a_deadline() -> None:
    """A server that takes the connection and says nothing holds nobody up."""
    with pytest.raises(UnreachableError, match="Slack did not answer when asked to wait"):
        async with calling("wait", deadline_s=0):
            raise TimeoutError


async def test_we_learn_who_we_are_once() -> None:
    """The team decides who is an outsider, the bot's ids which messages are ours."""
    async with scripted(auth_test=ok(team_id="T1", user_id="U0SLUICE", bot_id="B0SLUICE")) as (client, _):
        me = await identify(client)
    assert (me.team_id, me.user, me.bot_id) == ("T1", "U0SLUICE", "B0SLUICE")


async def test_an_answer_without_what_it_must_hold_is_unreadable() -> None:
    """Nothing is guessed."""
    async with scripted(auth_test=ok(user_id="U0SLUICE")) as (client, _):
        with pytest.raises(UnreadableError, match="Slack's answer has no team_id"):
            await identify(client)
