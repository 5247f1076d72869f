"""What a release leaves behind: who asked, who let it through or stood in its way, what was done, in order."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.events import (
    AbortRequested,
    BallotClosed,
    BallotDecided,
    BallotOpened,
    ConsentGiven,
    Event,
    ExemptionAsked,
    GlassReviewed,
    RestoreStarted,
    RunEnded,
    RunPaused,
    RunPlanned,
    RunRequested,
    RunResumed,
    StepEnded,
    VoteTooLate,
)
from bot.domain.ids import StepKey
from bot.domain.run import Run
from commands.reply import Reply
from commands.wording import clipped, clock_time, code, people, person, safe, target, version


def trail(run: Run, events: Sequence[Event], now: datetime) -> Reply:
    """Everything that somebody decided and everything that was done; not what was only counted or waited for."""
    told = [f"• {clock_time(event.at, now)} {line}" for event in events if (line := _line(event))]
    export = code(f"sluice audit export {run.id}")
    stands = f", {run.phase}" if run.phase.final else ""  # a long past is cut, and its end must not be lost
    what = f"{code(run.id)}, {run.request.verb} of {target(run.request.target)}{stands}"
    head = f"{what}. {export} writes it all down as evidence."
    return Reply(clipped([head, *told], more=f"{export} has them."), about=run.id)


def _line(event: Event) -> str:
    """The empty text: nobody asks for it here."""
    match event:
        case RunRequested():
            return f"{person(event.by)} asked: {code(event.line)}"
        case RunPlanned():
            return f"planned and sealed: {code(event.seal)}"
        case StepEnded():
            mark = ":white_check_mark:" if event.ok else ":x:"
            return f"{mark} {_step(event.step)}{_because(event.said)}"
        case RestoreStarted():
            return f"being undone, back to {version(event.to)}{_because(event.reason)}"
        case RunEnded():
            return f"ended: {event.phase}{_because(event.reason)}"
    return _vote(event) or _word(event)


def _vote(event: Event) -> str:
    match event:
        case BallotOpened():
            return f"{safe(event.group)} asked for {event.needed} votes on {code(event.seal)}"
        case BallotDecided() if event.break_glass:
            return f":rotating_light: {people(event.by)} broke the glass: no votes were needed"
        case BallotDecided():
            return f"{'approved' if event.approved else 'rejected'} by {people(event.by)}"
        case BallotClosed():
            return f"ballot closed: {safe(event.reason)}"
        case VoteTooLate():
            return f"{person(event.by)} took a yes back, too late"
        case GlassReviewed():
            return f"{person(event.by)} {'agrees' if event.agrees else 'does not agree'} that the glass was broken"
        case ExemptionAsked():
            return f"{person(event.by)} asked that a freeze does not hold it{_because(event.reason)}"
    return ""


def _word(event: Event) -> str:
    match event:
        case RunPaused():
            return f"paused by {person(event.by)}{_because(event.reason)}"
        case RunResumed():
            return f"resumed by {person(event.by)}"
        case ConsentGiven():
            return f"{person(event.by)} let {_step(event.step)} go on"
        case AbortRequested():
            return f"{person(event.by)} stopped it{_because(event.reason)}"
    return ""


def _step(key: StepKey) -> str:
    return code(key.partition(".")[2])


def _because(reason: str) -> str:
    return f": {safe(reason)}" if reason else ""
