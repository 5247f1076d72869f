"""What stands in the channels of the fake workspace."""

from dataclasses import dataclass, field

from bot.domain.ids import ChannelId, MessageKey, UserId
from bot.domain.picture import Picture
from bot.ports.chat import Content, FileId, Place


@dataclass(slots=True)
class Message:
    """One message of the bot. `edits` are its earlier contents, oldest first; `picture` is what it really shows."""

    place: Place
    key: MessageKey
    content: Content
    thread_ts: str | None
    edits: list[Content] = field(default_factory=list)
    reactions: dict[str, list[UserId]] = field(default_factory=dict)
    picture: Picture | None = None

    @property
    def text(self) -> str:
        """What it says now."""
        return self.content.text


@dataclass(frozen=True, slots=True)
class Whisper:
    """Something shown to one person. `direct`: as a direct message, as the channel was closed to the bot."""

    user: UserId
    channel: ChannelId
    content: Content
    thread_ts: str | None
    direct: bool


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A picture that was handed over, for the message with that key."""

    id: FileId
    key: MessageKey
    picture: Picture
