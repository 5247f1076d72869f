"""Virtual time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning."""


class FakeClock:
    """`Clock` that stands still until a test moves it. `listeners` hear of every move, after it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """See `Clock`."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Let time pass; the new present. Time never runs backwards."""
        if by < timedelta():
            raise ValueError(f"time cannot go back by {by}")
        self._now += by
        for listener in tuple(self.listeners):
            listener()
        return self._now

    def advance_to(self, moment: datetime) -> datetime:
        """Let time pass until `moment`; nothing happens when that is over."""
        return self.advance(max(moment - self._now, timedelta()))
