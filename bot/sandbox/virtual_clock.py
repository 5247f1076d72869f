"""Time that passes as fast as the work is done."""

from datetime import datetime


class VirtualClock:
    """A `Clock` that stands still until it is moved. It never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """See `Clock`."""
        return self._now

    def advance_to(self, moment: datetime) -> None:
        """Let time pass until `moment`; nothing happens when that is over."""
        self._now = max(self._now, moment)
