"""What the workspace keeps: channels, their messages, files."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class File:
    """A file. It is seen by nobody until a message shows it; `content` is `None` until it was sent."""

    id: str
    name: str
    length: int
    user: str
    alt: str = ""
    title: str = ""
    content: bytes | None = None
    created: int = 0
    shares: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def mimetype(self) -> str:
        """By its first bytes: what a browser may be told it is."""
        is_png = self.content is not None and self.content.startswith(b"\x89PNG\r\n\x1a\n")
        return "image/png" if is_png else "application/octet-stream"


@dataclass(slots=True)
class Message:
    """A message, or with `only_for` something that one person is shown (ephemeral): no history knows of that.

    `by_app`: written by the bot's app. `tombstone`: deleted, though its replies stand.
    """

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    by_app: bool = False
    only_for: str | None = None
    metadata: dict[str, Any] | None = None
    files: list[File] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited_ts: str | None = None
    tombstone: bool = False
    reply_count: int = 0


@dataclass(slots=True)
class Room:
    """A channel, or a conversation of two (`is_direct`). `messages` by their ts, oldest first."""

    id: str
    name: str
    members: set[str]
    is_private: bool = False
    is_direct: bool = False
    is_archived: bool = False
    is_shared: bool = False
    created: int = 0
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Slack's word for it in events."""
        return "im" if self.is_direct else "group" if self.is_private else "channel"

    def is_seen_by(self, user: str) -> bool:
        """Whether it exists for that person. People see public channels that they are not in."""
        return user in self.members or not (self.is_private or self.is_direct)
