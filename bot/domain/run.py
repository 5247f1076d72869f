"""A run: what happens. Frozen; each move returns the new run and the events that tell of it.

Time is handed in. `wake_at` and leases are the store's business, not the run's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.approval import Approval, Ballot
from bot.domain.events import (
    AbortRequested,
    ConsentGiven,
    Event,
    RestoreStarted,
    RunEnded,
    RunPaused,
    RunPlanned,
    RunResumed,
    StepEnded,
    StepStarted,
    StepWaited,
    TurnCame,
)
from bot.domain.ids import RunId, StepKey, UserId
from bot.domain.json import Json
from bot.domain.outcome import Failed, Pending, Question, Succeeded
from bot.domain.phase import Phase, StepPhase, require_move
from bot.domain.plan import Plan, PlannedStep, Request


@dataclass(frozen=True, slots=True)
class StepRun:
    """How far one step or gate is. `why` is the latest clause for people; `memo` what it remembers between passes.

    `blocked_since` is set while it stands still for something that should have been there, `blocked_s` the seconds of
    earlier such times: they do not count towards its deadline. `asks` is what people are asked about it; `detail`
    are its figures of now, `link` is where a person can see what it is about.
    """

    phase: StepPhase = StepPhase.PENDING
    started_at: datetime | None = None
    ended_at: datetime | None = None
    why: str = ""
    blocked_since: datetime | None = None
    blocked_s: float = 0.0
    outputs: Mapping[str, Json] = field(default_factory=dict)
    memo: Mapping[str, Json] = field(default_factory=dict)
    asks: Question | None = None
    detail: str = ""
    link: str = ""

    @property
    def blocked(self) -> bool:
        """Whether it stands still for something that should have been there."""
        return self.blocked_since is not None

    def worked_s(self, now: datetime) -> float:
        """Seconds since it began, without those in which it was blocked."""
        if self.started_at is None:
            return 0.0
        blocked_s = self.blocked_s + ((now - self.blocked_since).total_seconds() if self.blocked_since else 0.0)
        return (now - self.started_at).total_seconds() - blocked_s

    def waiting(self, wait: Pending, *, at: datetime) -> "StepRun":
        """The same step, not there yet."""
        memo = self.memo if wait.memo is None else wait.memo
        seen = replace(self, why=wait.why, memo=memo, asks=wait.asks, detail=wait.detail, link=wait.link)
        if wait.blocked:
            return replace(seen, blocked_since=self.blocked_since or at)
        ended_s = (at - self.blocked_since).total_seconds() if self.blocked_since else 0.0
        return replace(seen, blocked_since=None, blocked_s=self.blocked_s + ended_s)


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody's wish to stop the run; state, honoured at the next pass."""

    by: UserId
    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The run stands still on purpose. `by` is `None` when it paused itself."""

    by: UserId | None
    reason: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Who said yes to what a step asks. Counted like votes, and for this step and this question alone."""

    step: StepKey
    by: tuple[UserId, ...]
    question: Question | None = None


Moved = tuple["Run", tuple[Event, ...]]


