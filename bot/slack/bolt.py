"""The Bolt app, and the order in which a payload passes to it: the door, its identity, its listener."""

import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.ids import UserId
from bot.ports.clock import Clock
from bot.slack.forms import CALLBACK_PREFIX, FORM_VERBS, FormChoices
from bot.slack.listeners import Hear, Listeners
from bot.slack.signature import Handler, SignedOnly
from commands.wording import OWN_SLASH_COMMANDS


def make_app(
    *,
    client: AsyncWebClient,
    hear: Hear,
    forms: Callable[[], FormChoices],
    clock: Clock,
    bot_user: UserId,
) -> AsyncApp:
    """The app with all its listeners; it trusts what reaches it: a door or the socket stands before it.

    Listeners finish before the answer leaves (`process_before_response`), so that what is acknowledged has been kept.
    """
    listeners = Listeners(client=client, hear=hear, forms=forms, clock=clock, bot_user=bot_user)
    app = AsyncApp(
        name="sluice",
        logger=_quiet_logger(),
        client=AsyncWebClient(base_url=client.base_url),  # Bolt copies its own deeply, which a shared session forbids
        authorize=_authorize_once(client, bot_user),
        process_before_response=True,
        signing_secret="",
        request_verification_enabled=False,  # the door does it
        ignoring_self_events_enabled=False,  # payloads does it; Bolt's would hide that our ballot was deleted
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    _register(app, listeners)
    return app


def slack_handler(app: AsyncApp, door: SignedOnly) -> Handler:
    """The app behind its door, for an aiohttp route; one route takes commands, clicks, forms and events alike."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    return door.before(handle)


def _register(app: AsyncApp, listeners: Listeners) -> None:
    for verb in sorted(OWN_SLASH_COMMANDS | {"release"}):
        lazy = [listeners.open_form] if verb in FORM_VERBS else []
        app.command(f"/{verb}")(ack=listeners.on_command, lazy=lazy)
    app.action(re.compile(".*"))(listeners.on_button)
    app.view(re.compile(f"^{re.escape(CALLBACK_PREFIX)}"))(listeners.on_form)
    app.event(re.compile(".*"))(listeners.on_event)
    app.error(listeners.on_error)


def _authorize_once(client: AsyncWebClient, bot_user: UserId) -> Callable[[], Awaitable[AuthorizeResult]]:
    """We serve one workspace and know who we are: Bolt must not ask Slack (`auth.test`) before each acknowledgement."""
    known = AuthorizeResult(enterprise_id=None, team_id=None, bot_user_id=bot_user, bot_token=client.token)

    async def authorize() -> AuthorizeResult:
        return known

    return authorize


def _quiet_logger() -> logging.Logger:
    """Bolt's warnings quote payloads, and it prepares its debug lines unless told otherwise: only errors are wanted."""
    logger = logging.getLogger("slack_bolt.sluice")
    logger.setLevel(logging.ERROR)
    return logger
