"""notify: a message stands in a channel."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from bot.domain.ids import MessageKey
from bot.domain.outcome import Outcome, Pending, Succeeded
from bot.ports.chat import Content
from bot.ports.execution import StepContext
from bot.ports.narrator import Telling
from bot.ports.store import Store
from runbooks.kinds import StepKind, StepSpec

LONGEST_TEXT = 2500
"""Characters that one section of a message holds, with room for escapes."""


class NotifySpec(StepSpec):
    """`text`: what to say (mrkdwn; what is looked up is escaped). `channel`: where; the service's when left out."""

    shorthand: ClassVar[str | None] = "text"
    told: ClassVar[bool] = True
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    channel: str = ""

    def read_aloud(self) -> str:
        return f"Tell {self.channel or 'the service’s channel'}: “{self.text}”"


KIND = StepKind(
    name="notify",
    spec=NotifySpec,
    changes=False,
    deadline=timedelta(minutes=1),
    about="Post a message of its own to a channel.",
)


LOOK = timedelta(seconds=2)
PATIENCE = timedelta(seconds=30)
"""So long a message may be on its way; then the run goes on without it, and says so. No release waits for a channel
that will not have a message."""


class Notify:
    """Puts the message into the outbox under a deterministic key: a repeated pass changes nothing. Done when the
    message stands, or when it was waited for long enough."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def reconcile(self, context: StepContext) -> Outcome:
        # Outputs of earlier steps may have made it longer than its author wrote it.
        spec = NotifySpec.model_validate({**context.params, "text": cut(str(context.params["text"]))})
        channel = spec.channel or context.plan.channel
        key = MessageKey(f"{context.run.id}/notify/{context.run.edition}/{context.step.key}")
        async with self._store.transaction() as tx:
            await tx.tell([Telling(key, channel, Content(spec.text))], at=context.now)
            letter = await tx.letter(key)
        if letter and letter.place:
            return Succeeded(f"told {channel}")
        error = letter.error if letter else ""
        waited = context.now - (context.seen.started_at or context.now)
        if waited < min(PATIENCE, context.step.deadline / 2):
            why = f"{channel} cannot be told: {error}" if error else f"the message to {channel} is on its way"
            return Pending(why, requeue_after=LOOK, blocked=bool(error))
        return Succeeded(f"{channel} is not told yet, the message waits{f': {error}' if error else ''}")


def cut(text: str) -> str:
    """At most LONGEST_TEXT characters, visibly cut."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
