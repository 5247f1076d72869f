"""`slo:` of a service: which share of its requests succeeds, over what time."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator

from bot.domain.budget import PAIRS
from runbooks.durations import Duration
from runbooks.parts import Part

WRITTEN = re.compile(r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*", re.ASCII)
WHOLE = Decimal(100)
LEAST = 94
"""With a lower promise even an outage burns its budget less than 14.4 times as fast: nobody would be stopped by it."""

SHORTEST, LONGEST = timedelta(days=1), timedelta(days=90)
"""A window is longer than those over which burning is looked at; three months are the longest that people promise."""


def parse_share(value: object) -> Decimal:
    """`99.9%` is 99.9, exactly; a Decimal passes through. Raises ValueError."""
    if isinstance(value, Decimal):
        return value
    read = WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if read is None or Decimal(read[1]) > WHOLE:
        raise ValueError(f"'{value}' is not a share; write per cent from 0% to 100%, such as 99.9%")
    return Decimal(read[1])


Share = Annotated[Decimal, BeforeValidator(parse_share), PlainSerializer(lambda share: f"{share}%", return_type=str)]
"""Per cent, 0 to 100, perhaps with decimals."""


class Slo(Part):
    """`availability`: the share of requests that must not fail, by the service's `signals`; `window`: over what time,
    which always ends now."""

    availability: Share
    window: Duration = Field(default=timedelta(days=30), ge=SHORTEST, le=LONGEST)

    @field_validator("availability")
    @classmethod
    def _with_a_budget(cls, share: Decimal) -> Decimal:
        if share == WHOLE:
            raise ValueError("100% leaves no budget for any failure; write what is promised, such as 99.9%")
        if share < LEAST:
            fastest = max(pair.limit for pair in PAIRS)
            raise ValueError(f"below {LEAST}% even an outage burns the budget less than {fastest:g} times as fast")
        return share

    @property
    def allowed(self) -> float:
        """The share of requests that may fail, 0 to 1."""
        return float((WHOLE - self.availability) / WHOLE)

    def __str__(self) -> str:
        return f"{self.availability}%"
