"""What the app is sent, and what happens when it does not answer."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from aiohttp import web

from bot.domain.ids import ChannelId
from bot.ports.chat import Place
from bot.sandbox.loopback import listening
from bot.sandbox.slack.stand_in import SlackStandIn, Timing
from tests.fakes.clock import FakeClock
from tests.sandbox.slack.apps import SECRET, Request, ScriptedApp, said, scripted, status

TOKEN = {"Authorization": "Bearer xoxb-sandbox"}
SOON = timedelta(milliseconds=50)


class Waits:
    """A sleeper that does not sleep: it notes how long it would have."""

    def __init__(self) -> None:
        self.waits: list[timedelta] = []
        self.is_over = asyncio.Event()

    async def __call__(self, wait: timedelta) -> None:
        """See `Sleep`."""
        self.waits.append(wait)
        if len(self.waits) == 2:
            self.is_over.set()


async def never(_request: Request) -> web.Response:
    """No answer in time."""
    await asyncio.Event().wait()
    raise AssertionError("nobody ends this wait")


async def test_everything_is_signed() -> None:
    """A command, an event, a click and a form alike."""
    async with scripted() as (slack, app, _):
        await slack.people.says("ann", "deploys", "/deploy api x prod")
        await slack.people.says("ann", "deploys", "hi")
        await slack.delivered()
        assert (len(app.requests), app.unsigned) == (2, 0)


async def test_an_event_tells_what_happened_and_to_whom_it_goes() -> None:
    """In Slack's envelope, with an id of its own."""
    async with scripted() as (slack, app, clock):
        shown = await slack.people.says("ann", "deploys", "hello @sluice")
        await slack.delivered()
        (message,), (mention,) = app.events("message"), app.events("app_mention")
        assert (message["text"], message["user"], message["ts"]) == ("hello <@U0SLUICE>", "U0ANN", shown.ts)
        assert (message["channel"], message["channel_type"]) == ("C0DEPLOYS", "channel")
        assert (mention["text"], mention["ts"]) == (message["text"], message["ts"])
        envelopes = [request.body for request in app.requests]
        assert {(body["type"], body["team_id"], body["api_app_id"]) for body in envelopes} == {
            ("event_callback", "T0ACME", "A0SLUICE")
        }
        assert len({body["event_id"] for body in envelopes}) == 2
        assert envelopes[0]["event_time"] == int(clock.now().timestamp())


async def test_an_event_is_sent_again_until_it_is_acknowledged() -> None:
    """At once, after a minute, after five; each time with its number and the same id."""
    waits = Waits()
    async with scripted(Timing(sleep=waits)) as (slack, app, _):
        app.answers += [status(500), status(503), status(500), status(200)]
        await slack.people.says("ann", "deploys", "hi")
        async with asyncio.timeout(5):
            await waits.is_over.wait()
        await slack.delivered()
    assert waits.waits == [timedelta(minutes=1), timedelta(minutes=5)]
    assert [request.headers.get("x-slack-retry-num") for request in app.requests] == [None, "1", "2", "3"]
    assert {request.headers.get("x-slack-retry-reason") for request in app.requests} == {None, "http_error"}
    assert len({request.body["event_id"] for request in app.requests}) == 1


async def test_an_event_without_an_answer_counts_as_not_acknowledged() -> None:
    """After three seconds; here after fewer."""
    async with scripted(Timing(within=SOON)) as (slack, app, _):
        app.answers.append(never)
        await slack.people.says("ann", "deploys", "hi")
        await slack.delivered()
        assert [request.headers.get("x-slack-retry-reason") for request in app.requests] == [None, "http_timeout"]


async def test_an_app_may_decline_to_be_asked_again() -> None:
    """By a header."""
    async with scripted() as (slack, app, _):
        app.answers.append(status(500, **{"X-Slack-No-Retry": "1"}))
        await slack.people.says("ann", "deploys", "hi")
        await slack.delivered()
        assert len(app.requests) == 1


