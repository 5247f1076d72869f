"""What changes of a run look like in the channel: pure, called inside the transaction that makes the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.events import Event
from bot.domain.ids import MessageKey, UserId
from bot.domain.run import Run
from bot.ports.chat import Content


@dataclass(frozen=True, slots=True)
class Telling:
    """A message as it shall stand in its channel. The same `key` again replaces the content (one edit, coalesced).

    `channel` is a name or an id. `under` is the key of the message whose thread this belongs to. `to`: only this person
    sees it. `seeds` are reactions the bot adds. `urgent`: goes before progress when the channel's budget is short.
    """

    key: MessageKey
    channel: str
    content: Content
    under: MessageKey | None = None
    to: UserId | None = None
    seeds: tuple[str, ...] = ()
    urgent: bool = False
    thread_ts: str | None = None

    @property
    def lane(self) -> str:
        """What shares one rate limit: a channel's messages; what is shown to one person alone has a lane of its own."""
        return f"to {self.to}" if self.to else self.channel


class Narrator(Protocol):
    """Pure and total: the same run and events give the same messages."""

    def tell(self, before: Run | None, after: Run, events: Sequence[Event]) -> tuple[Telling, ...]:
        """The messages that now differ."""
        ...
