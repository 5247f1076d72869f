"""Whole signed payloads through the app: kept before they are acknowledged, acknowledged before any network."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import UnreachableError
from bot.domain.ids import UserId
from bot.domain.invocation import Invocation
from bot.slack.bolt import make_app, slack_handler
from bot.slack.forms import FormChoices
from bot.slack.signature import SignedOnly
from tests.fakes.clock import FakeClock
from tests.slack.scripted_api import fault, ok, scripted

SECRET = "s3cret"
DOWN = "Sluice could not store your command; nothing happened; try again in a moment."


class Ears:
    """The store's fast path: keeps what is new, or is away, or has a fault."""

    def __init__(self) -> None:
        self.kept: dict[str, Invocation] = {}
        self.error: Exception | None = None

    async def hear(self, invocation: Invocation) -> bool:
        """See `Store.hear`."""
        if self.error:
            raise self.error
        new = invocation.dedupe_key not in self.kept
        self.kept.setdefault(invocation.dedupe_key, invocation)
        return new

    @property
    def lines(self) -> list[str]:
        """What was kept, as lines."""
        return [invocation.text for invocation in self.kept.values()]


class Door:
    """The HTTP door of the bot, and how Slack knocks at it."""

    def __init__(self, client: TestClient[web.Request, web.Application], clock: FakeClock) -> None:
        self._client = client
        self._clock = clock

    async def post(
        self, body: str, *, kind: str = "application/json", secret: str = SECRET, age_s: int = 0
    ) -> tuple[int, Any]:
        """One signed request: its status, and its body as JSON where it is that."""
        stamp = str(int(self._clock.now().timestamp()) - age_s)
        signature = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={signature}"}
        return await self.send(body, headers)

    async def send(self, body: str, headers: dict[str, str]) -> tuple[int, Any]:
        """One request as it is."""
        answer = await self._client.post("/slack/events", data=body, headers=headers)
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text

    async def slash(self, command: str, text: str, **more: str) -> tuple[int, Any]:
        """A slash command by Ann."""
        body = {"command": command, "text": text, "trigger_id": "1.2.a", "user_id": "U0ANN", "channel_id": "C0DEPLOYS"}
        form = urlencode(body | {"team_id": "T1"} | more)
        return await self.post(form, kind="application/x-www-form-urlencoded")

    async def interact(self, **payload: Any) -> tuple[int, Any]:
        """A click or a form."""
        body = {"user": {"id": "U0ANN", "team_id": "T1"}, "team": {"id": "T1"}} | payload
        return await self.post(urlencode({"payload": json.dumps(body)}), kind="application/x-www-form-urlencoded")

    async def event(self, **event: Any) -> tuple[int, Any]:
        """An event."""
        envelope = {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": event}
        return await self.post(json.dumps(envelope))


def an_app(client: AsyncWebClient, ears: Ears, clock: FakeClock) -> AsyncApp:
    """The app as the composition root makes it."""
    choices: Callable[[], FormChoices] = lambda: FormChoices(("api",), ("prod",))  # noqa: E731 - one line is enough
    bot_user = UserId("U0SLUICE")
    return make_app(client=client, hear=ears.hear, forms=choices, clock=clock, bot_user=bot_user)


@asynccontextmanager
async def door(ears: Ears, slack: AsyncWebClient | None = None, *, secret: str | None = SECRET) -> AsyncIterator[Door]:
    """A served app. Without `slack` nobody answers its calls: what works then needs no network."""
    clock = FakeClock()
    client = slack or AsyncWebClient("xoxb-test", base_url="http://127.0.0.1:9/api/", retry_handlers=[])
    served = web.Application()
    served.router.add_post("/slack/events", slack_handler(an_app(client, ears, clock), SignedOnly(secret, clock=clock)))
    async with TestClient(TestServer(served)) as http:
        yield Door(http, clock)


async def test_a_command_is_kept_and_acknowledged_without_any_network() -> None:
    """Its sender reads that it was heard, even if the bot dies right after."""
    ears = Ears()
    async with door(ears) as slack:
        status, said = await slack.slash("/deploy", "api sha123 staging")
    assert (status, said) == (200, {"response_type": "ephemeral", "text": "`/deploy api sha123 staging` – on it."})
    assert ears.lines == ["deploy api sha123 staging"]


async def test_a_redelivered_command_is_kept_once() -> None:
    """And acknowledged again."""
    ears = Ears()
    async with door(ears) as slack:
        answers = [await slack.slash("/release", "status api") for _ in range(2)]
    assert [status for status, _ in answers] == [200, 200]
    assert ears.lines == ["status api"]


async def test_a_command_that_cannot_be_kept_says_so() -> None:
    """Nobody believes that it was heard."""
    ears = Ears()
    ears.error = UnreachableError("the database is away")
    async with door(ears) as slack:
        assert await slack.slash("/deploy", "api sha123 staging") == (200, {"response_type": "ephemeral", "text": DOWN})


async def test_a_fault_of_ours_is_not_taken_for_a_yes() -> None:
    """Whatever broke, the sender is told that nothing happened."""
    ears = Ears()
    ears.error = ZeroDivisionError("a fault")
    async with door(ears) as slack:
        assert await slack.slash("/deploy", "api x prod") == (200, {"response_type": "ephemeral", "text": DOWN})
        assert await slack.event(type="app_mention", user="U0ANN", text="<@U0SLUICE> help", channel="C1") == (500, "")


async def test_an_event_that_cannot_be_kept_is_sent_again() -> None:
    """Slack repeats what is not acknowledged."""
    ears = Ears()
    mention = {"type": "app_mention", "user": "U0ANN", "text": "<@U0SLUICE> status api", "channel": "C0DEPLOYS"}
    async with door(ears) as slack:
        ears.error = UnreachableError("the database is away")
        assert await slack.event(**mention) == (503, "")
        ears.error = None
        assert await slack.event(**mention) == (200, "")
    assert ears.lines == ["status api"]


async def test_a_click_is_kept() -> None:
    """As the line on the button."""
    ears = Ears()
    actions = [
        {"type": "button", "action_id": "abort", "block_id": "b", "value": "abort api-prod-42", "action_ts": "1"}
    ]
    async with door(ears) as slack:
        assert await slack.interact(type="block_actions", channel={"id": "C0DEPLOYS"}, actions=actions) == (200, "")
        ears.error = UnreachableError("the database is away")
        assert await slack.interact(type="block_actions", channel={"id": "C0DEPLOYS"}, actions=actions) == (503, "")
    assert ears.lines == ["abort api-prod-42"]


async def test_a_form_is_kept_or_stays_open() -> None:
    """Nothing that was typed is lost."""
    ears = Ears()
    values = {"service": {"service": {"value": "api"}}, "environment": {"environment": {"value": "prod"}}}
    view = {"id": "V1", "type": "modal", "callback_id": "sluice.rollback", "private_metadata": "C0DEPLOYS"}
    sent = {"type": "view_submission", "view": view | {"state": {"values": values}}}
    async with door(ears) as slack:
        assert await slack.interact(**sent) == (200, "")
        ears.error = UnreachableError("the database is away")
        kept_open = (200, {"response_action": "errors", "errors": {"service": DOWN}})
        assert await slack.interact(**sent) == kept_open
    assert ears.lines == ["rollback api prod"]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "reaction_added", "user": "U0SLUICE", "reaction": "x", "item": {"type": "message"}},
        {"type": "message", "channel": "C1", "user": "U0ANN", "text": "hello"},
        {"type": "team_join"},
    ],
    ids=["own", "chat", "other"],
)
async def test_what_is_not_for_us_is_acknowledged(event: dict[str, Any]) -> None:
    """Otherwise Slack would repeat it, and in the end switch the subscription off."""
    ears = Ears()
    async with door(ears) as slack:
        assert await slack.event(**event) == (200, "")
    assert ears.lines == []


