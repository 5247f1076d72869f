"""What is kept, as the JSON that Slack shows of it."""

from typing import Any

from bot.sandbox.slack.acme import Acme, Person
from bot.sandbox.slack.records import File, Message, Room

TOMBSTONE_TEXT = "This message was deleted."
SLACKBOT = "USLACKBOT"


def message_json(message: Message, acme: Acme, *, metadata: bool = False, url: str = "") -> dict[str, Any]:
    """A message as histories and events show it. `metadata`: with the app's own. `url`: where files are served."""
    shown: dict[str, Any] = {"type": "message", "ts": message.ts, "user": message.user, "text": message.text}
    if message.tombstone:
        shown |= {"subtype": "tombstone", "user": SLACKBOT, "text": TOMBSTONE_TEXT, "hidden": True}
    shown["team"] = acme.team_id
    if message.by_app and not message.tombstone:
        shown |= _by_app(acme)
    shown |= _thread(message)
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.files:
        shown |= {"files": [file_json(file, acme, url=url) for file in message.files], "upload": True}
    if message.reactions:
        shown["reactions"] = reactions_json(message)
    if message.edited_ts:
        shown["edited"] = {"user": message.user, "ts": message.edited_ts}
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown


def reactions_json(message: Message) -> list[dict[str, Any]]:
    """Who reacted with what, in the order in which it came."""
    return [{"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()]


def file_json(file: File, acme: Acme, *, url: str = "") -> dict[str, Any]:
    """A file. What is at its private address needs a token."""
    kind = "png" if file.mimetype == "image/png" else "binary"
    private = f"{url}/files-pri/{acme.team_id}-{file.id}/{file.name}"
    shown: dict[str, Any] = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": kind,
        "user": file.user,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "url_private": private,
        "url_private_download": private,
        "shares": {"public": file.shares} if file.shares else {},
    }
    return shown | ({"alt_txt": file.alt} if file.alt else {})


def person_json(person: Person, acme: Acme, *, updated: int) -> dict[str, Any]:
    """An account."""
    return {
        "id": person.id,
        "team_id": acme.team_id,
        "name": person.name,
        "deleted": person.is_deleted,
        "real_name": person.name.capitalize(),
        "tz": "Etc/UTC",
        "tz_label": "UTC",
        "tz_offset": 0,
        "profile": {"display_name": person.name, "real_name": person.name.capitalize(), "team": acme.team_id},
        "is_admin": False,
        "is_owner": False,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": False,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": updated,
    }


def room_json(room: Room, acme: Acme, *, user: str) -> dict[str, Any]:
    """A channel, as that user sees it."""
    if room.is_direct:
        other = next(iter(room.members - {user}), user)
        return {"id": room.id, "created": room.created, "is_im": True, "is_archived": room.is_archived, "user": other}
    return {
        "id": room.id,
        "name": room.name,
        "name_normalized": room.name,
        "created": room.created,
        "is_channel": not room.is_private,
        "is_group": room.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": room.is_private,
        "is_archived": room.is_archived,
        "is_general": False,
        "is_shared": room.is_shared,
        "is_ext_shared": room.is_shared,
        "is_org_shared": False,
        "is_member": user in room.members,
        "context_team_id": acme.team_id,
        "num_members": len(room.members),
    }


def _by_app(acme: Acme) -> dict[str, Any]:
    app = acme.app
    profile = {"id": app.bot_id, "app_id": app.id, "name": app.name, "team_id": acme.team_id, "deleted": False}
    return {"bot_id": app.bot_id, "app_id": app.id, "bot_profile": profile}


def _thread(message: Message) -> dict[str, Any]:
    if message.thread_ts is not None:
        return {"thread_ts": message.thread_ts}
    return {"thread_ts": message.ts, "reply_count": message.reply_count} if message.reply_count else {}
