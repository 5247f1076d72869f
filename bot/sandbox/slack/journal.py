"""What changed in the workspace, in order and by number: a page is rendered from it and can come back to it."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

KEPT = 5000
"""Changes that are remembered; who was away for longer takes a new snapshot."""

FORGOTTEN = "forgotten"
"""The kind of the change that says so."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `number` grows by one; `body` is JSON; `audience`: who sees it, `None` for everybody."""

    number: int
    kind: str
    body: dict[str, Any]
    audience: frozenset[str] | None = None

    def seen_by(self, user: str) -> bool:
        """Whether that person is shown it."""
        return self.audience is None or user in self.audience


class Journal:
    """The last changes. Its memory is bounded; reading never holds up writing.

    Numbers come after `begin`: with one that grows from life to life, a page of an earlier life is told to begin anew.
    """

    def __init__(self, *, kept: int = KEPT, begin: int = 0) -> None:
        self._changes: deque[Change] = deque(maxlen=kept)
        self._rung = asyncio.Event()
        self.number = begin

    def note(self, kind: str, body: dict[str, Any], *, audience: frozenset[str] | None = None) -> None:
        """Something changed; everybody who waits is woken."""
        self.number += 1
        self._changes.append(Change(self.number, kind, body, audience))
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def after(self, number: int, user: str) -> list[Change]:
        """What that person is shown of what came after `number`.

        One change of the kind `forgotten` where some of it is no longer remembered, or `number` has not been yet (it
        is of an earlier life of the workspace).
        """
        oldest = self._changes[0].number if self._changes else self.number + 1
        if number > self.number or number + 1 < oldest:
            return [Change(self.number, FORGOTTEN, {})]
        return [change for change in self._changes if change.number > number and change.seen_by(user)]

    async def moved(self, beyond: int) -> None:
        """Until something has a number greater than `beyond`."""
        while self.number <= beyond:
            await self._rung.wait()

    def newest(self, after: int) -> list[Change]:
        """Everything remembered that came after the number `after`, whoever sees it, oldest first."""
        found = list(itertools.takewhile(lambda change: change.number > after, reversed(self._changes)))
        return found[::-1]

    async def follow(self, user: str, *, after: int) -> AsyncIterator[Change]:
        """Everything that person is shown, for ever; ends after a `forgotten`: take a new snapshot then."""
        while True:
            newest = self.number
            for change in self.after(after, user):
                yield change
                if change.kind == FORGOTTEN:
                    return
            after = newest
            await self.moved(after)

    async def until(self, is_wanted: Callable[[Change], bool], *, after: int = 0) -> Change:
        """The first remembered change after `after` that is wanted, waited for if need be: bound it with a timeout."""
        while True:
            for change in self._changes:
                if change.number > after and is_wanted(change):
                    return change
            after = max(after, self.number)
            await self.moved(after)
