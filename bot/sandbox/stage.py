"""Where a story plays: the surroundings, and time that can be waited for. In real time beside a bot of its own, or
compressed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from bot.domain.errors import SluiceError
from bot.sandbox.surroundings import Surroundings
from bot.sandbox.switches import Switches


class NotAsToldError(SluiceError):
    """Something of a story did not happen in its time."""


class Stage(Protocol):
    """A bot that serves, and everything around it. What people do is done through `around.slack.people`."""

    around: Surroundings
    switches: Switches

    async def until(self, holds: Callable[[], bool], *, within: timedelta, about: str) -> None:
        """Let time pass until it holds. Raises NotAsToldError, naming `about`, when it never did within that time.

        `holds` is asked again and again, and may tell meanwhile what it saw.
        """
        ...

    async def kill_bot(self) -> None:
        """End the bot in the middle of whatever it does, as `kill -9`. It is gone when this returns, and is started
        again soon after."""
        ...

    async def audited(self) -> str:
        """Verify the journal and say how it stands. Raises NotAsToldError when its chain is broken."""
        ...
