"""conversations.*: channels, their histories and threads."""

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.method import Body, Caller, Method
from bot.sandbox.slack.paging import page
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.workspace import Workspace

READ = ("channels:read", "groups:read")
HISTORY = ("channels:history", "groups:history")
_TYPES = {"channel": "public_channel", "group": "private_channel", "im": "im"}


class ConversationMethods:
    """The methods, over a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> dict[str, Method]:
        """By name."""
        return {
            "conversations.info": Method(self.info, READ),
            "conversations.list": Method(self.all, READ),
            "conversations.members": Method(self.members, READ),
            "conversations.history": Method(self.history, HISTORY),
            "conversations.replies": Method(self.replies, HISTORY),
            "conversations.open": Method(self.open, ("im:write",)),
            "conversations.join": Method(self.join, ("channels:join",)),
            "conversations.archive": Method(self.archive, ("channels:manage", "groups:write")),
            "conversations.unarchive": Method(self.unarchive, ("channels:manage", "groups:write")),
        }

    def info(self, caller: Caller, args: Arguments) -> Body:
        """What a channel is."""
        return {"channel": self._workspace.room_shown(self._room(caller, args), user=caller.user)}

    def all(self, caller: Caller, args: Arguments) -> Body:
        """The channels that the caller sees."""
        types = (args.text("types") or "public_channel").split(",")
        if any(kind.strip() not in (*_TYPES.values(), "mpim") for kind in types):
            raise SlackFaultError("invalid_types")
        wanted = {kind.strip() for kind in types}
        closed = args.flag("exclude_archived")
        rooms = [
            room
            for room in sorted(self._workspace.rooms.values(), key=lambda room: room.id)
            if _TYPES[room.kind] in wanted and room.is_seen_by(caller.user) and not (closed and room.is_archived)
        ]
        shown, cursor = page(rooms, args, key=lambda room: room.id)
        listed = [self._workspace.room_shown(room, user=caller.user) for room in shown]
        return {"channels": listed, "response_metadata": {"next_cursor": cursor}}

    def members(self, caller: Caller, args: Arguments) -> Body:
        """Who is in a channel."""
        room = self._room(caller, args)
        shown, cursor = page(sorted(room.members), args, key=str)
        return {"members": shown, "response_metadata": {"next_cursor": cursor}}

    def history(self, caller: Caller, args: Arguments) -> Body:
        """The channel's own messages, newest first."""
        room = self._read(caller, args)
        found = [message for message in _between(room, args) if message.thread_ts is None]
        return self._page(found[::-1], args, is_descending=True)

    def replies(self, caller: Caller, args: Arguments) -> Body:
        """A message and the replies to it, oldest first."""
        room = self._read(caller, args)
        ts = args.required("ts")
        asked = room.messages.get(ts)
        root = asked.thread_ts or asked.ts if asked is not None and asked.only_for is None else ts
        thread = [message for message in _shared(room) if root in (message.ts, message.thread_ts)]
        if not thread:
            raise SlackFaultError("thread_not_found")
        within = {message.ts for message in _between(room, args)} | {root}  # the first is always shown
        return self._page([message for message in thread if message.ts in within], args)

    def open(self, caller: Caller, args: Arguments) -> Body:
        """The conversation with somebody."""
        users = [user.strip() for user in args.text("users").split(",") if user.strip()]
        if args.text("channel") and not users:
            return {"channel": self._workspace.room_shown(self._room(caller, args), user=caller.user)}
        if not users:
            raise SlackFaultError("users_list_not_supplied")
        if len(users) > 1:
            raise SlackFaultError("method_not_supported_for_channel_type")
        if users[0] not in self._workspace.people:
            raise SlackFaultError("user_not_found")
        if self._workspace.people[users[0]].is_deleted:
            raise SlackFaultError("user_disabled")
        return {"channel": {"id": self._workspace.direct(caller.user, users[0]).id}}

    def join(self, caller: Caller, args: Arguments) -> Body:
        """Come into a public channel."""
        room = self._room(caller, args)
        if room.kind != "channel":
            raise SlackFaultError("method_not_supported_for_channel_type")
        if room.is_archived:
            raise SlackFaultError("is_archived")
        room.members.add(caller.user)
        return {"channel": self._workspace.room_shown(room, user=caller.user)}

    def archive(self, caller: Caller, args: Arguments) -> Body:
        """Close a channel."""
        return self._set_archived(self._room(caller, args), caller, is_archived=True)

    def unarchive(self, caller: Caller, args: Arguments) -> Body:
        """Open it again."""
        return self._set_archived(self._room(caller, args), caller, is_archived=False)

    def _set_archived(self, room: Room, caller: Caller, *, is_archived: bool) -> Body:
        if room.is_direct:
            raise SlackFaultError("method_not_supported_for_channel_type")
        if room.is_archived == is_archived:
            raise SlackFaultError("already_archived" if is_archived else "not_archived")
        if caller.user not in room.members:
            raise SlackFaultError("not_in_channel")
        room.is_archived = is_archived
        self._workspace.change_room(room, "archive" if is_archived else "unarchive", user=caller.user)
        return {}

    def _room(self, caller: Caller, args: Arguments) -> Room:
        return self._workspace.room(args.required("channel"), seen_by=caller.user)

    def _read(self, caller: Caller, args: Arguments) -> Room:
        room = self._room(caller, args)
        if caller.user not in room.members:
            raise SlackFaultError("not_in_channel")
        return room

    def _page(self, messages: list[Message], args: Arguments, *, is_descending: bool = False) -> Body:
        shown, cursor = page(messages, args, key=lambda message: message.ts, is_descending=is_descending)
        metadata = args.flag("include_all_metadata")
        listed = [self._workspace.shown(message, metadata=metadata) for message in shown]
        more = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
        return {"messages": listed, "has_more": bool(cursor), **more}


def _shared(room: Room) -> list[Message]:
    return [message for message in room.messages.values() if message.only_for is None]


def _between(room: Room, args: Arguments) -> list[Message]:
    oldest = _moment(args.text("oldest"), "invalid_ts_oldest") or 0.0
    latest = _moment(args.text("latest"), "invalid_ts_latest") or float("inf")
    inclusive = args.flag("inclusive")
    found = []
    for message in _shared(room):
        ts = float(message.ts)
        if oldest < ts < latest or (inclusive and ts in (oldest, latest)):
            found.append(message)
    return found


def _moment(text: str, error: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        raise SlackFaultError(error) from None
