"""How long to wait before the next try of something that keeps failing."""

from datetime import timedelta

AFTER_MANY = 20
"""From so many failures on every wait is the longest; 2 to the power of their number would outgrow any time span."""


def patience(failures: int, *, longest: timedelta) -> timedelta:
    """1 s after the first try, twice as long after each further one, never more than `longest`."""
    return longest if failures >= AFTER_MANY else min(timedelta(seconds=2**failures), longest)
