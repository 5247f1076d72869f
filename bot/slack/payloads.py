"""What Slack sends, as invocations: the only file that looks into Slack's dicts.

Each function gives `None` for what is not for us. Dedupe keys are Slack's own ids: a redelivery carries the same one.
"""

import hashlib
import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.ids import ChannelId, UserId
from bot.domain.invocation import Invocation, Origin
from bot.slack.forms import CALLBACK_PREFIX, FORM_VERBS
from bot.slack.mrkdwn import bare_emoji
from commands.markup import as_typed

Payload = Mapping[str, Any]

CHANNEL_EVENTS = frozenset(
    {
        "channel_archive",
        "channel_deleted",
        "channel_left",
        "channel_shared",
        "channel_unarchive",
        "channel_unshared",
        "group_archive",
        "group_deleted",
        "group_left",
        "group_unarchive",
    }
)
"""Events that can change whether a ballot in the channel still holds."""

_OWN_COMMAND = "release"


def slash(body: Payload, *, at: datetime) -> Invocation:
    """A slash command: `/deploy api x` is `deploy api x`, `/release status` is `status`, `/release` alone is `help`."""
    verb = str(body.get("command", "")).removeprefix("/")
    words = as_typed(str(body.get("text", "")))
    line = (words or "help") if verb == _OWN_COMMAND else f"{verb} {words}".strip()
    return Invocation(
        dedupe_key=f"slash:{body.get('trigger_id', '')}:{_digest(line)}",
        origin=Origin.SLASH,
        user=UserId(str(body.get("user_id", ""))),
        text=line,
        channel=ChannelId(str(body.get("channel_id", ""))),
        received_at=at,
        team_id=str(body.get("team_id", "")),
    )


def form_verb(body: Payload) -> str | None:
    """The verb whose form a slash command asks for by having no argument; `None`: it has some, or has no form."""
    verb = str(body.get("command", "")).removeprefix("/")
    return verb if verb in FORM_VERBS and not str(body.get("text", "")).strip() else None


def form_trigger(body: Payload) -> tuple[str, ChannelId]:
    """What opens a form, within three seconds, and the channel it was asked for in."""
    return str(body.get("trigger_id", "")), ChannelId(str(body.get("channel_id", "")))


def button(body: Payload, *, at: datetime) -> Invocation | None:
    """A click: the button's value is a whole command line. `None` for anything without a value."""
    action: Payload = next(iter(body.get("actions") or ()), {})
    user: Payload = body.get("user") or {}
    line = action.get("value")
    if not line:
        return None
    return Invocation(
        dedupe_key=f"button:{action.get('action_ts', '')}:{user.get('id', '')}:{_digest(line)}",
        origin=Origin.BUTTON,
        user=UserId(str(user.get("id", ""))),
        text=str(line),
        channel=ChannelId(str((body.get("channel") or {}).get("id", ""))),
        received_at=at,
        team_id=str(user.get("team_id", "")),
        message_ts=str((body.get("container") or {}).get("message_ts", "")),
        thread_ts=str((body.get("message") or {}).get("thread_ts", "")),
    )


def submission(body: Payload, *, at: datetime) -> Invocation | None:
    """A form that was sent, as the command line it stands for. `None` for a view that is not one of our forms."""
    view: Payload = body.get("view") or {}
    user: Payload = body.get("user") or {}
    verb = str(view.get("callback_id", "")).removeprefix(CALLBACK_PREFIX)
    if verb not in FORM_VERBS:
        return None
    return Invocation(
        dedupe_key=f"view:{view.get('id', '')}:{view.get('hash', '')}",
        origin=Origin.FORM,
        user=UserId(str(user.get("id", ""))),
        text=_form_line(verb, view),
        channel=ChannelId(str(view.get("private_metadata", ""))),
        received_at=at,
        team_id=str(user.get("team_id", "")),
    )


def event(body: Payload, *, at: datetime, bot_user: UserId) -> Invocation | None:
    """Anything of the Events API. `None` for what the bot did itself and for what is not about us."""
    happened: Payload = body.get("event") or {}
    kind = str(happened.get("type", ""))
    if kind == "app_mention":
        return _mention(body, happened, at=at, bot_user=bot_user)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(body, happened, at=at, bot_user=bot_user)
    if kind == "message":
        return _deletion(body, happened, at=at, bot_user=bot_user)
    if kind in CHANNEL_EVENTS:
        return _channel(body, happened, kind, at=at)
    return None


