"""Durations as people write them: `45s`, `30m`, `1h30m`, `2d`. A bare number is refused: nobody knows its unit."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

UNIT_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
WRITTEN = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")


def parse(value: object) -> timedelta:
    """Read a duration; a `timedelta` passes through. Units go from large to small, each at most once.

    Raises ValueError with what to write instead.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit; write {value}s for seconds or {value}m for minutes")  # noqa: TRY004 - pydantic collects ValueError only
    text = value.replace(" ", "").lower() if isinstance(value, str) else ""
    read = WRITTEN.fullmatch(text)
    if not text or read is None:
        raise ValueError(f"'{value}' is not a duration; write it like 45s, 30m, 1h30m or 2d")
    amounts = (int(digits or 0) for digits in read.groups())
    return timedelta(seconds=sum(amount * size_s for amount, size_s in zip(amounts, UNIT_S.values(), strict=True)))


def say(duration: timedelta) -> str:
    """The exact duration in whole seconds, as `parse` reads it: `1h30m`; nothing at all is `0s`."""
    left_s = int(duration.total_seconds())
    parts = []
    for unit, size_s in UNIT_S.items():
        amount, left_s = divmod(left_s, size_s)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def roughly(duration: timedelta) -> str:
    """The two largest units only, for ages: `2d3h`, `14m`, `40s`; a moment ago (or clocks that disagree) is `0s`."""
    total_s = max(0, int(duration.total_seconds()))
    grain_s = 3_600 if total_s >= UNIT_S["d"] else 60 if total_s >= UNIT_S["h"] else 1
    return say(timedelta(seconds=total_s - total_s % grain_s))


Duration = Annotated[timedelta, BeforeValidator(parse), PlainSerializer(say, return_type=str, when_used="json")]
"""A field that is written as a duration, and dumped to JSON as one."""

PositiveDuration = Annotated[Duration, Field(gt=timedelta(0))]
"""The same, where nothing at all would make no sense."""
