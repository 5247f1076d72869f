"""Ballots: asking people, counting them at decision time, and making sure that a yes is used for what it was given.

The database is the truth and Slack a view: reaction events only wake the run. Whatever cannot be read makes the run
wait (the engine turns TemporaryError into a blocked wait); it never passes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import logs
from bot.domain.approval import Approval, ApprovalPolicy, Ballot, Electorate, Person, Tally, tally
from bot.domain.errors import NotFoundError, PermanentError, TemporaryError
from bot.domain.events import BallotClosed, BallotDecided, BallotOpened, Event, VotesCounted
from bot.domain.ids import UserId, live_key
from bot.domain.outcome import Failed, FailureCause, Outcome, Pending, Succeeded, Voided
from bot.domain.plan import PlannedStep
from bot.domain.run import Run
from bot.engine.timing import NEXT_COUNT, NEXT_TRY
from bot.ports.chat import Chat, Place, Reactions
from bot.ports.directory import Directory
from bot.ports.planning import Planning
from bot.ports.store import Store

log = logs.get(__name__)

CUT_SHORT = "Slack's list of votes is cut short; counting again"


@dataclass(frozen=True, slots=True)
class Count:
    """What one look at a ballot gave: the run with its ballot brought up to date, what happened, and the outcome."""

    run: Run
    outcome: Outcome
    events: tuple[Event, ...] = ()


class Ballots:
    """The approval step, and the check that an approval still holds when it is used."""

    def __init__(self, *, chat: Chat, directory: Directory, planning: Planning, store: Store) -> None:
        self._chat = chat
        self._directory = directory
        self._planning = planning
        self._store = store

    async def reconcile(self, run: Run, now: datetime) -> Count:
        """One pass of the approval step."""
        policy = run.sealed_plan().approval
        if policy is None:
            return Count(run, Succeeded("nobody needs to be asked here"))
        if run.approval is not None:
            return Count(run, Succeeded("approved already"))
        if run.ballot is None:
            if now >= _begun(run, now) + policy.within:
                return Count(
                    run, Failed(f"nobody could be asked within {_minutes(policy.within)}", FailureCause.EXPIRED)
                )
            return await self._open(run, policy, now)
        if now >= run.ballot.opened_at + policy.within:
            reason = f"not approved within {_minutes(policy.within)}"
            return close(run, reason, now, outcome=Failed(reason, FailureCause.EXPIRED))
        return await self._count(run, policy, now)

    async def recheck(self, run: Run, now: datetime) -> Count:
        """Whether an approval still holds, right before its first use: the clock, the votes and the plan, read anew."""
        plan, approval = run.sealed_plan(), run.approval
        if approval is None or plan.approval is None:
            return Count(run, Succeeded())
        if now > approval.use_by:
            reason = f"the approval was not used within {_minutes(plan.approval.use_within)}"
            return close(run, reason, now, outcome=Voided(reason))
        bad = await self.drifted(run) if approval.break_glass else await self._unapproved(run, plan.approval)
        if isinstance(bad, Pending):
            return Count(run, bad)
        if bad:
            return close(run, bad.reason, now, outcome=bad)
        return Count(replace(run, approval=replace(approval, used=True)), Succeeded())

    # --- opening ---

    async def _open(self, run: Run, policy: ApprovalPolicy, now: datetime) -> Count:
        if run.request.break_glass:
            return await self._break_glass(run, policy, now)
        state = await self._chat.channel_state(await self._chat.channel_id(run.sealed_plan().channel))
        plan = run.sealed_plan()
        ballot = Ballot(run.edition, plan.seal, now, shared=state.shared)
        until = now + policy.within
        event = BallotOpened(run.id, now, run.edition, plan.seal, policy.group, policy.count, until)
        return Count(replace(run, ballot=ballot), Pending(_votes(0, policy), requeue_after=NEXT_TRY), (event,))

    async def _break_glass(self, run: Run, policy: ApprovalPolicy, now: datetime) -> Count:
        who = run.request.requester
        if not policy.break_glass or who not in await self._directory.members(policy.break_glass):
            allowed = f"only {policy.break_glass} may" if policy.break_glass else "nobody may"
            return Count(run, Failed(f"{allowed} break the glass for {run.request.target.environment}"))
        approval = Approval((who,), now, now + policy.use_within, break_glass=True)
        event = BallotDecided(
            run.id, now, run.edition, approved=True, by=(who,), seal=run.sealed_plan().seal, break_glass=True
        )
        return Count(replace(run, approval=approval), Succeeded("glass broken, nobody was asked"), (event,))

    # --- counting ---

    async def _count(self, run: Run, policy: ApprovalPolicy, now: datetime) -> Count:
        ballot = _ballot(run)
        letter_error, place = await self._place(run)
        if place is None:
            why = f"the ballot could not be posted: {letter_error}" if letter_error else "the ballot is being posted"
            return Count(run, Pending(why, requeue_after=NEXT_TRY, blocked=bool(letter_error)))
        try:
            reactions = await self._chat.reactions(place)
            void = await self._void(ballot, place, run)
        except NotFoundError:
            void = Voided("the ballot was deleted")
        if void:
            return close(run, void.reason, now, outcome=void)
        if not reactions.complete:
            return Count(run, Pending(CUT_SHORT, requeue_after=NEXT_TRY, blocked=True))
        counted = await self._tally(run, policy, reactions)
        return _decide(run, policy, counted, now)

    async def _void(self, ballot: Ballot, place: Place, run: Run) -> Voided | Failed | None:
        state = await self._chat.channel_state(place.channel)
        if state.archived:
            return Failed(f"#{state.name} was archived; the ballot is void", FailureCause.EXPIRED)
        if state.shared and not ballot.shared:
            reason = f"#{state.name} was shared with another organisation; the ballot is void"
            return Failed(reason, FailureCause.EXPIRED)
        return await self.drifted(run)

    async def drifted(self, run: Run) -> Voided | None:
        """Why the plan no longer describes the world, if so."""
        drift = await self._planning.drift(run.request, run.sealed_plan())
        return Voided(drift) if drift else None

    async def _unapproved(self, run: Run, policy: ApprovalPolicy) -> Voided | Failed | Pending | None:
        """Why a ballot that was decided with yes would not be now; `None`: it would."""
        _, place = await self._place(run)
        if place is None:
            return Voided("the ballot is gone")
        try:
            reactions = await self._chat.reactions(place)
            void = await self._void(_ballot(run), place, run)
        except NotFoundError:
            return Voided("the ballot was deleted")
        if void:
            return void
        if not reactions.complete:
            return Pending(CUT_SHORT, requeue_after=NEXT_TRY, blocked=True)
        counted = await self._tally(run, policy, reactions)
        if counted.rejected:
            return Failed(f"rejected by {_names(counted.rejected_by)}", FailureCause.REJECTED)
        return None if counted.approved else Voided("a vote was taken back before the change started")

    async def _place(self, run: Run) -> tuple[str, Place | None]:
        async with self._store.reading() as tx:
            letter = await tx.letter(live_key(run.id, run.edition))
        return (letter.error, letter.place) if letter else ("", None)

    async def may_vote(self, run: Run, user: UserId) -> bool:
        """Whether this person's vote on this run counts, or would have. Raises TemporaryError."""
        policy = run.sealed_plan().approval
        return policy is not None and user in (await self._counted(run, policy, (user,), ())).approved_by

    async def consent(self, run: Run, planned: PlannedStep) -> tuple[UserId, ...]:
        """Who lets a step go on that waits for people, if that suffices: counted like votes, by the plan's policy.

        Nobody while that cannot be read: the step looks on, and waits on.
        """
        given, policy = run.yes_to(planned.key), run.sealed_plan().approval
        if not given or policy is None:
            return given
        try:
            counted = await self._counted(run, policy, given, ())
        except (TemporaryError, PermanentError) as exc:
            log.warning("consent cannot be counted", run_id=run.id, error=str(exc))
            return ()
        return counted.approved_by if counted.approved else ()

    async def _tally(self, run: Run, policy: ApprovalPolicy, reactions: Reactions) -> Tally:
        # The bot's own seeds are not worth a word; other bots are named among those who do not count.
        approve, reject = (
            tuple(user for user in reactions.users(emoji) if user != self._directory.me)
            for emoji in (policy.approve_emoji, policy.reject_emoji)
        )
        return await self._counted(run, policy, approve, reject)

    async def _counted(
        self, run: Run, policy: ApprovalPolicy, approve: tuple[UserId, ...], reject: tuple[UserId, ...]
    ) -> Tally:
        reacted, requester = {*approve, *reject}, run.request.requester
        members = await self._directory.members(policy.group)
        asks_own = policy.self_group if requester in reacted else None
        own = await self._directory.members(asks_own) if asks_own else frozenset[UserId]()
        electorate = Electorate(requester, members, own, {})
        # Nobody else is looked up: the chat answers so many questions a minute, and any crowd may react.
        people = {user: person for user in reacted & electorate.electors if (person := await self._person(user))}
        return tally(policy, replace(electorate, people=people), approve=approve, reject=reject)

    async def _person(self, user: UserId) -> Person | None:
        try:
            return await self._directory.person(user)
        except NotFoundError:
            return None  # an unknown voter does not count; the tally says so by name


