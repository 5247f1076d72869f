"""The system clock and the Retry-After header."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.retry_after import retry_after
from bot.adapters.system_clock import SystemClock


def test_the_system_clock_is_aware_and_in_utc() -> None:
    """Between two readings of the machine's own time."""
    before, seen, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert before <= seen <= after
    assert seen.tzinfo is UTC


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 1 ", timedelta(seconds=1)),
        ("86400", timedelta(minutes=5)),
        ("9" * 400, timedelta(minutes=5)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_within_reason(header: str | None, wait: timedelta | None) -> None:
    """Seconds count up to five minutes; anything else is no wish at all."""
    assert retry_after(header) == wait
