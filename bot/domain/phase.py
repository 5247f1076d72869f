"""The phases of a run and of a step, and the single table of moves."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a run stands. Everything after RESTORING is final."""

    QUEUED = "queued"
    PLANNING = "planning"
    GATING = "gating"
    RUNNING = "running"
    RESTORING = "restoring"
    SUCCEEDED = "succeeded"
    RESTORED = "restored"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABORTED = "aborted"
    REFUSED = "refused"

    @property
    def final(self) -> bool:
        """Whether a run in this phase will never move again."""
        return not MOVES[self]


MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.QUEUED: frozenset({Phase.PLANNING, Phase.ABORTED}),
    Phase.PLANNING: frozenset({Phase.GATING, Phase.REFUSED, Phase.ABORTED}),
    Phase.GATING: frozenset({Phase.RUNNING, Phase.PLANNING, Phase.REFUSED, Phase.ABORTED}),
    Phase.RUNNING: frozenset(
        {
            Phase.SUCCEEDED,
            Phase.RESTORING,
            Phase.PLANNING,
            Phase.FAILED,
            Phase.REJECTED,
            Phase.EXPIRED,
            Phase.ABORTED,
            Phase.REFUSED,  # a standing gate fails right before the first change
        }
    ),
    Phase.RESTORING: frozenset({Phase.RESTORED, Phase.FAILED}),
    Phase.SUCCEEDED: frozenset(),
    Phase.RESTORED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.REJECTED: frozenset(),
    Phase.EXPIRED: frozenset(),
    Phase.ABORTED: frozenset(),
    Phase.REFUSED: frozenset(),
}

FINAL = frozenset(phase for phase in Phase if not MOVES[phase])
ACTIVE = frozenset(Phase) - FINAL


class StepPhase(StrEnum):
    """Where a step or gate stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class IllegalMoveError(RuntimeError):
    """A move that the table does not know: a fault of ours, never of a person or a server."""


def require_move(before: Phase, after: Phase) -> None:
    """Raise IllegalMoveError unless the table allows `before` to become `after`."""
    if after not in MOVES[before]:
        raise IllegalMoveError(f"a run cannot go from {before} to {after}")