async def test_an_app_that_comes_back_gets_what_it_missed() -> None:
    """Its address can be set at any time: an event is sent there at its next try; a command fails at once."""
    back: list[str | None] = []

    async def sleep(_wait: timedelta) -> None:
        slack.request_url = back.pop()

    async with scripted(Timing(sleep=sleep)) as (slack, app, _):
        back.append(slack.request_url)
        slack.request_url = None
        shown = await slack.people.says("ann", "deploys", "/deploy api x prod")
        assert (shown.error, shown.text) == ("dispatch_failed", '/deploy failed with the error "dispatch_failed"')
        await slack.people.says("ann", "deploys", "hi")
        while not app.requests:
            await slack.delivered()
            await asyncio.sleep(0)  # the event goes on after its wait
        assert [(request.event["text"], request.headers["x-slack-retry-num"]) for request in app.requests] == [
            ("hi", "2")
        ]


async def test_what_the_app_has_not_subscribed_to_is_not_sent() -> None:
    """Direct messages, say."""
    async with scripted() as (slack, app, _):
        slack.workspace.direct("U0ANN", "U0SLUICE")
        room = slack.snapshot("ann")["channels"][-1]["id"]
        assert (await slack.people.says("ann", room, "hi")).acknowledged
        await slack.delivered()
        assert app.requests == []


async def test_an_app_hears_nothing_of_channels_it_is_not_in() -> None:
    """But that it was taken out."""
    async with scripted() as (slack, app, _):
        slack.admins.removes_bot("deploys")
        await slack.people.says("ann", "deploys", "hello @sluice")
        await slack.delivered()
        assert [request.event["type"] for request in app.requests] == ["channel_left"]


async def test_a_command_that_takes_too_long_is_told_to_its_sender() -> None:
    """As Slack words it, in the channel, for them alone."""
    async with scripted(Timing(within=SOON)) as (slack, app, _):
        app.answers.append(never)
        shown = await slack.people.says("ann", "deploys", "/deploy api x prod")
        assert (shown.acknowledged, shown.error) == (False, "operation_timeout")
        assert shown.text == '/deploy failed with the error "operation_timeout"'
        assert slack.snapshot("ann")["channels"][0]["messages"][0]["text"] == shown.text
        assert slack.snapshot("bob")["channels"][0]["messages"] == []
        assert len(app.requests) == 1


async def test_a_command_tells_who_asked_what_and_where() -> None:
    """Its text as it was typed."""
    async with scripted() as (slack, app, _):
        await slack.people.says("bob", "prod", "/release  why  <api> & @ann")
        (request,) = app.requests
        told = {name: request.body[name] for name in ("command", "text", "user_id", "channel_id", "channel_name")}
        assert told == {
            "command": "/release",
            "text": "why  <api> & @ann",
            "user_id": "U0BOB",
            "channel_id": "C0PROD",
            "channel_name": "prod",
        }


async def test_a_command_may_have_its_words_on_the_next_line() -> None:
    """Slack's box takes several lines, and the first word is the command."""
    async with scripted() as (slack, app, _):
        await slack.people.says("bob", "prod", "/release\nwhy api\nprod")
        (request,) = app.requests
        assert (request.body["command"], request.body["text"]) == ("/release", "why api\nprod")


async def test_an_answer_for_everybody_is_a_message() -> None:
    """If the app says so."""
    async with scripted() as (slack, app, _):
        app.answers.append(said(response_type="in_channel", text="everybody"))
        await slack.people.says("ann", "deploys", "/release status")
        assert [message["text"] for message in slack.snapshot("bob")["channels"][0]["messages"]] == ["everybody"]


async def test_an_answer_that_slack_would_not_show_is_an_error() -> None:
    """The sender sees that, not nothing."""
    async with scripted() as (slack, app, _):
        app.answers.append(said(text="hi", blocks=[{"type": "balloon"}]))
        shown = await slack.people.says("ann", "deploys", "/release status")
        assert (shown.acknowledged, shown.error) == (False, "invalid_blocks")


