"""What people hold back: a freeze stops an environment or everything, a lock keeps one target for one person."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.ids import UserId
from bot.domain.plan import Verb
from bot.domain.target import Target

EVERYTHING = "all"
"""The scope of a freeze that stops every environment. No exemption and no broken glass passes it."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """A person's freeze. `scope` is an environment or `EVERYTHING`; `until` `None`: until somebody lifts it."""

    scope: str
    by: UserId
    since: datetime
    until: datetime | None
    reason: str

    def covers(self, environment: str, at: datetime) -> bool:
        """Whether nothing may change in this environment at this time because of it."""
        return self.scope in (environment, EVERYTHING) and self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Lock:
    """A person keeps a target to themselves. `reminded_at`: when they were last asked whether they still need it."""

    target: Target
    owner: UserId
    since: datetime
    reason: str
    reminded_at: datetime | None = field(default=None)

    def lets(self, user: UserId, verb: Verb) -> bool:
        """Whether what this person asks for may go on: the owner's own wishes, and anybody's way back.

        A rollback passes because the way back is never to depend on finding the one who holds the lock; it is told
        loudly, to the channel and to them.
        """
        return user == self.owner or verb is Verb.ROLLBACK

    def __str__(self) -> str:
        return f"locked by <@{self.owner}> since {self.since:%Y-%m-%d %H:%M} UTC: {self.reason}"
