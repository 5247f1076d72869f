"""Time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where every time comes from."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...
