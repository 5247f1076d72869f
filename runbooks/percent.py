"""A share of the traffic as people write it."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer


def parse_percent(value: object) -> int:
    """`5%` is 5; a whole number passes through. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = value.strip().removesuffix("%").strip() if isinstance(value, str) else ""
    if not number.isdecimal():
        raise ValueError(f"'{value}' is not a share of the traffic; write whole per cent, such as 5%")
    return int(number)


Percent = Annotated[
    int,
    BeforeValidator(parse_percent),
    Field(ge=1, le=100),
    PlainSerializer(lambda share: f"{share}%", return_type=str),
]
"""Whole per cent, 1 to 100."""
