"""Who somebody is, and who is in a user group: read when it matters, never remembered past a decision."""

from typing import Protocol

from bot.domain.approval import Person
from bot.domain.ids import UserId


class Directory(Protocol):
    """The workspace's people. Every method may raise UnreachableError, upon which nobody counts."""

    @property
    def me(self) -> UserId:
        """The bot that is Sluice; known from the start, without asking."""
        ...

    async def person(self, user: UserId) -> Person:
        """What the workspace knows about a user now. Raises NotFoundError for a user it does not know."""
        ...

    async def members(self, group: str) -> frozenset[UserId]:
        """The people in the user group with that handle (`@release-approvers`). Raises NotFoundError."""
        ...
