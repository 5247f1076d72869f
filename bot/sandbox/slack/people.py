"""What people do in Slack's client, and what it shows them for it. They are named `ann`, `@ann` or by id."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import ParamSpec

from bot.ports.chat import Place
from bot.sandbox.loopback import Outage
from bot.sandbox.slack.acme import Person
from bot.sandbox.slack.fault import SlackFaultError
from bot.sandbox.slack.filling import Entry
from bot.sandbox.slack.interactions import Interactions
from bot.sandbox.slack.reaction_methods import emoji
from bot.sandbox.slack.records import Message, Room
from bot.sandbox.slack.shown import Shown
from bot.sandbox.slack.workspace import Workspace

P = ParamSpec("P")

LONGEST_TEXT = 40_000
"""Characters of one message (docs.slack.dev/changelog/2018-truncating-really-long-messages)."""

IS_DOWN = "Slack is down: nothing was sent."
"""What people read while the workspace is away."""


Shows = Callable[P, Awaitable[Shown]]


def _told(act: Shows[P]) -> Shows[P]:
    """What Slack's client would not do is told, not raised."""

    @wraps(act)
    async def acting(*args: P.args, **kwargs: P.kwargs) -> Shown:
        try:
            return await act(*args, **kwargs)
        except SlackFaultError as fault:
            return refused(fault)

    return acting


class People:
    """Everybody with an account. Nothing here raises for what a person may try: `Shown` says what became of it."""

    def __init__(self, workspace: Workspace, interactions: Interactions, outage: Outage) -> None:
        self._workspace = workspace
        self._interactions = interactions
        self._outage = outage

    @_told
    async def says(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Shown:
        """Type a line and send it. One that begins with `/` is a command: its answer is for that person alone."""
        person, room = self._there(user, channel)
        if not text.strip():
            raise SlackFaultError("no_text")
        if len(text) > LONGEST_TEXT:
            raise SlackFaultError("msg_too_long")
        if text.startswith("/"):
            return await self._interactions.command(person, room, text.strip(), thread_ts=thread_ts)
        message = self._written(person, room, text, thread_ts=thread_ts)
        self._workspace.post(room, message)
        return Shown(acknowledged=True, ts=message.ts)

    @_told
    async def reacts(self, user: str, place: Place, name: str) -> Shown:
        """Give a reaction."""
        person, room, message = self._before(user, place)
        self._workspace.react(room, message, emoji(name), user=person.id)
        return Shown(acknowledged=True, ts=place.ts)

    @_told
    async def takes_back(self, user: str, place: Place, name: str) -> Shown:
        """Take a reaction of one's own back."""
        person, room, message = self._before(user, place)
        self._workspace.take_back(room, message, emoji(name), user=person.id)
        return Shown(acknowledged=True, ts=place.ts)

    @_told
    async def deletes(self, user: str, place: Place) -> Shown:
        """Delete a message: one's own, or as somebody who looks after the workspace."""
        _, room, message = self._before(user, place)
        self._workspace.delete(room, message)
        return Shown(acknowledged=True, ts=place.ts)

    @_told
    async def presses(
        self, user: str, place: Place, action_id: str, *, block_id: str | None = None, option: str | None = None
    ) -> Shown:
        """Press a button of a message (and confirm it, if it asks), or choose an `option` of a menu by its value."""
        person, room = self._there(user, place.channel)
        message = room.messages.get(place.ts)
        if message is None or message.only_for not in (None, person.id):
            raise SlackFaultError("message_not_found")
        return await self._interactions.press(person, room, message, action_id, block_id=block_id, option=option)

    @_told
    async def submits(self, user: str, view_id: str, values: Mapping[str, Entry]) -> Shown:
        """Send a modal; `values` by block: a text or the value of an option. With `errors` it stays open."""
        return await self._interactions.submit(self._person(user), view_id, values)

    @_told
    async def dismisses(self, view_id: str, *, user: str | None = None) -> Shown:
        """Put a modal away. With `user`, only if it is theirs."""
        wanted = None if user is None else self._person(user).id
        return await self._interactions.dismiss(view_id, user=wanted)

    def find(self, user: str) -> Person:
        """Somebody by name or id. Raises SlackFaultError (`user_not_found`)."""
        wanted = user.removeprefix("@")
        for person in self._workspace.people.values():
            if wanted in (person.id, person.name):
                return person
        raise SlackFaultError("user_not_found")

    def _person(self, user: str) -> Person:
        if self._outage.down:
            raise SlackFaultError("slack_is_down")
        person = self.find(user)
        if person.is_bot:
            raise SlackFaultError("user_is_bot")
        if person.is_deleted:
            raise SlackFaultError("account_inactive")
        return person

    def _there(self, user: str, channel: str) -> tuple[Person, Room]:
        """The person and the channel they act in."""
        person = self._person(user)
        wanted = channel.removeprefix("#")
        named = (room.id for room in self._workspace.rooms.values() if wanted == room.name)
        room = self._workspace.room(next(named, wanted), seen_by=person.id)
        if person.id not in room.members:
            raise SlackFaultError("not_in_channel")
        if room.is_archived:
            raise SlackFaultError("is_archived")
        return person, room

    def _written(self, person: Person, room: Room, text: str, *, thread_ts: str | None) -> Message:
        if thread_ts is not None:
            parent = self._workspace.message(room, thread_ts, error="thread_not_found")
            thread_ts = parent.thread_ts or parent.ts
        sent = self._workspace.typed(text)
        return Message(self._workspace.next_ts(), room.id, person.id, sent, thread_ts=thread_ts)

    def _before(self, user: str, place: Place) -> tuple[Person, Room, Message]:
        """The person, the channel, and the message they act on."""
        person, room = self._there(user, place.channel)
        message = self._workspace.message(room, place.ts)
        if message.tombstone:
            raise SlackFaultError("message_not_found")
        return person, room, message


def refused(fault: SlackFaultError) -> Shown:
    """What a person reads when their client would not do it."""
    said = IS_DOWN if fault.error == "slack_is_down" else f"That did not work: {fault.error.replace('_', ' ')}."
    return Shown(acknowledged=False, error=fault.error, text=said)
