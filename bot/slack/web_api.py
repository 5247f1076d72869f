"""How we call Slack's Web API: one deadline, no silent second try, every fault as one of ours."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

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
from bot.domain.ids import UserId

DEADLINE_S = 5
"""How long one call may take before Slack counts as unreachable."""

_AWAY = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable"}
)
_GONE = frozenset(
    {
        "message_not_found",
        "no_such_subteam",
        "thread_not_found",
        "user_not_found",
        "user_not_visible",
        "users_not_found",
    }
)
_CLOSED = {
    "channel_not_found": "the bot sees no such channel; if it is private, invite the bot: /invite @sluice",
    "is_archived": "the channel is archived: unarchive it, or set another channel",
    "not_in_channel": "the bot is not in the channel; invite it: /invite @sluice",
}
"""A private channel that the bot was taken out of looks like one that never was: so nothing in it counts as deleted."""

_UNEDITABLE = {
    "cant_update_message": "the message is not the bot's own",
    "edit_window_closed": "the message is too old to be edited in this workspace",
    "is_inactive": "the message can no longer be edited",
}
_REFUSED = {
    "account_inactive": "the bot's token was revoked: install the app again",
    "invalid_auth": "the bot's token is wrong: check SLACK_BOT_TOKEN",
    "not_authed": "no token was sent: set SLACK_BOT_TOKEN",
    "token_revoked": "the bot's token was revoked: install the app again",
    "token_expired": "the bot's token has expired: install the app again",
    "user_not_in_channel": "that person is not in the channel",
    "restricted_action": "a setting of the workspace forbids it: ask its admins",
    "restricted_action_read_only_channel": "only some may post in the channel: ask its admins",
    "restricted_action_thread_only_channel": "the channel takes replies only: ask its admins",
    "thread_locked": "the thread is locked",
    "not_reactable": "nobody may react to that message",
    "too_many_emoji": "the message has too many reactions",
    "too_many_reactions": "the message has too many reactions",
    "plan_upgrade_required": "user groups exist on paid plans only",
    "subteams_not_enabled": "user groups are switched off in this workspace",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in the workspace: read once, when the program starts."""

    team_id: str
    user: UserId
    bot_id: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """What Slack says of a token: whose it is, what that account and its workspace are called, what it may do (`None`:
    Slack does not say), and the headers of the answer, by small names."""

    me: Identity
    name: str
    team: str
    scopes: frozenset[str] | None
    headers: Mapping[str, str]


@asynccontextmanager
async def open_client(token: str, *, base_url: str, trust_env: bool = False) -> AsyncIterator[AsyncWebClient]:
    """A client on one shared connection pool, closed with the block. `base_url` ends in `/api/`.

    The SDK's own retry after a lost connection is off: it would post a message twice.
    """
    timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=trust_env) as session:
        yield AsyncWebClient(token, base_url=base_url, timeout=DEADLINE_S, session=session, retry_handlers=[])


async def identify(client: AsyncWebClient) -> Identity:
    """Ask Slack who the token belongs to. Raises RefusedError for a token that is not good."""
    return (await introduce(client)).me


async def introduce(client: AsyncWebClient) -> Introduction:
    """The same, and everything else that Slack says of the token."""
    async with calling("find out who the bot is"):
        answer = await client.auth_test()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    scopes = headers.get("x-oauth-scopes")
    return Introduction(
        me=Identity(text_of(answer, "team_id"), UserId(text_of(answer, "user_id")), str(answer.get("bot_id") or "")),
        name=str(answer.get("user") or answer["user_id"]),
        team=str(answer.get("team") or answer["team_id"]),
        scopes=None if scopes is None else frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        headers=headers,
    )


@asynccontextmanager
async def calling(doing: str, *, deadline_s: float = DEADLINE_S) -> AsyncIterator[None]:
    """A deadline around one call, and Slack's faults translated. `doing` completes "Slack would not …"."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except SlackApiError as exc:
        raise translated(exc, doing=doing) from exc
    except (TimeoutError, aiohttp.ClientError, OSError) as exc:
        raise UnreachableError(f"Slack did not answer when asked to {doing}") from exc


def translated(error: SlackApiError, *, doing: str) -> SluiceError:
    """One of our errors for Slack's: by status first, then by its own name for the fault."""
    fault, status = fault_of(error), getattr(error.response, "status_code", 200)
    if status == 429 or status >= 500 or fault in _AWAY:  # noqa: PLR2004 - HTTP status codes
        return UnreachableError(f"Slack could not {doing} now ({fault or status})", retry_after=_retry_after(error))
    if not fault:
        # Half an answer, or a proxy's page: Slack may well have done what it was asked.
        return UnreachableError(f"Slack's answer could not be read when asked to {doing}")
    if fault in _GONE:
        return NotFoundError(f"Slack could not {doing}: {fault}")
    if fault == "missing_scope":
        scope = error.response.get("needed") or "it needs"
        return RefusedError(f"Slack would not {doing}: add the scope {scope} to the app and install it again")
    for kind, known in ((ClosedError, _CLOSED), (UneditableError, _UNEDITABLE), (RefusedError, _REFUSED)):
        if fault in known:
            return kind(f"Slack would not {doing}: {known[fault]}")
    return PermanentError(f"Slack would not {doing}: {fault}")


def fault_of(error: SlackApiError) -> str:
    """Slack's name for the fault; empty when the answer had none (a proxy's error page)."""
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def text_of(answer: AsyncSlackResponse, field: str) -> str:
    """A text that the answer must hold. Raises UnreadableError."""
    value = answer.get(field)
    if not isinstance(value, str) or not value:
        raise UnreadableError(f"Slack's answer has no {field}")
    return value


def items_of(answer: AsyncSlackResponse, field: str) -> list[dict[str, object]]:
    """A list of objects that the answer must hold. Raises UnreadableError."""
    value = answer.get(field)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableError(f"Slack's answer has no list of {field}")
    return value


def cursor_of(answer: AsyncSlackResponse) -> str:
    """Where the next page begins; empty at the end."""
    following = answer.get("response_metadata")
    return str(following.get("next_cursor") or "") if isinstance(following, dict) else ""


def _retry_after(error: SlackApiError) -> timedelta | None:
    headers = getattr(error.response, "headers", None) or {}
    seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return timedelta(seconds=int(seconds)) if str(seconds).isdecimal() else None