async def test_an_answer_may_come_later() -> None:
    """Five times, for half an hour."""
    async with scripted() as (slack, app, clock), httpx.AsyncClient() as http:
        await slack.people.says("ann", "deploys", "/release status")
        url = app.requests[0].body["response_url"]
        answers = [await http.post(url, json={"text": str(number)}) for number in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [404]
        assert answers[-1].json()["error"] == "used_url"
        assert [message["text"] for message in slack.snapshot("ann")["channels"][0]["messages"]] == list("01234")
        await slack.people.says("ann", "deploys", "/release status")
        clock.advance(timedelta(minutes=30, seconds=1))
        late = await http.post(app.requests[1].body["response_url"], json={"text": "late"})
        assert (late.status_code, late.json()["error"]) == (404, "expired_url")


async def test_an_answer_to_a_click_may_replace_or_delete_the_message() -> None:
    """The one that the button was on."""
    async with scripted() as (slack, app, _), httpx.AsyncClient() as http:
        row = {"type": "actions", "elements": [a_button()]}
        asked = {"channel": "C0DEPLOYS", "text": "hi", "blocks": [row]}
        ts = (await http.post(f"{slack.api_url}chat.postMessage", json=asked, headers=TOKEN)).json()["ts"]
        assert (await slack.people.presses("ann", Place(ChannelId("C0DEPLOYS"), ts), "go")).acknowledged
        url = next(request.body["response_url"] for request in app.requests if "response_url" in request.body)
        await http.post(url, json={"replace_original": True, "text": "done"})
        assert [message["text"] for message in slack.snapshot("bob")["channels"][0]["messages"]] == ["done"]
        await http.post(url, json={"delete_original": True})
        assert slack.snapshot("bob")["channels"][0]["messages"] == []


@pytest.mark.parametrize(
    ("wait", "times", "errors"),
    [
        (timedelta(seconds=3), 2, ["", "exchanged_trigger_id"]),
        (timedelta(seconds=3, milliseconds=1), 1, ["expired_trigger_id"]),
    ],
)
async def test_a_trigger_opens_one_form_within_three_seconds(wait: timedelta, times: int, errors: list[str]) -> None:
    """On the workspace's clock."""
    async with scripted() as (slack, app, clock), httpx.AsyncClient(headers=TOKEN) as http:
        await slack.people.says("ann", "deploys", "/deploy")
        clock.advance(wait)
        asked = {"trigger_id": app.requests[0].body["trigger_id"], "view": a_form()}
        answers = [(await http.post(f"{slack.api_url}views.open", json=asked)).json() for _ in range(times)]
        assert [answer.get("error", "") for answer in answers] == errors


async def test_a_form_that_is_refused_costs_no_trigger() -> None:
    """The app may send a better one."""
    async with scripted() as (slack, app, _), httpx.AsyncClient(headers=TOKEN) as http:
        await slack.people.says("ann", "deploys", "/deploy")
        trigger = app.requests[0].body["trigger_id"]
        views = [{"type": "modal"}, a_form()]
        asked = [{"trigger_id": trigger, "view": view} for view in views]
        answers = [(await http.post(f"{slack.api_url}views.open", json=body)).json() for body in asked]
        assert [answer.get("error", "") for answer in answers] == ["invalid_arguments", ""]


async def test_an_app_that_was_killed_and_came_back_is_reached_at_once() -> None:
    """No connection to its former life is tried."""
    slack = SlackStandIn(FakeClock(), signing_secret=SECRET)
    async with slack.serving():
        port = 0
        for _ in range(2):
            app = ScriptedApp()
            served = web.Application()
            served.router.add_post("/", app.handle)
            async with listening(served, port=port) as at:
                slack.request_url, port = at, int(at.rpartition(":")[2])
                assert (await slack.people.says("ann", "deploys", "/release status")).acknowledged


async def test_nothing_is_left_running_when_the_workspace_ends() -> None:
    """Not even an event that waits to be sent again."""
    forever = asyncio.Event()

    async def sleep(_wait: timedelta) -> None:
        await forever.wait()

    before = asyncio.all_tasks()
    async with scripted(Timing(sleep=sleep)) as (slack, app, _):
        app.answers += [status(500), status(500)]
        await slack.people.says("ann", "deploys", "hi")
        await slack.delivered()
    assert asyncio.all_tasks() == before


async def test_an_error_inside_the_block_passes_as_it_is() -> None:
    """Not wrapped into a group."""
    slack = SlackStandIn(FakeClock())
    with pytest.raises(ZeroDivisionError):
        async with slack.serving():
            raise ZeroDivisionError


def a_button() -> dict[str, object]:
    """A button."""
    return {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "go"}


def a_form() -> dict[str, object]:
    """A modal without fields."""
    return {"type": "modal", "title": {"type": "plain_text", "text": "Release"}, "blocks": [{"type": "divider"}]}
