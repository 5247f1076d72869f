"""Moments and steps in milliseconds: whole numbers, so that multiples of an interval are exact."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.adapters.metric_series import Milliseconds

MOST_STEPS = 100
"""Moments in one request; only somebody who was away for a while needs more than one. Whatever else this process does
waits while an answer is read: a hundred pods take a quarter of a second."""


def portions(
    since: Milliseconds, until: Milliseconds, step: Milliseconds, *, most: int = MOST_STEPS
) -> Iterator[range]:
    """The multiples of `step` in (since, until], at most `most` of them at a time."""
    first, end = (since // step + 1) * step, until + 1
    for begin in range(first, end, most * step):
        yield range(begin, min(begin + most * step, end), step)


def moment(at: datetime) -> Milliseconds:
    """As milliseconds since the epoch."""
    return int(at.timestamp() * 1000)


def ms(duration: timedelta) -> Milliseconds:
    """A duration in milliseconds."""
    return duration // timedelta(milliseconds=1)
