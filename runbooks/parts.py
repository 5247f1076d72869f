"""What the parts of the catalogue have in common: their base, and names."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def name(value: str) -> str:
    """A name that can be typed and that Kubernetes takes for a label; raises ValueError."""
    if not NAME.fullmatch(value):
        raise ValueError(f"'{value}' is not a name; use at most 63 small letters, digits and hyphens")
    return value


Name = Annotated[str, AfterValidator(name)]


class Part(BaseModel):
    """A part of the catalogue: cannot change after it was read; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