def close(run: Run, reason: str, now: datetime, *, outcome: Outcome) -> Count:
    """Close a ballot, if one is open; `outcome` decides whether a new one follows."""
    asks_again = isinstance(outcome, Voided)
    if run.ballot is None or (run.ballot.closed and run.approval is None):
        return Count(run, outcome)
    closed = replace(run, ballot=replace(run.ballot, closed=reason, decided=False), approval=None)
    return Count(closed, outcome, (BallotClosed(run.id, now, run.ballot.number, reason, asks_again),))


def _decide(run: Run, policy: ApprovalPolicy, counted: Tally, now: datetime) -> Count:
    ballot, plan = _ballot(run), run.sealed_plan()
    events: list[Event] = []
    if (counted.approved_by, counted.ignored) != (ballot.approved_by, ballot.ignored):
        events.append(VotesCounted(run.id, now, counted.approved_by, counted.ignored, policy.count))
    ballot = replace(ballot, approved_by=counted.approved_by, ignored=counted.ignored)
    counted_run = replace(run, ballot=ballot)
    if not counted.rejected and not counted.approved:
        left = ballot.opened_at + policy.within - now
        wait = Pending(_votes(len(counted.approved_by), policy), requeue_after=min(NEXT_COUNT, left))
        return Count(counted_run, wait, tuple(events))
    by = counted.rejected_by or counted.approved_by
    events.append(BallotDecided(run.id, now, ballot.number, counted.approved, by, plan.seal))
    names = _names(by)
    if counted.rejected:
        closed = replace(counted_run, ballot=replace(ballot, closed=f"rejected by {names}", decided=True))
        return Count(closed, Failed(f"rejected by {names}", FailureCause.REJECTED), tuple(events))
    approval = Approval(counted.approved_by, now, now + policy.use_within)
    closed = replace(
        counted_run, ballot=replace(ballot, closed=f"approved by {names}", decided=True), approval=approval
    )
    return Count(closed, Succeeded(f"{len(by)} of {policy.count} votes"), tuple(events))


def _ballot(run: Run) -> Ballot:
    if run.ballot is None:
        raise RuntimeError(f"{run.id} has no ballot")
    return run.ballot


def _votes(count: int, policy: ApprovalPolicy) -> str:
    return f"{count} of {policy.count} votes from {policy.group}"


def _begun(run: Run, now: datetime) -> datetime:
    planned = run.current()
    return (run.step(planned.key).started_at if planned else None) or now


def _names(users: Iterable[UserId]) -> str:
    return ", ".join(f"<@{user}>" for user in users)


def _minutes(duration: timedelta) -> str:
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes} min" if minutes and not seconds else f"{int(duration.total_seconds())} s"
