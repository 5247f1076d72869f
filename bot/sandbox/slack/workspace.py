"""The workspace itself: channels, messages, reactions. Every change is noted for pages and told to the app as an event.

Nothing here asks who may do what: the Web API and the people's side do, each by its own rules.
"""

from collections.abc import Callable
from typing import Any

from bot.ports.clock import Clock
from bot.sandbox.slack.acme import Acme, Group, Person
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.journal import Journal
from bot.sandbox.slack.markup import as_sent
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.rendering import message_json, reactions_json, room_json

MESSAGES_KEPT = 3000
"""In one channel; the oldest drop out."""

Body = dict[str, Any]
OnEvent = Callable[[Room, Body], None]


class Workspace:
    """What is there now. `on_event(room, event)` hears of everything that Slack has an event for."""

    def __init__(self, acme: Acme, *, clock: Clock, journal: Journal, kept: int = MESSAGES_KEPT) -> None:
        self.acme = acme
        self.journal = journal
        self.url = ""
        self.on_event: OnEvent = lambda _room, _event: None
        self._clock = clock
        self._kept = kept
        self._last_us = 0
        app = acme.app
        self.people = {person.id: person for person in (*acme.people, Person(app.user, app.name, is_bot=True))}
        self.groups: dict[str, Group] = {group.id: group for group in acme.groups}
        everybody = {person.id for person in self.people.values() if not person.is_deleted}
        self.rooms: dict[str, Room] = {
            row.id: Room(
                row.id,
                row.name,
                set(everybody if row.members is None else row.members),
                is_private=row.is_private,
                created=self.now_s(),
            )
            for row in acme.channels
        }

    # --- time ---

    def now_s(self) -> int:
        """Seconds since the epoch."""
        return int(self._clock.now().timestamp())

    def next_ts(self) -> str:
        """The present as a ts that nothing else has: later than every one before."""
        self._last_us = max(self._last_us + 1, int(self._clock.now().timestamp() * 1_000_000))
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    # --- looking ---

    def room(self, wanted: str, *, seen_by: str) -> Room:
        """A channel by its id. Raises SlackFaultError where that user sees none."""
        room = self.rooms.get(wanted)
        if room is None or not room.is_seen_by(seen_by):
            raise SlackFaultError("channel_not_found")
        return room

    def direct(self, one: str, other: str) -> Room:
        """The conversation of two, made at need."""
        for room in self.rooms.values():
            if room.is_direct and room.members == {one, other}:
                return room
        room = Room(f"D0{one[2:]}{other[2:]}", "", {one, other}, is_direct=True, created=self.now_s())
        self.rooms[room.id] = room
        return room

    def message(self, room: Room, ts: str, *, error: str = "message_not_found") -> Message:
        """A message that everybody in the channel sees. Raises SlackFaultError for none."""
        found = room.messages.get(ts)
        if found is None or found.only_for is not None:
            raise SlackFaultError(error)
        return found

    def typed(self, text: str) -> str:
        """A typed text as a message holds it."""
        people = {person.name: f"<@{person.id}>" for person in self.people.values()}
        groups = {group.handle: f"<!subteam^{group.id}>" for group in self.groups.values()}
        return as_sent(text, mentions=people | groups)

    # --- changing ---

    def post(self, room: Room, message: Message) -> Message:
        """Put a message that was made for this channel there. A reply is counted with the one it answers."""
        room.messages[message.ts] = message
        while len(room.messages) > self._kept:
            del room.messages[next(iter(room.messages))]
        parent = room.messages.get(message.thread_ts or "")
        if parent is not None and message.only_for is None:
            parent.reply_count += 1
        self._note("message", room, message)
        if message.only_for is None:
            subtype = {"subtype": "file_share"} if message.files else {}
            self._happened(room, self.shown(message) | subtype)
        return message

    def edit(self, room: Room, message: Message) -> None:
        """Its words, blocks or metadata were changed."""
        message.edited_ts = self.next_ts()
        self._note("edited", room, message)
        if message.only_for is None:
            self._happened(room, {"type": "message", "subtype": "message_changed", "message": self.shown(message)})

    def delete(self, room: Room, message: Message) -> None:
        """Take a message away; where replies stand it becomes a tombstone."""
        was = self.shown(message)
        if message.reply_count:
            message.tombstone = True
            message.text, message.blocks, message.files, message.reactions = "", [], [], {}
            self._note("edited", room, message)
            now = {"subtype": "message_changed", "message": self.shown(message)}
        else:
            self._remove(room, message)
            now = {"subtype": "message_deleted", "deleted_ts": message.ts}
        if message.only_for is None:
            self._happened(room, {"type": "message", "previous_message": was, "hidden": True, **now})

    def react(self, room: Room, message: Message, name: str, *, user: str) -> None:
        """Give a reaction. Raises SlackFaultError for one that was given before."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            raise SlackFaultError("already_reacted")
        users.append(user)
        self._reacted(room, message, name, user=user, is_on=True)

    def take_back(self, room: Room, message: Message, name: str, *, user: str) -> None:
        """Remove a reaction. Raises SlackFaultError for one that is not there."""
        if user not in message.reactions.get(name, ()):
            raise SlackFaultError("no_reaction")
        message.reactions[name].remove(user)
        if not message.reactions[name]:
            del message.reactions[name]
        self._reacted(room, message, name, user=user, is_on=False)

    def change_room(self, room: Room, event: str, **more: Any) -> None:
        """The channel itself was changed: told to pages, and to the app as `channel_EVENT` or `group_EVENT`."""
        self.journal.note("channel", {"channel": self.room_shown(room, user="")}, audience=self.audience(room))
        self.on_event(room, {"type": f"{room.kind}_{event}", "channel": room.id, **more})

    # --- showing ---

    def shown(self, message: Message, *, metadata: bool = False) -> Body:
        """A message as JSON."""
        return message_json(message, self.acme, metadata=metadata, url=self.url)

    def room_shown(self, room: Room, *, user: str) -> Body:
        """A channel as JSON."""
        return room_json(room, self.acme, user=user)

    def audience(self, room: Room) -> frozenset[str] | None:
        """Who sees what happens there; `None` for everybody."""
        return frozenset(room.members) if room.is_private or room.is_direct else None

    def page_message(self, message: Message) -> Body:
        """A message as pages get it: with a mark on what only one person sees."""
        return self.shown(message) | ({"is_ephemeral": True} if message.only_for else {})

    def _remove(self, room: Room, message: Message) -> None:
        del room.messages[message.ts]
        parent = room.messages.get(message.thread_ts or "")
        if parent is not None and message.only_for is None:
            parent.reply_count -= 1
        self._note("deleted", room, message)

    def _note(self, kind: str, room: Room, message: Message) -> None:
        body: Body = {"channel": room.id, "ts": message.ts}
        if kind != "deleted":
            body["message"] = self.page_message(message)
        only = message.only_for
        self.journal.note(kind, body, audience=frozenset({only}) if only else self.audience(room))

    def _happened(self, room: Room, event: Body) -> None:
        self.on_event(room, event | {"channel": room.id, "channel_type": room.kind})

    def _reacted(self, room: Room, message: Message, name: str, *, user: str, is_on: bool) -> None:
        body: Body = {"channel": room.id, "ts": message.ts, "name": name, "user": user, "on": is_on}
        now = {"reactions": reactions_json(message)}
        self.journal.note("reaction", body | now, audience=self.audience(room))
        item = {"type": "message", "channel": room.id, "ts": message.ts}
        event: Body = {"type": "reaction_added" if is_on else "reaction_removed", "user": user, "reaction": name}
        self.on_event(room, event | {"item": item, "item_user": message.user})
