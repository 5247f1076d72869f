"""What the app is sent, as Slack words it (docs.slack.dev/interactivity, docs.slack.dev/apis/events-api)."""

import json
from typing import Any

from bot.sandbox.slack.acme import Acme, Person
from bot.sandbox.slack.records import Message, Room

Body = dict[str, Any]


def slash_form(acme: Acme, person: Person, room: Room, *, line: str) -> Body:
    """A slash command; the addresses for answers are still to be added."""
    command, *text = line.split(maxsplit=1)
    return {
        "token": "",
        "team_id": acme.team_id,
        "team_domain": acme.domain,
        "channel_id": room.id,
        "channel_name": "directmessage" if room.is_direct else room.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": "".join(text).strip(),
        "api_app_id": acme.app.id,
        "is_enterprise_install": "false",
    }


def click(acme: Acme, person: Person, room: Room, *, message: Message, shown: Body) -> Body:
    """A click on an element of a message; the action and the addresses for answers are still to be added."""
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": room.id,
        "is_ephemeral": message.only_for is not None,
        **thread,
    }
    seen = {} if message.only_for else {"message": shown}
    place = {"channel": {"id": room.id, "name": "directmessage" if room.is_direct else room.name}}
    return {**_interaction("block_actions", acme, person), "container": container, **place, **seen}


def submission(acme: Acme, person: Person, *, view: Body) -> Body:
    """A modal that was sent; the trigger is still to be added."""
    return {**_interaction("view_submission", acme, person), "view": view, "response_urls": []}


def closing(acme: Acme, person: Person, *, view: Body) -> Body:
    """A modal that was put away, for an app that wants to know."""
    return {**_interaction("view_closed", acme, person), "view": view, "is_cleared": False}


def interaction_form(payload: Body) -> Body:
    """An interaction as it is posted."""
    return {"payload": json.dumps(payload)}


def envelope(acme: Acme, event: Body, *, event_id: str, at_s: int, is_shared: bool) -> Body:
    """An event as it is posted."""
    who = {"enterprise_id": None, "team_id": acme.team_id, "user_id": acme.app.user, "is_bot": True}
    return {
        "token": "",
        "team_id": acme.team_id,
        "api_app_id": acme.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": at_s,
        "authorizations": [{**who, "is_enterprise_install": False}],
        "is_ext_shared_channel": is_shared,
    }


def _interaction(kind: str, acme: Acme, person: Person) -> Body:
    user = {"id": person.id, "username": person.name, "name": person.name, "team_id": acme.team_id}
    team = {"id": acme.team_id, "domain": acme.domain}
    known = {"user": user, "team": team, "enterprise": None, "is_enterprise_install": False}
    return {"type": kind, "api_app_id": acme.app.id, "token": "", **known}