@dataclass(frozen=True, slots=True)
class Run:
    """One release from the command to its end.

    `edition` counts plans: a voided ballot makes the run plan anew, and each edition has a release message of its own.
    `changed` is set in the transaction *before* the first effect of a changing step: a crash cannot hide a change.
    `overwritten`: somebody else set another image meanwhile, so what runs at the end is theirs.
    """

    id: RunId
    request: Request
    created_at: datetime
    phase: Phase = Phase.QUEUED
    plan: Plan | None = None
    edition: int = 0
    steps: Mapping[StepKey, StepRun] = field(default_factory=dict)
    ballot: Ballot | None = None
    approval: Approval | None = None
    changed: bool = False
    overwritten: bool = False
    wish: Wish | None = None
    pause: Pause | None = None
    consent: Consent | None = None
    reason: str = ""
    waiting_for: str = ""
    planning_since: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    # --- looking ---

    def step(self, key: StepKey) -> StepRun:
        """How far a step is; a step that never began is pending."""
        return self.steps.get(key, StepRun())

    def current(self) -> PlannedStep | None:
        """The first step of the present list that has not ended; `None` when all have."""
        if self.plan is None:
            return None
        planned = self.plan.on_failure if self.phase is Phase.RESTORING else self.plan.steps
        return next((s for s in planned if self.step(s.key).phase in (StepPhase.PENDING, StepPhase.RUNNING)), None)

    def yes_to(self, step: StepKey) -> tuple[UserId, ...]:
        """Who has said yes to what this step asks now; what they said to an earlier question counts for nothing."""
        given, asked = self.consent, self.step(step).asks
        if given is None or asked is None or (given.step, given.question) != (step, asked):
            return ()
        return given.by

    def sealed_plan(self) -> Plan:
        """The plan of a run that is past planning."""
        if self.plan is None:
            raise RuntimeError(f"{self.id} has no plan yet")
        return self.plan

    def amended(self, *, wish: Wish | None, pause: Pause | None, consent: Consent | None) -> "Run":
        """The same run with what others wrote beside it."""
        return replace(self, wish=wish, pause=pause, consent=consent)

    # --- moves of the run ---

    def turn_came(self, *, at: datetime) -> Moved:
        """The target is free for this run: it may plan."""
        moved = replace(self._moved(Phase.PLANNING), started_at=at, planning_since=at)
        return moved, (TurnCame(self.id, at, (at - self.created_at).total_seconds()),)

    def planned(self, plan: Plan, *, at: datetime) -> Moved:
        """A plan is made; its gates come next."""
        moved = replace(
            self._moved(Phase.GATING),
            plan=plan,
            edition=self.edition + 1,
            steps={},
            ballot=None,
            approval=None,
            waiting_for="",
        )
        return moved, (RunPlanned(self.id, at, plan.seal, plan.sha256),)

    def gates_passed(self) -> "Run":
        """All gates passed: the steps begin."""
        return self._moved(Phase.RUNNING)

    def replanned(self, *, at: datetime) -> "Run":
        """The plan no longer describes the world and nothing has changed yet: plan anew."""
        moved = self._moved(Phase.PLANNING)
        return replace(moved, ballot=None, approval=None, changed=False, waiting_for="", planning_since=at)

    def restoring(self, reason: str, *, at: datetime) -> Moved:
        """Undo: the failure steps begin. `reason` is why."""
        previous = self.sealed_plan().previous
        to = previous.ref if previous else ""
        return replace(self._moved(Phase.RESTORING), reason=reason, pause=None), (
            RestoreStarted(self.id, at, reason, to),
        )

    def ended(self, phase: Phase, reason: str, *, at: datetime) -> Moved:
        """The run is over."""
        begun = self.started_at or self.created_at
        moved = replace(self._moved(phase), reason=reason, ended_at=at, pause=None, waiting_for="")
        return moved, (RunEnded(self.id, at, phase, reason, (at - begun).total_seconds()),)

    def paused(self, by: UserId | None, reason: str, *, at: datetime) -> Moved:
        """Take no further step; safe to repeat."""
        if self.pause is not None:
            return self, ()
        return replace(self, pause=Pause(by, reason)), (RunPaused(self.id, at, by, reason),)

    def resumed(self, by: UserId, *, at: datetime) -> Moved:
        """Go on; safe to repeat."""
        if self.pause is None:
            return self, ()
        return replace(self, pause=None), (RunResumed(self.id, at, by),)

    def abort_wished(self, by: UserId, reason: str, *, at: datetime) -> Moved:
        """Remember that it shall stop; the first wish counts."""
        if self.wish is not None:
            return self, ()
        return replace(self, wish=Wish(by, reason)), (AbortRequested(self.id, at, by, reason),)

    def consented(self, step: StepKey, by: UserId, *, at: datetime) -> Moved:
        """Somebody says yes to what a step asks now; each person says so once."""
        given = self.yes_to(step)
        if by in given:
            return self, ()
        consent = Consent(step, (*given, by), self.step(step).asks)
        return replace(self, consent=consent), (ConsentGiven(self.id, at, by, step),)

    # --- moves of a step ---

    def step_started(self, key: StepKey, *, at: datetime) -> Moved:
        """A step's first pass begins; safe to repeat."""
        if self.step(key).phase is not StepPhase.PENDING:
            return self, ()
        return self._with(key, StepRun(StepPhase.RUNNING, started_at=at)), (StepStarted(self.id, at, key),)

    def disarmed(self, key: StepKey) -> "Run":
        """A changing step that was begun, and whose effect has not landed and never will: nothing was changed."""
        return replace(self, changed=False, steps={name: seen for name, seen in self.steps.items() if name != key})

    def step_waits(self, key: StepKey, wait: Pending, *, at: datetime) -> Moved:
        """A step is not there yet; told when it begins to stand still, and when it begins to ask."""
        seen = self.step(key)
        news = (wait.blocked and not seen.blocked) or (wait.asks is not None and wait.asks is not seen.asks)
        told = StepWaited(self.id, at, key, wait.why, asks=wait.asks, detail=wait.detail, picture=wait.picture)
        # Asked anew after it had looked on by itself, it is not what people had answered.
        anew = wait.asks is not None and wait.asks is not seen.asks
        after = replace(self._with(key, seen.waiting(wait, at=at)), consent=None if anew else self.consent)
        return after, (told,) if news else ()

    def step_succeeded(self, key: StepKey, done: Succeeded, *, at: datetime) -> Moved:
        """A step is done."""
        return self._step_ended(key, StepPhase.SUCCEEDED, done.said, done, at=at)

    def step_failed(self, key: StepKey, failed: Failed, *, at: datetime) -> Moved:
        """A step ended badly."""
        return self._step_ended(key, StepPhase.FAILED, failed.reason, failed, at=at)

    def _step_ended(
        self, key: StepKey, phase: StepPhase, said: str, ended: Succeeded | Failed, *, at: datetime
    ) -> Moved:
        seen = self.step(key)
        elapsed_s = (at - (seen.started_at or at)).total_seconds()
        after = replace(
            seen,
            phase=phase,
            ended_at=at,
            why=said,
            outputs=ended.outputs if isinstance(ended, Succeeded) else {},
            blocked_since=None,
            asks=None,
            detail="",
            link=ended.link,
        )
        ok = phase is StepPhase.SUCCEEDED
        event = StepEnded(self.id, at, key, ok, said, elapsed_s, ended.evidence, ended.picture)
        return self._with(key, after), (event,)

    def _with(self, key: StepKey, step: StepRun) -> "Run":
        return replace(self, steps={**self.steps, key: step})

    def _moved(self, phase: Phase) -> "Run":
        require_move(self.phase, phase)
        return replace(self, phase=phase)
