"""What one reconcile pass over one step learnt: a closed union of variants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.domain.json import Json
from bot.domain.picture import Picture


class FailureCause(StrEnum):
    """Why a step ended badly; it decides the run's last phase when nothing has changed yet."""

    BROKEN = "broken"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REFUSED = "refused"
    """A standing gate failed right before the first change."""

    OVERWRITTEN = "overwritten"
    """Somebody else set another image meanwhile: theirs stays, and nothing is undone but a canary beside it."""


class Question(StrEnum):
    """What people are asked about a step that only they can let go on. An answer to one is none to another."""

    HELD = "held"
    """The runbook wants their word although all is well."""

    UNDECIDED = "undecided"
    """The evidence stays too thin to tell."""

    SHARE = "share"
    """Somebody has changed the traffic by hand: shall the step's own share be set again?"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person wants to see beside a result: a title and preformatted lines (events, log lines, answers)."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """Not there yet. `why` is a clause for people ("3 of 5 pods ready").

    `requeue_after` is the latest time of the next look; a hint may bring it forward. `memo` replaces what the step
    remembers between passes when it is not `None`. `blocked` marks a wait for something that should have been there
    (a server that is down), so that `why` and the message can say so; `asks`: only people can let it go on, and what
    they are asked. `detail` are figures worth a line of their own while it lasts; `picture` is shown if time runs
    out over it, or when people begin to be asked. `link` is where a person can see it, as an http or https URL.
    """

    why: str
    requeue_after: timedelta
    memo: Mapping[str, Json] | None = None
    blocked: bool = False
    asks: Question | None = None
    detail: str = ""
    picture: Picture | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Done. `said` is the figure shown beside the step; `outputs` can be looked up by later steps; `picture` and
    `evidence` are shown in the thread; `link` is where a person can see it."""

    said: str = ""
    outputs: Mapping[str, Json] = field(default_factory=dict)
    picture: Picture | None = None
    link: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Known to be bad; `reason` is one sentence without a full stop."""

    reason: str
    cause: FailureCause = FailureCause.BROKEN
    evidence: tuple[Evidence, ...] = ()
    picture: Picture | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Could not tell: the run pauses and asks people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Voided:
    """The plan no longer describes the world (a moved tag, a drifted workload): plan anew and ask anew."""

    reason: str


Outcome = Pending | Succeeded | Failed | Inconclusive | Voided
