"""A run's changes as messages: the Narrator port over the texts of this folder. Pure and total.

Keys of a run's messages: `live/{edition}` the release message, `thread/{edition}/...` what is said under it,
`waiting/{edition}` what a run without a plan waits for, `later` that a release for later did not begin; everything else
is told to one person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.domain.events import (
    AbortRequested,
    BallotClosed,
    BallotDecided,
    BallotOpened,
    Event,
    GlassReviewed,
    RunEnded,
    StepEnded,
    StepStarted,
    StepWaited,
    StrayVote,
    VoteTooLate,
)
from bot.domain.ids import TERMINAL, MessageKey, UserId, at_terminal, live_key
from bot.domain.phase import Phase
from bot.domain.plan import Plan
from bot.domain.run import Run
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.slack.ballot_lines import glass_broken, is_open
from bot.slack.messages import ended_early, stray_vote
from bot.slack.release_message import planned_message, release_message, voided_message, waiting_message
from bot.slack.thread_messages import thread_message

_URGENT = (AbortRequested, BallotClosed, BallotDecided, BallotOpened, GlassReviewed, RunEnded, StepEnded, VoteTooLate)
_BEFORE_A_PLAN = (Phase.QUEUED, Phase.PLANNING)


class SlackNarrator:
    """See `bot.ports.narrator.Narrator`. Holds nothing; every message is a function of the run and its events."""

    def tell(self, before: Run | None, after: Run, events: Sequence[Event]) -> tuple[Telling, ...]:
        """The messages that now differ: what stands in the channel first, then what threads and people are told."""
        return (*_standing(before, after, events), *_told(before, after, events))


def _standing(before: Run | None, after: Run, events: Sequence[Event]) -> Iterator[Telling]:
    if before is not None and before.plan is not None:
        yield from _voided(before, before.plan, after, events)
    yield from _waiting(before, after)
    shown, wanted = (_release(before) if before else None), _release(after)
    if wanted is not None and wanted != shown:
        yield wanted


def _voided(before: Run, plan: Plan, after: Run, events: Sequence[Event]) -> Iterator[Telling]:
    """The message of an edition whose plan no longer holds: struck out once, when it stops to hold."""
    stopped = after.phase is Phase.PLANNING or after.edition > before.edition
    if stopped and before.phase is not Phase.PLANNING:
        reason = next((event.reason for event in events if isinstance(event, BallotClosed)), "")
        content = voided_message(before, reason)
        yield Telling(live_key(before.id, before.edition), plan.channel, content, urgent=True)


def _waiting(before: Run | None, after: Run) -> Iterator[Telling]:
    """What a run without a plan waits for; when that is over, the same message says what came of it."""
    shown, wanted = (_waits(before) if before else None), _waits(after)
    if wanted is not None and wanted != shown:
        yield wanted
    elif wanted is None and shown is not None:
        yield replace(shown, content=release_message(after) if after.phase.final else planned_message(after))


def _waits(run: Run) -> Telling | None:
    """Where it was asked for, with a key of its own: a ballot must stand in the service's channel, this need not."""
    if run.phase not in _BEFORE_A_PLAN or not run.waiting_for:
        return None
    channel = run.plan.channel if run.plan else _asked_in(run)
    return Telling(MessageKey(f"{run.id}/waiting/{run.edition + 1}"), channel, waiting_message(run))


def _release(run: Run) -> Telling | None:
    """The message of the run's present edition, which carries the ballot; `None` while there is no plan that holds."""
    if run.plan is None or run.phase in _BEFORE_A_PLAN:
        return None
    policy = run.plan.approval if is_open(run) or glass_broken(run) else None
    seeds = (policy.approve_emoji, policy.reject_emoji) if policy else ()
    urgent = bool(seeds) or run.phase.final or run.phase is Phase.RESTORING
    return Telling(live_key(run.id, run.edition), run.plan.channel, release_message(run), seeds=seeds, urgent=urgent)


def _told(before: Run | None, after: Run, events: Sequence[Event]) -> Iterator[Telling]:
    for event in events:
        match event:
            case RunEnded() if after.plan is None:
                yield _private(after, after.request.requester, str(after.phase), ended_early(after))
                yield from _refused_later(before, after)
            case StrayVote():
                yield _private(after, event.by, f"stray/{event.edition}/{event.by}", stray_vote(after, event))
            case _ if after.plan is not None:
                yield from _thread(before, after, after.plan, event)


def _refused_later(before: Run | None, after: Run) -> Iterator[Telling]:
    """A release for later that could not begin: whoever asked is asleep by then, so the channel is told as well."""
    told_there = before is not None and _waits(before) is not None
    if after.request.not_before and after.phase is not Phase.ABORTED and not told_there:
        yield Telling(MessageKey(f"{after.id}/later"), _asked_in(after), release_message(after), urgent=True)


def _thread(before: Run | None, after: Run, plan: Plan, event: Event) -> Iterator[Telling]:
    content = thread_message(after, event)
    if content is None:
        return
    closed = isinstance(event, BallotClosed) and before is not None
    edition = before.edition if closed and before is not None else after.edition
    key = MessageKey(f"{after.id}/thread/{edition}/{event.kind}/{_about(event)}")
    asks = isinstance(event, StepWaited) and event.asks is not None
    under, urgent = live_key(after.id, edition), asks or isinstance(event, _URGENT)
    yield Telling(key, plan.channel, content, under=under, urgent=urgent)


def _private(run: Run, to: UserId, about: str, content: Content) -> Telling:
    channel = run.plan.channel if run.plan else _asked_in(run)
    return Telling(MessageKey(f"{run.id}/{about}"), channel, content, to=to, urgent=True)


def _asked_in(run: Run) -> str:
    return TERMINAL if at_terminal(run.request.requester) else run.request.channel


def _about(event: Event) -> str:
    """What tells two events of one kind apart; the same event told again gives the same text."""
    at_ms = int(event.at.timestamp() * 1000)
    match event:
        case StepStarted() | StepWaited() | StepEnded():
            return f"{event.step}/{at_ms}"
        case BallotOpened() | BallotDecided() | BallotClosed():
            return f"{event.number}"
        case VoteTooLate() | GlassReviewed():
            return f"{event.by}/{at_ms}"
        case _:
            return f"{at_ms}"
