"""Why a run stands still: one cause and one next step for whatever it waits for."""

from datetime import datetime

from bot.domain.phase import Phase
from bot.domain.plan import PlannedStep
from bot.domain.run import Run
from bot.engine.line import ITS_TURN
from bot.engine.standing import stands_in_the_way
from bot.ports.store import TargetState
from commands.reply import Reply
from commands.wording import ago, clock_time, code, people, person, safe, typed, version
from runbooks.durations import roughly

ENDED = {
    Phase.SUCCEEDED: "has succeeded",
    Phase.RESTORED: "failed, and the version before is back",
    Phase.FAILED: "has failed",
    Phase.REJECTED: "was rejected",
    Phase.EXPIRED: "was not approved in time",
    Phase.ABORTED: "was aborted before it changed anything",
    Phase.REFUSED: "was refused before it began",
}

FAILURE_STEPS = "carries out its failure steps, which restore nothing"


def why(run: Run, state: TargetState, now: datetime) -> Reply:
    """The one cause that holds the run now, and what to do about it."""
    cause, step = _cause(run, state, now)
    return Reply(f"{code(run.id)} {cause}.\n{step}", about=run.id)


def _cause(run: Run, state: TargetState, now: datetime) -> tuple[str, str]:
    if run.phase.final:
        return _ended(run, now)
    if run.wish and run.phase is not Phase.RESTORING:
        return f"is being stopped for {person(run.wish.by)}{_because(run.wish.reason)}", _patience()
    if run.pause:
        ways = f"{typed(f'resume {run.id}')} lets it go on, {typed(f'abort {run.id}')} stops it."
        return f"was paused by {person(run.pause.by)}{_because(run.pause.reason)}", ways
    match run.phase:
        case Phase.QUEUED:
            return _queued(run, state, now)
        case Phase.PLANNING:
            return _planning(run)
        case Phase.GATING:
            return _gating(run, now)
    return _stepping(run, now)


def _ended(run: Run, now: datetime) -> tuple[str, str]:
    when = f", {ago(run.ended_at, now)}" if run.ended_at else ""
    here = f"{run.request.target.service} {run.request.target.environment}"
    again = f"{typed(f'status {here}')} tells what runs now, {typed(f'plan {run.id}')} what was planned."
    return f"{ENDED[run.phase]}{when}{_because(run.reason)}", again


def _queued(run: Run, state: TargetState, now: datetime) -> tuple[str, str]:
    begin = run.request.not_before
    if begin and begin > now:
        return f"begins at {clock_time(begin, now)}", f"{typed(f'abort {run.id}')} takes it back."
    ahead = state.ahead_of(run.id)
    if run.waiting_for and run.waiting_for != ITS_TURN:
        place = f" at place {len(ahead)}, behind {code(ahead[0])}" if ahead else " first in line"
        here = f"{run.request.target.service} {run.request.target.environment}"
        return f"waits{place}: {safe(run.waiting_for)}", f"{typed(f'unlock {here} <reason>')} frees it. {_stop(run)}"
    if ahead:
        since = f", which has held the target for {roughly(now - state.since)}" if state.since else ""
        return (
            f"waits at place {len(ahead)}, behind {code(ahead[0])}{since}",
            f"{typed(f'why {ahead[0]}')} tells why that one stands.",
        )
    return "is about to begin", _patience()


def _planning(run: Run) -> tuple[str, str]:
    if run.waiting_for:
        return f"cannot be planned yet: {safe(run.waiting_for)}", f"It tries again by itself. {_stop(run)}"
    return "is being planned", _patience()


def _gating(run: Run, now: datetime) -> tuple[str, str]:
    gates = run.sealed_plan().gates
    open_gates = [gate for gate in gates if run.step(gate.key).ended_at is None]
    if not open_gates:
        return "has asked all its gates", _patience()
    # One that is blocked holds the others up, whatever they say.
    gate = next((gate for gate in open_gates if run.step(gate.key).blocked), open_gates[0])
    return _waits(run, gate, "the gate", now)


def _stepping(run: Run, now: datetime) -> tuple[str, str]:
    step = run.current()
    if step is None:
        waits = f": {safe(run.waiting_for)}" if run.waiting_for else ""
        return f"has done all its steps and is being closed{waits}", _patience()
    if step.kind == "approval" and run.ballot and not run.ballot.closed and not run.step(step.key).blocked:
        return _voting(run, now)
    gate = stands_in_the_way(run)
    if gate and run.phase is Phase.RUNNING:
        return _waits(run, gate, "the gate", now)
    if run.phase is Phase.RESTORING:
        cause, way = _waits(run, step, "the step", now)
        plan = run.sealed_plan()
        back = f"is going back to {version(plan.previous.ref)}" if plan.restores and plan.previous else FAILURE_STEPS
        return f"{back}{_because(run.reason)}; it {cause}", way
    return _waits(run, step, "the step", now)


def _voting(run: Run, now: datetime) -> tuple[str, str]:
    policy, ballot = run.sealed_plan().approval, run.ballot
    if policy is None or ballot is None:
        return "waits for votes", _patience()
    yes = f" ({people(ballot.approved_by)} said yes)" if ballot.approved_by else ""
    until = clock_time(ballot.opened_at + policy.within, now)
    cause = f"waits for votes: {len(ballot.approved_by)} of {policy.count} so far{yes}, until {until}"
    own = "" if policy.self_group else f", other than {person(run.request.requester)},"
    emoji = f":{policy.approve_emoji}: or :{policy.reject_emoji}:"
    return cause, f"Anybody in {safe(policy.group)}{own} reacts to its message with {emoji}. Seal {code(ballot.seal)}."


def _waits(run: Run, step: PlannedStep, what: str, now: datetime) -> tuple[str, str]:
    seen, name = run.step(step.key), step.key.partition(".")[2]
    waits = seen.why or run.waiting_for
    since = f" for {roughly(now - seen.started_at)}" if seen.started_at else ""
    if seen.asks:
        return f"asks people in {what} {code(name)}{since}: {safe(waits)}", _who_lets_go_on(run)
    if seen.blocked:
        return f"is blocked in {what} {code(name)}{since}: {safe(waits)}", f"It tries again by itself. {_stop(run)}"
    return f"is at {what} {code(name)}{since}" + (f": {safe(waits)}" if waits else ""), _stop(run)


def _who_lets_go_on(run: Run) -> str:
    policy, target = run.sealed_plan().approval, run.request.target
    go_on = typed(f"promote {target.service} {target.environment}")
    who = (
        f"{policy.count} of {safe(policy.group)}, other than {person(run.request.requester)}," if policy else "Anybody"
    )
    return f"{who} may type {go_on} to let it go on. {_stop(run)}"


def _because(reason: str) -> str:
    return f": {safe(reason)}" if reason else ""


def _stop(run: Run) -> str:
    if run.phase is Phase.RESTORING:
        return "Nothing to do: it goes on by itself."
    return f"{typed(f'abort {run.id}')} stops it."


def _patience() -> str:
    return "Nothing to do: it goes on by itself in a moment."
