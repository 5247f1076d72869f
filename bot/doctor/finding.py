"""What the doctor finds: one thing that was looked at, how it is, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.errors import SluiceError, TemporaryError

WHOLE = "all of it"
"""The subject of a finding about a whole area."""


ASKED = "; asked for "
"""What adapters put before the query, at the end of an error."""


class Grade(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    """Releases work; somebody will be surprised one day."""

    FAULT = "fault"
    """Something that a release needs is missing or wrong."""

    UNKNOWN = "unknown"
    """It could not be looked at. Unknown means stop: it counts as a fault."""

    @property
    def stops(self) -> bool:
        """Whether releases should wait until it is mended."""
        return self in (Grade.FAULT, Grade.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject`: what it is about, such as `prod of cluster main`. `seen`: what there is, as a clause. `fix`: what to
    type or change; empty only where all is well. `detail`: what is too long to be read by people in a hurry, such as a
    query; told to scripts alone."""

    area: "Area"
    subject: str
    grade: Grade
    seen: str
    fix: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        if bool(self.fix) is (self.grade is Grade.OK):
            raise ValueError(f"what is not well needs a fix, and nothing else: {self}")


Tell = Callable[[Finding], None]
"""Takes a finding at once: what was found before the time is up is kept."""


class Area(StrEnum):
    """What is looked at, in the order of the report. It makes the findings about itself."""

    CATALOGUE = "catalogue"
    DATABASE = "database"
    SLACK = "slack"
    CLUSTER = "cluster"
    REGISTRY = "registry"
    METRICS = "metrics"
    CI = "ci"
    CLOCK = "clock"

    def ok(self, subject: str, seen: str) -> Finding:
        """All is well."""
        return Finding(self, subject, Grade.OK, seen)

    def warning(self, subject: str, seen: str, fix: str) -> Finding:
        """Nothing stops for it."""
        return Finding(self, subject, Grade.WARNING, seen, fix)

    def fault(self, subject: str, seen: str, fix: str, *, detail: str = "") -> Finding:
        """Something is missing or wrong."""
        return Finding(self, subject, Grade.FAULT, seen, fix, detail)

    def unknown(self, subject: str, seen: str, fix: str, *, detail: str = "") -> Finding:
        """It could not be looked at."""
        return Finding(self, subject, Grade.UNKNOWN, seen, fix, detail)

    def failed(self, subject: str, error: SluiceError, fix: str) -> Finding:
        """What an error says: of a server that is away nobody knows how it is; anything else is a fault."""
        grade = Grade.UNKNOWN if isinstance(error, TemporaryError) else Grade.FAULT
        seen, asked, _ = str(error).partition(ASKED)
        return Finding(self, subject, grade, seen, fix, str(error) if asked else "")