async def test_the_deletion_of_our_own_message_is_heard() -> None:
    """It is an event of our own user, and yet the one that voids a ballot."""
    ears = Ears()
    gone = {"subtype": "message_deleted", "deleted_ts": "1.2", "previous_message": {"user": "U0SLUICE", "ts": "1.2"}}
    async with door(ears) as slack:
        assert await slack.event(type="message", channel="C0DEPLOYS", **gone) == (200, "")
    assert ears.lines == ["message_deleted"]


async def test_the_request_url_is_verified() -> None:
    """Slack asks once, when the app is set up."""
    async with door(Ears()) as slack:
        challenge = {"type": "url_verification", "challenge": "c4"}
        assert await slack.post(json.dumps(challenge)) == (200, {"challenge": "c4"})


@pytest.mark.parametrize(
    "tampering", [{"secret": "other"}, {"age_s": 301}, {"age_s": -301}], ids=["forged", "old", "new"]
)
async def test_forged_and_replayed_requests_are_turned_away(tampering: dict[str, Any]) -> None:
    """Not even the question whether we are there is answered."""
    ears = Ears()
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention"}})
    async with door(ears) as slack:
        assert await slack.post(body, **tampering) == (401, "")
    assert ears.lines == []


@pytest.mark.parametrize(
    "headers", [{}, {"x-slack-request-timestamp": "soon", "x-slack-signature": "v0=1"}], ids=["unsigned", "no time"]
)
async def test_requests_without_a_signature_are_turned_away(headers: dict[str, str]) -> None:
    """Whatever they carry."""
    async with door(Ears()) as slack:
        assert await slack.send("{}", headers | {"content-type": "application/json"}) == (401, "")


async def test_without_a_secret_http_is_shut() -> None:
    """Socket Mode only: nobody may come in by the other door."""
    async with door(Ears(), secret=None) as slack:
        assert await slack.slash("/deploy", "api x prod") == (401, "")


async def test_a_bare_command_opens_its_form() -> None:
    """Nothing is kept yet, and nothing is said."""
    ears = Ears()
    async with scripted(views_open=ok()) as (client, api), door(ears, client) as slack:
        assert await slack.slash("/deploy", "") == (200, "")
        opened = await api.next_call("views.open")
    assert (opened["trigger_id"], opened["view"]["callback_id"]) == ("1.2.a", "sluice.deploy")
    assert ears.lines == []


async def test_a_form_that_cannot_be_opened_names_the_line_to_type() -> None:
    """The trigger lives three seconds; a slow moment must not leave anybody without an answer."""
    answers = {"views_open": fault("expired_trigger_id"), "respond": ok()}
    async with scripted(**answers) as (client, api), door(Ears(), client) as slack:
        await slack.slash("/rollback", "", response_url=f"{client.base_url}respond")
        said = await api.next_call("respond")
    assert (
        said["text"]
        == "The form could not be opened. Type the whole command instead, for example `/rollback api prod`."
    )
