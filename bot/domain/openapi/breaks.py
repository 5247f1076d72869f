"""What the comparison of two documents finds."""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Who sends what a schema describes: in requests less may be asked, in answers nothing may be missing."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Break:
    """One change. `where` is the operation and the place in it, `what` a clause. `certain`: a client that keeps to the
    older document fails; otherwise only one that counts on more than it says."""

    where: str
    what: str
    certain: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
