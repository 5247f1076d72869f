"""What those do who look after the workspace: channels, user groups, accounts. Channels by `#name`, `name` or id.

None of it waits for the app or asks whether Slack is up: it is for tests, tours and faults.
"""

from collections.abc import Iterable
from dataclasses import replace

from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.records import Room
from bot.sandbox.slack.workspace import Workspace

ELSEWHERE = "T0ELSEWHERE"
"""The workspace that a channel is shared with."""


class Admins:
    """Each raises SlackFaultError for what is not there."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def archives(self, channel: str, *, user: str = "U0ANN") -> None:
        """Close a channel."""
        room = self._room(channel)
        room.is_archived = True
        self._workspace.change_room(room, "archive", user=user)

    def unarchives(self, channel: str, *, user: str = "U0ANN") -> None:
        """Open it again."""
        room = self._room(channel)
        room.is_archived = False
        self._workspace.change_room(room, "unarchive", user=user)

    def removes(self, channel: str) -> None:
        """Delete a channel with everything in it."""
        room = self._room(channel)
        del self._workspace.rooms[room.id]
        self._workspace.change_room(room, "deleted")

    def renames(self, channel: str, name: str) -> None:
        """Give a channel another name."""
        room = self._room(channel)
        room.name = name
        self._workspace.change_room(room, "rename")

    def shares(self, channel: str) -> None:
        """Share a channel with another workspace."""
        room = self._room(channel)
        room.is_shared = True
        self._workspace.change_room(room, "shared", connected_team_id=ELSEWHERE)

    def unshares(self, channel: str) -> None:
        """Have a channel for ourselves again."""
        room = self._room(channel)
        room.is_shared = False
        self._workspace.change_room(room, "unshared", previously_connected_team_id=ELSEWHERE, is_ext_shared=False)

    def removes_bot(self, channel: str, *, user: str = "U0ANN") -> None:
        """Take the bot out of a channel."""
        room = self._room(channel)
        room.members.discard(self._workspace.acme.app.user)
        self._workspace.change_room(room, "left", actor_id=user)

    def invites_bot(self, channel: str) -> None:
        """Let the bot into a channel."""
        room = self._room(channel)
        room.members.add(self._workspace.acme.app.user)
        self._workspace.change_room(room, "joined")

    def regroups(self, handle: str, members: Iterable[str]) -> None:
        """Say by id who is in a user group."""
        wanted = handle.removeprefix("@")
        group = next((group for group in self._workspace.groups.values() if group.handle == wanted), None)
        if group is None:
            raise SlackFaultError("no_such_subteam")
        self._workspace.groups[group.id] = replace(group, members=tuple(members))

    def _room(self, channel: str) -> Room:
        wanted = channel.removeprefix("#")
        for room in self._workspace.rooms.values():
            if wanted in (room.id, room.name):
                return room
        raise SlackFaultError("channel_not_found")
