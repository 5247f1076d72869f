"""A share of the traffic as people write it."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer


def percent(value: object) -> object:
    """`5%` is 5; a whole number passes through. Raises ValueError."""
    if isinstance(value, str):
        number = value.strip().removesuffix("%").strip()
        if not number.isdecimal():
            raise ValueError(f"'{value}' is not a share of the traffic; write whole per cent, such as 5%")
        return int(number)
    return value


Percent = Annotated[
    int, BeforeValidator(percent), Field(ge=1, le=100), PlainSerializer(lambda share: f"{share}%", return_type=str)
]
"""Whole per cent, 1 to 100."""
