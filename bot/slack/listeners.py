"""Every listener: parse, keep (one local insert), acknowledge. Nothing here waits for a network before the answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.domain.errors import SluiceError
from bot.domain.ids import UserId
from bot.domain.invocation import Invocation
from bot.ports.clock import Clock
from bot.slack import messages, payloads
from bot.slack.forms import FormChoices, form
from bot.slack.web_api import calling

Hear = Callable[[Invocation], Awaitable[bool]]
Body = Mapping[str, Any]

log = logs.get(__name__)


class Listeners:
    """What happens to each kind of payload. `hear` keeps an invocation; whatever is acknowledged has been kept."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        hear: Hear,
        forms: Callable[[], FormChoices],
        clock: Clock,
        bot_user: UserId,
    ) -> None:
        self._client = client
        self._hear = hear
        self._forms = forms
        self._clock = clock
        self._bot_user = bot_user

    async def on_command(self, body: Body) -> BoltResponse:
        """A slash command. The answer is shown to its sender alone."""
        if payloads.form_verb(body):
            return BoltResponse(status=200)
        invocation = payloads.slash(body, at=self._clock.now())
        kept = await self._kept(invocation)
        return _private(messages.heard(invocation.text) if kept else messages.NOT_STORED)

    async def on_button(self, body: Body) -> BoltResponse:
        """A click. One that cannot be kept is not acknowledged: Slack then marks the button with a warning."""
        invocation = payloads.button(body, at=self._clock.now())
        return BoltResponse(status=200 if invocation is None or await self._kept(invocation) else 503)

    async def on_form(self, body: Body) -> BoltResponse:
        """A form that was sent. One that cannot be kept stays open and says so."""
        invocation = payloads.submission(body, at=self._clock.now())
        if invocation is None or await self._kept(invocation):
            return BoltResponse(status=200)
        return _json({"response_action": "errors", "errors": {"service": messages.NOT_STORED}})

    async def on_event(self, body: Body) -> BoltResponse:
        """Anything of the Events API. What cannot be kept is not acknowledged, so that Slack sends it again."""
        invocation = payloads.event(body, at=self._clock.now(), bot_user=self._bot_user)
        return BoltResponse(status=200 if invocation is None or await self._kept(invocation) else 503)

    async def open_form(self, body: Body, respond: AsyncRespond) -> None:
        """Open the form that a bare command asks for; runs beside the acknowledgement."""
        verb = payloads.form_verb(body)
        if verb is None:
            return
        trigger, channel = payloads.form_trigger(body)
        try:
            async with calling("open a form"):
                await self._client.views_open(trigger_id=trigger, view=form(verb, self._forms(), channel=channel))
        except SluiceError as exc:
            log.warning("form not opened", verb=verb, error=str(exc))
            async with calling("answer in private"):
                await respond(messages.no_form(verb), response_type="ephemeral")

    async def on_error(self, error: Exception, body: Body) -> BoltResponse:
        """A fault of ours in a listener: nothing was kept, and nobody is told that it was."""
        log.error("listener failed", exc_info=error)
        return _private(messages.NOT_STORED) if "command" in body else BoltResponse(status=500)

    async def _kept(self, invocation: Invocation) -> bool:
        """Whether the invocation is stored, now or by an earlier delivery."""
        try:
            await self._hear(invocation)
        except SluiceError as exc:
            log.warning("invocation not stored", origin=invocation.origin, error=str(exc))
            return False
        return True


def _private(text: str) -> BoltResponse:
    return _json({"response_type": "ephemeral", "text": text})


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=body, headers={"content-type": ["application/json"]})
