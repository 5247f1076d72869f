"""reactions.*."""

import re

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.method import Body, Caller, Method
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.workspace import Workspace

NAME = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


class ReactionMethods:
    """The methods, over a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> dict[str, Method]:
        """By name."""
        return {
            "reactions.add": Method(self.add, ("reactions:write",)),
            "reactions.remove": Method(self.remove, ("reactions:write",)),
            "reactions.get": Method(self.get, ("reactions:read",)),
        }

    def add(self, caller: Caller, args: Arguments) -> Body:
        """Give one."""
        room, message = self._reactable(caller, args)
        self._workspace.react(room, message, emoji(args.required("name")), user=caller.user)
        return {}

    def remove(self, caller: Caller, args: Arguments) -> Body:
        """Take one's own back."""
        room, message = self._reactable(caller, args)
        self._workspace.take_back(room, message, emoji(args.required("name")), user=caller.user)
        return {}

    def get(self, caller: Caller, args: Arguments) -> Body:
        """All reactions to a message."""
        room = self._workspace.room(args.required("channel"), seen_by=caller.user)
        if caller.user not in room.members:
            raise SlackFaultError("message_not_found")
        message = self._workspace.message(room, args.required("timestamp"))
        shown = self._workspace.shown(message)
        return {"type": "message", "channel": room.id, "message": {"reactions": [], **shown}}

    def _reactable(self, caller: Caller, args: Arguments) -> tuple[Room, Message]:
        room = self._workspace.room(args.required("channel"), seen_by=caller.user)
        if room.is_archived:
            raise SlackFaultError("is_archived")
        if caller.user not in room.members:
            raise SlackFaultError("not_in_channel")
        message = self._workspace.message(room, args.required("timestamp"))
        if message.tombstone:
            raise SlackFaultError("message_not_found")
        return room, message


def emoji(name: str) -> str:
    """The name without its colons. Raises SlackFaultError."""
    bare = name.strip(":") if not NAME.fullmatch(name) else name
    if not NAME.fullmatch(bare):
        raise SlackFaultError("invalid_name")
    return bare