def _mention(body: Payload, happened: Payload, *, at: datetime, bot_user: UserId) -> Invocation | None:
    if happened.get("bot_id") or happened.get("user") == bot_user:
        return None
    parts = re.split(rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>", str(happened.get("text", "")), maxsplit=1)
    return Invocation(
        dedupe_key=_event_key(body),
        origin=Origin.MENTION,
        user=UserId(str(happened.get("user", ""))),
        text=as_typed(parts[-1]) or "help",
        channel=ChannelId(str(happened.get("channel", ""))),
        received_at=at,
        team_id=_home_team(body, happened),
        message_ts=str(happened.get("ts", "")),
        thread_ts=str(happened.get("thread_ts", "")),
    )


def _reaction(body: Payload, happened: Payload, *, at: datetime, bot_user: UserId) -> Invocation | None:
    item: Payload = happened.get("item") or {}
    author = str(happened.get("item_user") or bot_user)
    if item.get("type") != "message" or happened.get("user") == bot_user or author != bot_user:
        return None
    sign = "+" if happened.get("type") == "reaction_added" else "-"
    emoji = bare_emoji(str(happened.get("reaction", "")))
    return Invocation(
        dedupe_key=_event_key(body),
        origin=Origin.REACTION,
        user=UserId(str(happened.get("user", ""))),
        text=f"{sign}{emoji}",
        channel=ChannelId(str(item.get("channel", ""))),
        received_at=at,
        team_id=_home_team(body, happened),
        message_ts=str(item.get("ts", "")),
    )


def _deletion(body: Payload, happened: Payload, *, at: datetime, bot_user: UserId) -> Invocation | None:
    """One of our messages was deleted. One with replies is not: it changes into a tombstone."""
    kind = happened.get("subtype")
    now: Payload = happened.get("message") or {}
    was: Payload = happened.get("previous_message") or {}
    gone = kind == "message_deleted" or (kind == "message_changed" and now.get("subtype") == "tombstone")
    if not gone or was.get("user", bot_user) != bot_user:
        return None
    return Invocation(
        dedupe_key=_event_key(body),
        origin=Origin.CHANNEL,
        user=UserId(""),
        text="message_deleted",
        channel=ChannelId(str(happened.get("channel", ""))),
        received_at=at,
        message_ts=str(happened.get("deleted_ts") or now.get("ts") or was.get("ts", "")),
    )


def _channel(body: Payload, happened: Payload, kind: str, *, at: datetime) -> Invocation:
    return Invocation(
        dedupe_key=_event_key(body),
        origin=Origin.CHANNEL,
        user=UserId(str(happened.get("user", ""))),
        text=kind,
        channel=ChannelId(str(happened.get("channel", ""))),
        received_at=at,
        team_id=str(body.get("team_id", "")),
    )


def _form_line(verb: str, view: Payload) -> str:
    values = (view.get("state") or {}).get("values") or {}
    service, ref, origin, environment, reason = (
        _answer(values.get(block) or {}) for block in ("service", "ref", "from", "environment", "reason")
    )
    # With its option in one word: a reason may begin with dashes and is still no option.
    why = [f"--reason={reason}"] if reason else []
    if verb == "rollback":
        return shlex.join([verb, service, environment, *(["to", ref] if ref else []), *why])
    return shlex.join([verb, service, origin if verb == "promote" else ref, environment, *why])


def _answer(block: Payload) -> str:
    given: Payload = next(iter(block.values()), {})
    chosen: Payload = given.get("selected_option") or {}
    return str(given.get("value") or chosen.get("value") or "").strip()


def _event_key(body: Payload) -> str:
    return f"event:{body.get('event_id', '')}"


def _home_team(body: Payload, happened: Payload) -> str:
    """The workspace of whoever did it; in a shared channel it is not the one that the app is installed in."""
    return str(happened.get("user_team") or happened.get("team") or body.get("team_id", ""))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
