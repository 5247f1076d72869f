"""What was heard is handled here: commands go to the dispatcher, reactions and channel events wake runs."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot import logs
from bot.domain.errors import FencedError, PermanentError, TemporaryError
from bot.domain.events import Event, GlassReviewed, StrayVote, VoteTooLate
from bot.domain.ids import TERMINAL, UserId, live_key, run_of_key, slip_key
from bot.domain.invocation import Invocation, Origin
from bot.domain.run import Run
from bot.engine.patience import patience
from bot.engine.record import record
from bot.ports.chat import Content, Place
from bot.ports.clock import Clock
from bot.ports.narrator import Narrator, Telling
from bot.ports.store import Heard, Letter, Store, Transaction

BATCH = 20
MANY = 1000
LONGEST_WAIT = timedelta(minutes=1)
BREAKS = 3
"""So many tries are broken off by a fault of ours before the asker is told; another server's fault has no limit."""

BROKEN = (
    "A fault in Sluice itself kept it from doing this, so nothing was done. Trying the same again will hardly help: "
    "show your admins the time of this message, the log of Sluice holds the cause."
)

log = logs.get(__name__)

Handle = Callable[[Heard], Awaitable[None]]
"""Handles one command in one transaction, `handled` included. Raises TemporaryError to be called again later."""

MayVote = Callable[[Run, UserId], Awaitable[bool]]
"""Whether a person's vote on a run counts. Raises TemporaryError."""


class Inbox:
    """Handles invocations in the order in which they came; one that must wait lets the others pass."""

    def __init__(self, *, store: Store, clock: Clock, narrator: Narrator, handle: Handle, may_vote: MayVote) -> None:
        self._store = store
        self._clock = clock
        self._narrator = narrator
        self._handle = handle
        self._may_vote = may_vote

    async def turn(self) -> int:
        """Handle what is due; how many there were."""
        async with self._store.reading() as tx:
            heard = await tx.unhandled(self._clock.now(), limit=BATCH)
        for one in heard:
            await self._one(one)
        return len(heard)

    async def _one(self, heard: Heard) -> None:
        try:
            match heard.invocation.origin:
                case Origin.REACTION:
                    await self._reaction(heard)
                case Origin.CHANNEL:
                    await self._channel(heard)
                case _:
                    await self._handle(heard)
        except TemporaryError as exc:
            await self._later(heard, exc)
        except FencedError:
            log.info("invocation handled elsewhere", number=heard.number)
        except PermanentError as exc:
            log.warning("invocation cannot be handled", number=heard.number, error=str(exc))
            async with self._store.transaction() as tx:
                await tx.handled(heard.number, at=self._clock.now())
        except Exception:  # a fault of ours over one invocation must not stop the others, nor be met for ever
            log.exception("invocation broke", number=heard.number, attempts=heard.attempts)
            await self._broken(heard)

    async def _broken(self, heard: Heard) -> None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if heard.attempts + 1 < BREAKS:
                await tx.postpone(heard.number, until=now + patience(heard.attempts, longest=LONGEST_WAIT))
                return
            if heard.invocation.origin not in (Origin.REACTION, Origin.CHANNEL):
                await tx.tell([_apology(heard)], at=now)
            await tx.handled(heard.number, at=now)

    async def _later(self, heard: Heard, exc: TemporaryError) -> None:
        wait = exc.retry_after or patience(heard.attempts, longest=LONGEST_WAIT)
        log.warning("invocation waits", number=heard.number, error=str(exc), wait_s=wait.total_seconds())
        async with self._store.transaction() as tx:
            await tx.postpone(heard.number, until=self._clock.now() + wait)

    async def _reaction(self, heard: Heard) -> None:
        invocation, now = heard.invocation, self._clock.now()
        review = await self._review(invocation, now)
        async with self._store.transaction() as tx:
            letter = await tx.letter_at(Place(invocation.channel, invocation.message_ts))
            run = await tx.run(run_of_key(letter.key)) if letter else None
            if review and run:
                await record(tx, [review], self._narrator.tell(run, run, [review]), at=now)
            elif letter and run and letter.key.startswith(f"{run.id}/live/"):
                await self._vote(tx, run, letter, invocation, now)
            await tx.handled(heard.number, at=now)

    async def _review(self, invocation: Invocation, now: datetime) -> GlassReviewed | None:
        """What a reaction says of a release for which the glass was broken; `None` for everything else, for those who
        might not have voted, and for whoever has said it before. Raises TemporaryError."""
        async with self._store.reading() as tx:
            letter = await tx.letter_at(Place(invocation.channel, invocation.message_ts))
            run = await tx.run(run_of_key(letter.key)) if letter else None
            told = await tx.events(run.id) if run else ()
        policy = run.plan.approval if run and run.plan else None
        sign, emoji = invocation.text[:1], invocation.text[1:]
        if run is None or policy is None or not (run.approval and run.approval.break_glass) or sign == "-":
            return None
        if emoji not in (policy.approve_emoji, policy.reject_emoji) or not await self._may_vote(run, invocation.user):
            return None
        review = GlassReviewed(run.id, now, invocation.user, agrees=emoji == policy.approve_emoji)
        said = [(event.by, event.agrees) for event in told if isinstance(event, GlassReviewed)]
        return None if (review.by, review.agrees) in said else review

    async def _vote(self, tx: Transaction, run: Run, letter: Letter, invocation: Invocation, now: datetime) -> None:
        await tx.wake(run.id, at=now)
        event = stray_or_late(run, letter, invocation, now)
        if event:
            await record(tx, [event], self._narrator.tell(run, run, [event]), at=now)

    async def _channel(self, heard: Heard) -> None:
        """A channel was archived or shared, or a message deleted: every open ballot there looks again."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            for run in await tx.runs(active=True, limit=MANY):
                if run.ballot and not run.ballot.closed:
                    await tx.wake(run.id, at=now)
            await tx.handled(heard.number, at=now)


def stray_or_late(run: Run, letter: Letter, invocation: Invocation, now: datetime) -> Event | None:
    """What a reaction on a release message amounts to when it can no longer be counted; `None` when it can."""
    policy = run.plan.approval if run.plan else None
    sign, emoji = invocation.text[:1], invocation.text[1:]
    if policy is None or emoji not in (policy.approve_emoji, policy.reject_emoji):
        return None
    used = run.approval and run.approval.used and not run.phase.final
    if sign == "-":
        counted = emoji == policy.approve_emoji and used and run.approval and invocation.user in run.approval.by
        return VoteTooLate(run.id, now, invocation.user) if counted else None
    edition = int(letter.key.rpartition("/")[2])
    if letter.key != live_key(run.id, run.edition):
        return StrayVote(run.id, now, invocation.user, edition, "it was replaced by a newer ballot")
    if run.phase.final:
        return StrayVote(run.id, now, invocation.user, edition, f"the release has ended: {run.phase}")
    if run.ballot and run.ballot.closed:
        return StrayVote(run.id, now, invocation.user, edition, f"it was closed: {run.ballot.closed}")
    return None


def _apology(heard: Heard) -> Telling:
    asked = heard.invocation
    return Telling(
        key=slip_key(heard.number),
        channel=TERMINAL if asked.origin is Origin.TERMINAL else asked.channel,
        content=Content(BROKEN),
        to=asked.user,
        thread_ts=asked.thread_ts or None,
        urgent=True,
    )
