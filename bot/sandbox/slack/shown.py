"""What Slack's client shows somebody for what they did."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shown:
    """`acknowledged`: Slack and the app took it. `error`: Slack's word for why not (`operation_timeout`, …).

    `text`: what that person alone is told: the app's private answer, or why it did not work. `ts`: the message that
    came of it, a private one included. `errors`: by block, what is wrong in a modal, which stays open then.
    """

    acknowledged: bool
    error: str = ""
    text: str = ""
    ts: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
