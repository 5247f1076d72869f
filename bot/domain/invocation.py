"""What somebody asked, as it was heard: stored before it is answered, handled once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.ids import ChannelId, UserId


class Origin(StrEnum):
    """The door through which something came in."""

    SLASH = "slash"
    MENTION = "mention"
    BUTTON = "button"
    FORM = "form"
    TERMINAL = "terminal"
    REACTION = "reaction"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One thing heard. `dedupe_key` is the sender's own id for it: a redelivery carries the same one.

    For commands `text` is the line as typed, verb first (`deploy api sha123 staging`). A button and a form become such
    a line too, so that there is one grammar. For `REACTION` it is the emoji's name, with `+` or `-` in front, and
    `message_ts` is the message it was put on. For `CHANNEL` it is the kind of the event (archived, shared, message
    deleted). `team_id` is the sender's workspace; empty where unknown.
    """

    dedupe_key: str
    origin: Origin
    user: UserId
    text: str
    channel: ChannelId
    received_at: datetime
    team_id: str = ""
    message_ts: str = ""
    thread_ts: str = ""
