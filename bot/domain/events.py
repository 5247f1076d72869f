"""Everything that can have happened to a run, in the past tense. A closed union; each knows its run and its time.

`kind` is the stored name of the variant and never changes, so that old journals stay readable.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.approval import IgnoredVote
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.outcome import Evidence, Question
from bot.domain.phase import Phase
from bot.domain.picture import Picture


@dataclass(frozen=True, slots=True)
class RunRequested:
    """Somebody asked, and the wish was understood."""

    run_id: RunId
    at: datetime
    by: UserId
    line: str
    kind: Literal["run_requested"] = "run_requested"


@dataclass(frozen=True, slots=True)
class ExemptionAsked:
    """A release shall pass a freeze of its environment, for this reason; people vote on it."""

    run_id: RunId
    at: datetime
    by: UserId
    reason: str
    kind: Literal["exemption_asked"] = "exemption_asked"


@dataclass(frozen=True, slots=True)
class RunQueued:
    """Another run holds the target. `place` counts from 1; `behind` is the run that holds it."""

    run_id: RunId
    at: datetime
    place: int
    behind: RunId
    kind: Literal["run_queued"] = "run_queued"


@dataclass(frozen=True, slots=True)
class TurnCame:
    """The target is this run's now."""

    run_id: RunId
    at: datetime
    waited_s: float
    kind: Literal["turn_came"] = "turn_came"


@dataclass(frozen=True, slots=True)
class RunPlanned:
    """The plan is made and sealed."""

    run_id: RunId
    at: datetime
    seal: str
    sha256: str
    kind: Literal["run_planned"] = "run_planned"


@dataclass(frozen=True, slots=True)
class BallotOpened:
    """People are asked. The ballot's message is the release message with this number."""

    run_id: RunId
    at: datetime
    number: int
    seal: str
    group: str
    needed: int
    until: datetime
    kind: Literal["ballot_opened"] = "ballot_opened"


@dataclass(frozen=True, slots=True)
class VotesCounted:
    """The tally changed. `ignored` says whose votes do not count and why."""

    run_id: RunId
    at: datetime
    approved_by: tuple[UserId, ...]
    ignored: tuple[IgnoredVote, ...]
    needed: int
    kind: Literal["votes_counted"] = "votes_counted"


@dataclass(frozen=True, slots=True)
class BallotDecided:
    """Enough people said yes, or one said no."""

    run_id: RunId
    at: datetime
    number: int
    approved: bool
    by: tuple[UserId, ...]
    seal: str
    break_glass: bool = False
    kind: Literal["ballot_decided"] = "ballot_decided"


@dataclass(frozen=True, slots=True)
class BallotClosed:
    """The ballot counts no more: it expired, was voided, or its run ended."""

    run_id: RunId
    at: datetime
    number: int
    reason: str
    asks_again: bool
    kind: Literal["ballot_closed"] = "ballot_closed"


@dataclass(frozen=True, slots=True)
class VoteTooLate:
    """Somebody took a yes back after the change had started."""

    run_id: RunId
    at: datetime
    by: UserId
    kind: Literal["vote_too_late"] = "vote_too_late"


@dataclass(frozen=True, slots=True)
class GlassReviewed:
    """A second person, who might have voted, has looked at a release that went on without votes."""

    run_id: RunId
    at: datetime
    by: UserId
    agrees: bool
    kind: Literal["glass_reviewed"] = "glass_reviewed"


@dataclass(frozen=True, slots=True)
class StrayVote:
    """Somebody voted on a ballot that counts no more; `edition` is the ballot's, `why` a clause."""

    run_id: RunId
    at: datetime
    by: UserId
    edition: int
    why: str
    kind: Literal["stray_vote"] = "stray_vote"


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step's first pass begins."""

    run_id: RunId
    at: datetime
    step: StepKey
    kind: Literal["step_started"] = "step_started"


@dataclass(frozen=True, slots=True)
class StepWaited:
    """A step stands still for something that should have been there, told once per reason; or it `asks` people whether
    it may go on, with its figures (`detail`) and their picture."""

    run_id: RunId
    at: datetime
    step: StepKey
    why: str
    asks: Question | None = None
    detail: str = ""
    picture: Picture | None = None
    kind: Literal["step_waited"] = "step_waited"


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step or gate succeeded, failed or was skipped; `said` is the figure or the reason. `picture` is not written
    down where there is none, so that events without one read as they always did."""

    run_id: RunId
    at: datetime
    step: StepKey
    ok: bool
    said: str
    elapsed_s: float
    evidence: tuple[Evidence, ...] = ()
    picture: Picture | None = None
    kind: Literal["step_ended"] = "step_ended"


@dataclass(frozen=True, slots=True)
class RestoreStarted:
    """The change is being undone."""

    run_id: RunId
    at: datetime
    reason: str
    to: str
    kind: Literal["restore_started"] = "restore_started"


@dataclass(frozen=True, slots=True)
class RunPaused:
    """The run takes no further step until it is resumed. `by` is `None` when the run paused itself."""

    run_id: RunId
    at: datetime
    by: UserId | None
    reason: str
    kind: Literal["run_paused"] = "run_paused"


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The run goes on."""

    run_id: RunId
    at: datetime
    by: UserId
    kind: Literal["run_resumed"] = "run_resumed"


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """Somebody said that a step which waits for people may go on; whether that suffices is counted at its next pass."""

    run_id: RunId
    at: datetime
    by: UserId
    step: StepKey
    kind: Literal["consent_given"] = "consent_given"


@dataclass(frozen=True, slots=True)
class AbortRequested:
    """Somebody wants it stopped; the next pass honours it."""

    run_id: RunId
    at: datetime
    by: UserId
    reason: str
    kind: Literal["abort_requested"] = "abort_requested"


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run reached a final phase."""

    run_id: RunId
    at: datetime
    phase: Phase
    reason: str
    elapsed_s: float
    kind: Literal["run_ended"] = "run_ended"


Event = (
    RunRequested
    | ExemptionAsked
    | RunQueued
    | TurnCame
    | RunPlanned
    | BallotOpened
    | VotesCounted
    | BallotDecided
    | BallotClosed
    | VoteTooLate
    | GlassReviewed
    | StrayVote
    | StepStarted
    | StepWaited
    | StepEnded
    | RestoreStarted
    | RunPaused
    | RunResumed
    | ConsentGiven
    | AbortRequested
    | RunEnded
)
