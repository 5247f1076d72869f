"""What we need from the chat: messages that are posted once, edited in place, found again and read."""

from dataclasses import dataclass
from typing import NewType, Protocol

from bot.domain.ids import ChannelId, MessageKey, UserId
from bot.domain.json import JsonObject
from bot.domain.picture import Picture

FileId = NewType("FileId", str)
"""A file that the chat has taken."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is: its channel and its timestamp id."""

    channel: ChannelId
    ts: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says. `text` is the whole message without blocks (notifications, screen readers, terminals);
    `blocks` are Block Kit objects within Slack's limits; empty: text only. A message that is shown with its `picture`
    shows `text` in place of `blocks`, and is not edited."""

    text: str
    blocks: tuple[JsonObject, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Reactions:
    """Who reacted with what, as read now: emoji name (without skin tone) and users in Slack's order.

    `complete` is False when Slack's list of users is shorter than its count: then nobody may be counted.
    """

    by_emoji: tuple[tuple[str, tuple[UserId, ...]], ...]
    complete: bool = True

    def users(self, emoji: str) -> tuple[UserId, ...]:
        """Everybody who gave that emoji; empty when nobody did."""
        return next((users for name, users in self.by_emoji if name == emoji), ())


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What a channel is now. `shared`: people of other workspaces are in it."""

    id: ChannelId
    name: str
    archived: bool = False
    shared: bool = False
    member: bool = True


class Chat(Protocol):
    """The workspace as the bot sees it. Every method may raise UnreachableError (with `retry_after` on 429)."""

    async def channel_id(self, name: str) -> ChannelId:
        """The id of `#name`, `name` or an id. Raises NotFoundError when the bot sees no such channel."""
        ...

    async def channel_state(self, channel: ChannelId) -> ChannelState:
        """What the channel is now. Raises ClosedError when the bot sees no such channel."""
        ...

    async def upload(self, key: MessageKey, picture: Picture) -> FileId:
        """Hand over the picture of a message, for a post to show. Safe to repeat: nobody sees what no post shows.

        Raises PermanentError when the chat takes no files from the bot.
        """
        ...

    async def post(
        self,
        channel: ChannelId,
        key: MessageKey,
        content: Content,
        *,
        thread_ts: str | None,
        picture: FileId | None = None,
    ) -> Place:
        """Post once, so that it is found by `key`. Not safe to repeat after an ambiguous failure: find first.

        With a `picture` that was uploaded for this key, the chat may show the message only a while after it took it:
        UnreachableError until it is found. A picture that the chat will not show is left out. Raises ClosedError when
        the channel is gone, archived or closed to the bot, RefusedError when it may not post.
        """
        ...

    async def find(
        self, channel: ChannelId, key: MessageKey, *, thread_ts: str | None, since_ts: float
    ) -> Place | None:
        """The message with `key` that was posted at or after `since_ts` (seconds since the epoch), if there is one."""
        ...

    async def update(self, place: Place, key: MessageKey, content: Content) -> None:
        """Edit in place; safe to repeat. Raises NotFoundError when the message was deleted, UneditableError when this
        very message can never be edited again, ClosedError as `post` does.
        """
        ...

    async def whisper(self, channel: ChannelId, user: UserId, content: Content, *, thread_ts: str | None) -> None:
        """Show something to one person only (ephemeral); falls back to a direct message where the bot is not in."""
        ...

    async def react(self, place: Place, emoji: str) -> None:
        """Add the bot's own reaction; safe to repeat."""
        ...

    async def reactions(self, place: Place) -> Reactions:
        """All reactions on a message, read in full. Raises NotFoundError when the message was deleted, ClosedError
        when the bot does not see its channel: then nobody knows."""
        ...
