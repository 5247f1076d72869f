"""A Slack workspace in memory: the Chat and Directory ports, and people who react, delete and archive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.approval import Person
from bot.domain.errors import ClosedError, NotFoundError, RefusedError, UneditableError, UnreachableError
from bot.domain.ids import ChannelId, MessageKey, UserId
from bot.domain.picture import Picture
from bot.ports.chat import ChannelState, Content, FileId, Place, Reactions
from bot.ports.clock import Clock
from tests.fakes.messages import Message, Uploaded, Whisper
from tests.fakes.people import ANN, BOB, BOT, CID, DAN, PEOPLE

APPROVERS = "@release-approvers"
ON_CALL = "@on-call"
DEPLOYS, PROD, OPS = ChannelId("C0DEPLOYS"), ChannelId("C0PROD"), ChannelId("G0OPS")
CHANNELS = ((DEPLOYS, "deploys"), (PROD, "prod"), (OPS, "ops-private"))


class FakeWorkspace:
    """Slack as far as Sluice needs it. `down`: nothing answers. `takes_files`: False where the bot may not upload;
    `shows_files`: False where it may not share. `files_down`: the host that takes files does not answer.

    `on_write(when, what)` is called with "before" and "after" around every write; a crash test raises in it.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.down = False
        self.takes_files = True
        self.shows_files = True
        self.files_down = False
        self.uploads: list[Uploaded] = []
        self.on_write: Callable[[str, str], None] | None = None
        self.people: dict[UserId, Person] = {person.id: person for person in PEOPLE}
        self.groups: dict[str, set[UserId]] = {APPROVERS: {ANN, BOB, CID}, ON_CALL: {DAN}}
        self.channels: dict[ChannelId, ChannelState] = {
            channel: ChannelState(channel, name) for channel, name in CHANNELS
        }
        self.messages: list[Message] = []
        self.whispered: list[Whisper] = []
        self.looked_up: list[UserId] = []
        self._ambiguous = 0
        self._late_by: timedelta | None = None
        self._late: list[tuple[datetime, Message]] = []
        self._busy_for: timedelta | None = None
        self._cut_short: set[Place] = set()
        self._uneditable: set[Place] = set()
        self._last_ts_us = 0

    # --- Chat ---

    async def channel_id(self, name: str) -> ChannelId:
        self._answer()
        wanted = name.removeprefix("#")
        for channel in self.channels.values():
            if wanted in (channel.name, channel.id):
                return channel.id
        raise NotFoundError(f"the bot sees no channel #{wanted}")

    async def channel_state(self, channel: ChannelId) -> ChannelState:
        self._answer()
        return self._channel(channel)

    async def upload(self, key: MessageKey, picture: Picture) -> FileId:
        self._answer()
        if self.files_down:
            raise UnreachableError("the host that takes files does not answer")
        if not self.takes_files:
            raise RefusedError("add the scope files:write to the app and install it again")
        with self._writing(f"upload {key}"):
            file = FileId(f"F{len(self.uploads)}")
            self.uploads.append(Uploaded(file, key, picture))
        return file

    async def post(
        self,
        channel: ChannelId,
        key: MessageKey,
        content: Content,
        *,
        thread_ts: str | None,
        picture: FileId | None = None,
    ) -> Place:
        self._answer()
        self._open_channel(channel)
        shown = next((one.picture for one in self.uploads if one.id == picture and self.shows_files), None)
        late, self._late_by = self._late_by, None
        with self._writing(f"post {key}"):
            place = Place(channel, self._next_ts())
            message = Message(place, key, content, thread_ts, picture=shown)
            if late is None:
                self.messages.append(message)
            else:
                self._late.append((self.clock.now() + late, message))
        if late is not None:
            raise UnreachableError("Slack has taken the picture, but does not show it yet")
        if self._ambiguous:
            self._ambiguous -= 1
            raise UnreachableError("no answer to the post")
        return place

    async def find(
        self, channel: ChannelId, key: MessageKey, *, thread_ts: str | None, since_ts: float
    ) -> Place | None:
        self._answer()
        self._channel(channel)
        found = (m for m in self.messages if m.key == key and m.place.channel == channel and m.thread_ts == thread_ts)
        return next((m.place for m in found if float(m.place.ts) >= since_ts), None)

    async def update(self, place: Place, key: MessageKey, content: Content) -> None:
        self._answer()
        self._open_channel(place.channel)
        message = self.at(place)
        if place in self._uneditable:
            raise UneditableError("the message is too old to be edited in this workspace")
        with self._writing(f"update {key}"):
            message.edits.append(message.content)
            message.content = content

    async def whisper(self, channel: ChannelId, user: UserId, content: Content, *, thread_ts: str | None) -> None:
        self._answer()
        if user not in self.people:
            raise NotFoundError(f"{user} is not a user of this workspace")
        state = self.channels.get(channel)
        direct = state is None or state.archived or not state.member
        with self._writing(f"whisper {user}"):
            self.whispered.append(Whisper(user, channel, content, thread_ts, direct))

    async def react(self, place: Place, emoji: str) -> None:
        self._answer()
        self.at(place)
        with self._writing(f"react {emoji}"):
            self.reacts(BOT, place, emoji)

    async def reactions(self, place: Place) -> Reactions:
        self._answer()
        self._channel(place.channel)
        given = self.at(place).reactions
        listed = tuple((emoji, tuple(users)) for emoji, users in given.items() if users)
        return Reactions(listed, complete=place not in self._cut_short)

    # --- Directory ---

    @property
    def me(self) -> UserId:
        return BOT

    async def person(self, user: UserId) -> Person:
        self._answer()
        self.looked_up.append(user)
        if user not in self.people:
            raise NotFoundError(f"{user} is not a user of this workspace")
        return self.people[user]

    async def members(self, group: str) -> frozenset[UserId]:
        self._answer()
        handle = f"@{group.removeprefix('@')}"
        if handle not in self.groups:
            raise NotFoundError(f"the workspace has no user group {handle}")
        return frozenset(self.groups[handle])

    # --- what people do ---

    def reacts(self, user: UserId, place: Place, emoji: str) -> None:
        """Give a reaction; a second time changes nothing."""
        users = self.at(place).reactions.setdefault(emoji, [])
        if user not in users:
            users.append(user)

    def takes_back(self, user: UserId, place: Place, emoji: str) -> None:
        """Remove a reaction."""
        self.at(place).reactions[emoji].remove(user)

    def deletes(self, place: Place) -> None:
        """Delete a message; its replies stay."""
        self.messages.remove(self.at(place))

    def archives(self, channel: ChannelId) -> None:
        """Archive a channel."""
        self.channels[channel] = replace(self.channels[channel], archived=True)

    def renames(self, channel: ChannelId, name: str) -> None:
        """Give a channel another name."""
        self.channels[channel] = replace(self.channels[channel], name=name)

    def shares(self, channel: ChannelId) -> None:
        """Share a channel with another workspace."""
        self.channels[channel] = replace(self.channels[channel], shared=True)

    def removes_bot(self, channel: ChannelId) -> None:
        """Take the bot out of a channel."""
        self.channels[channel] = replace(self.channels[channel], member=False)

    def invites_bot(self, channel: ChannelId) -> None:
        """Let the bot in again."""
        self.channels[channel] = replace(self.channels[channel], member=True)

    def hides(self, channel: ChannelId) -> ChannelState:
        """Take the bot out of a private channel: it sees nothing of it any more. What it was, to be put back."""
        return self.channels.pop(channel)

    # --- what the network does ---

    def ambiguous_next_post(self) -> None:
        """The next post arrives, but its answer does not."""
        self._ambiguous += 1

    def shows_next_post_after(self, wait: timedelta) -> None:
        """The next post is taken, but seen only after a while, as with files."""
        self._late_by = wait

    def busy_once(self, retry_after: timedelta) -> None:
        """The next call is asked to come again later (HTTP 429)."""
        self._busy_for = retry_after

    def closes_edit_window(self, place: Place) -> None:
        """From now on the message that stands there cannot be edited."""
        self._uneditable.add(place)

    def cuts_reactions_short(self, place: Place) -> None:
        """From now on the list of who reacted is shorter than its count."""
        self._cut_short.add(place)

    # --- what a test reads ---

    def at(self, place: Place) -> Message:
        """The message that stands there. Raises NotFoundError."""
        found = next((message for message in self.messages if message.place == place), None)
        if found is None:
            raise NotFoundError(f"no message {place.ts} in {place.channel}")
        return found

    def message(self, key: str) -> Message:
        """The message with that key; more than one is a fault that no test wants."""
        found = [message for message in self.messages if message.key == key]
        assert len(found) == 1, f"{len(found)} messages have the key {key}"
        return found[0]

    def live(self, channel: ChannelId = DEPLOYS) -> list[str]:
        """The texts in the channel itself, oldest first, as they stand now."""
        return [m.text for m in self.messages if m.place.channel == channel and m.thread_ts is None]

    def thread(self, place: Place) -> list[str]:
        """The texts in a message's thread, oldest first."""
        return [m.text for m in self.messages if m.place.channel == place.channel and m.thread_ts == place.ts]

    def whispers(self, user: UserId) -> list[str]:
        """The texts that were shown to one person alone, oldest first."""
        return [whisper.content.text for whisper in self.whispered if whisper.user == user]

    # --- inside ---

    def _answer(self) -> None:
        now = self.clock.now()
        self.messages += [message for at, message in self._late if at <= now]
        self._late = [(at, message) for at, message in self._late if at > now]
        if self.down:
            raise UnreachableError("Slack does not answer")
        if self._busy_for is not None:
            retry_after, self._busy_for = self._busy_for, None
            raise UnreachableError("Slack asks to slow down", retry_after=retry_after)

    def _channel(self, channel: ChannelId) -> ChannelState:
        if channel not in self.channels:
            raise ClosedError(f"the bot sees no channel {channel}; if it is private, invite the bot: /invite @sluice")
        return self.channels[channel]

    def _open_channel(self, channel: ChannelId) -> None:
        state = self._channel(channel)
        if state.archived:
            raise ClosedError(f"#{state.name} is archived")
        if not state.member:
            raise ClosedError(f"the bot is not in #{state.name}; invite it: /invite @sluice")

    def _next_ts(self) -> str:
        self._last_ts_us = max(self._last_ts_us + 1, int(self.clock.now().timestamp() * 1_000_000))
        return f"{self._last_ts_us // 1_000_000}.{self._last_ts_us % 1_000_000:06d}"

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        """Call `on_write` around a write. A crash "before" leaves the workspace as it was."""
        if self.on_write:
            self.on_write("before", what)
        yield
        if self.on_write:
            self.on_write("after", what)
