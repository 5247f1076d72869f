"""chat.*: messages by the app and by people."""

import re
from typing import Any

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.block_kit import check_message
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.limits import PostingLimit
from bot.sandbox.slack.method import Body, Caller, Method
from bot.sandbox.slack.numbering import numbered
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.schema import length
from bot.sandbox.slack.workspace import Workspace

TEXT_MOST = 40_000
EDITED_TEXT_MOST = 4_000
_TS = re.compile(r"\d{1,12}\.\d{6}")


class ChatMethods:
    """The methods, over a workspace."""

    def __init__(self, workspace: Workspace, limit: PostingLimit) -> None:
        self._workspace = workspace
        self._limit = limit

    def methods(self) -> dict[str, Method]:
        """By name."""
        write = ("chat:write",)
        return {
            "chat.postMessage": Method(self.post, write),
            "chat.postEphemeral": Method(self.whisper, write),
            "chat.update": Method(self.update, write),
            "chat.delete": Method(self.delete, write),
            "chat.getPermalink": Method(self.permalink),
        }

    def post(self, caller: Caller, args: Arguments) -> Body:
        """A new message; to a person's id: in the conversation with them."""
        room = self._open_room(caller, args)
        message = self._written(room, caller, args)
        message.metadata = metadata_of(args)
        self._limit.take(room.id)
        self._workspace.post(room, message)
        shown = self._workspace.shown(message, metadata=True)
        return {"channel": room.id, "ts": message.ts, "message": shown}

    def whisper(self, caller: Caller, args: Arguments) -> Body:
        """Something that one person is shown."""
        user = args.required("user")
        room = self._open_room(caller, args)
        if user not in self._workspace.people:
            raise SlackFaultError("user_not_found")
        if user not in room.members:
            raise SlackFaultError("user_not_in_channel")
        message = self._written(room, caller, args)
        message.only_for = user
        self._workspace.post(room, message)
        return {"message_ts": message.ts}

    def update(self, caller: Caller, args: Arguments) -> Body:
        """Other words or blocks for a message of one's own. Blocks and metadata that are not named stay."""
        room, message = self._own(caller, args, error="cant_update_message")
        text, blocks = args.text("text"), blocks_of(args)
        if not text and not blocks:
            raise SlackFaultError("no_text")
        if length(text) > EDITED_TEXT_MOST:
            raise SlackFaultError("msg_too_long")
        metadata = metadata_of(args)
        message.text, message.blocks = text, message.blocks if blocks is None else blocks
        message.metadata = message.metadata if metadata is None else metadata
        self._workspace.edit(room, message)
        shown = self._workspace.shown(message, metadata=True)
        return {"channel": room.id, "ts": message.ts, "text": message.text, "message": shown}

    def delete(self, caller: Caller, args: Arguments) -> Body:
        """Take a message of one's own away."""
        room, message = self._own(caller, args, error="cant_delete_message")
        self._workspace.delete(room, message)
        return {"channel": room.id, "ts": message.ts}

    def permalink(self, caller: Caller, args: Arguments) -> Body:
        """Where people find a message."""
        room = self._workspace.room(args.required("channel"), seen_by=caller.user)
        message = self._workspace.message(room, args.required("message_ts"))
        digits = message.ts.replace(".", "")
        thread = f"?thread_ts={message.thread_ts}&cid={room.id}" if message.thread_ts else ""
        url = f"https://{self._workspace.acme.domain}.slack.com/archives/{room.id}/p{digits}{thread}"
        return {"channel": room.id, "permalink": url}

    def _open_room(self, caller: Caller, args: Arguments) -> Room:
        wanted = args.required("channel")
        if wanted in self._workspace.people:
            return self._workspace.direct(caller.user, wanted)
        named = [room.id for room in self._workspace.rooms.values() if room.name and f"#{room.name}" == wanted]
        room = self._workspace.room(named[0] if named else wanted, seen_by=caller.user)
        return writable(room, caller)

    def _written(self, room: Room, caller: Caller, args: Arguments) -> Message:
        text, blocks = args.text("text"), blocks_of(args) or []
        if not text and not blocks:
            raise SlackFaultError("no_text")
        if length(text) > TEXT_MOST:
            raise SlackFaultError("msg_too_long")
        return Message(
            self._workspace.next_ts(),
            room.id,
            caller.user,
            text,
            blocks=blocks,
            thread_ts=thread_of(self._workspace, room, args),
            by_app=caller.is_app,
        )

    def _own(self, caller: Caller, args: Arguments, *, error: str) -> tuple[Room, Message]:
        room = self._workspace.room(args.required("channel"), seen_by=caller.user)
        ts = args.required("ts")
        if room.is_archived:
            raise SlackFaultError("is_archived")
        if caller.user not in room.members:
            raise SlackFaultError("channel_not_found")
        message = self._workspace.message(room, ts)
        if message.tombstone:
            raise SlackFaultError("message_not_found")
        if message.user != caller.user:
            raise SlackFaultError(error)
        return room, message


def writable(room: Room, caller: Caller) -> Room:
    """The same channel, if one may write there. Raises SlackFaultError."""
    if room.is_archived:
        raise SlackFaultError("is_archived")
    if caller.user not in room.members:
        raise SlackFaultError("not_in_channel")
    return room


def thread_of(workspace: Workspace, room: Room, args: Arguments) -> str | None:
    """The thread that a message goes to, `None` for the channel. A reply's own ts means the thread it is in; one that
    nothing has is taken as it is, as Slack does. Raises SlackFaultError for what is no ts."""
    wanted = args.text("thread_ts")
    if not wanted:
        return None
    if not _TS.fullmatch(wanted):
        raise SlackFaultError("invalid_thread_ts")
    parent = room.messages.get(wanted)
    return parent.thread_ts if parent is not None and parent.thread_ts else wanted


def blocks_of(args: Arguments) -> list[Body] | None:
    """The blocks, checked and numbered; `None` where nothing was said. Raises SlackFaultError."""
    blocks: Any = args.parsed("blocks", error="invalid_blocks_format")
    if blocks is None:
        return None
    check_message(blocks)
    return numbered(blocks)


def metadata_of(args: Arguments) -> Body | None:
    """The app's own metadata. Raises SlackFaultError."""
    metadata = args.parsed("metadata", error="invalid_metadata_format")
    if metadata is None:
        return None
    kind, payload = (
        metadata.get(name) if isinstance(metadata, dict) else None for name in ("event_type", "event_payload")
    )
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise SlackFaultError("invalid_metadata_schema")
    return {"event_type": kind, "event_payload": payload}
