"""What people hold back, as it is remembered: a part of `bot.ports.store.Transaction`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.hold import Freeze, Lock
from bot.domain.target import Target


class Holds(Protocol):
    """Freezes, one a scope, and locks, one a target. What is over is nobody's hindrance, whether or not it is cleared
    away."""

    async def freeze(self, freeze: Freeze) -> None:
        """Put a freeze in force; one of the same scope gives way to it."""
        ...

    async def unfreeze(self, scope: str) -> Freeze | None:
        """Lift the freeze of a scope, and tell which it was; `None`: there was none."""
        ...

    async def freezes(self, at: datetime) -> Sequence[Freeze]:
        """The freezes that are in force at `at` or begin later, in order of beginning."""
        ...

    async def lock(self, lock: Lock) -> bool:
        """Lock a target; False when it is locked already, by whomever (nothing is changed then)."""
        ...

    async def unlock(self, target: Target) -> Lock | None:
        """Take a target's lock away, and tell which it was; `None`: there was none."""
        ...

    async def locked(self, target: Target) -> Lock | None:
        """The lock of a target."""
        ...

    async def locks(self) -> Sequence[Lock]:
        """All locks, the oldest first."""
        ...

    async def reminded(self, target: Target, *, at: datetime) -> None:
        """Its owner was asked whether the lock of this target is still needed."""
        ...
