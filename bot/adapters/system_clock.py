"""The machine's own clock."""

from datetime import UTC, datetime


class SystemClock:
    """`Clock` over the operating system's time, which is expected to be kept by NTP."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.now(UTC)
