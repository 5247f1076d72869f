"""The outbox: makes the channels show what the database wants them to show.

In each channel messages go in order of their first telling, at about one a second (Slack's own limit) with a short
burst; edits of one message are coalesced to the newest by construction, because only the wanted state is kept. Before
a post its attempt is on record; if its answer is lost, the message is looked up by its metadata before any other try.
Several processes are kept apart by claims: in one lane only one delivers at a time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import logs
from bot.domain.errors import (
    FencedError,
    NotFoundError,
    PermanentError,
    TemporaryError,
    UneditableError,
    UnreachableError,
)
from bot.domain.ids import TERMINAL, ChannelId, live_key, run_of_key
from bot.domain.phase import Phase
from bot.engine.effects import landed
from bot.engine.patience import patience
from bot.ports.chat import Chat, FileId, Place
from bot.ports.clock import Clock
from bot.ports.store import Letter, Store, Transaction

BATCH = 50
BURST = 4.0
PER_SECOND = 1.0
RESERVE = 2.0
"""Progress waits while less than this is left of the burst, so that what is urgent never does."""

LONGEST_WAIT = timedelta(minutes=2)
REFUSED_WAIT = timedelta(minutes=2)
"""A channel that will not have a message is tried again after this time, then ever more seldom."""

LONGEST_REFUSED_WAIT = timedelta(minutes=15)
"""So often is often enough for a channel into which nobody lets the bot."""

CLAIM = timedelta(seconds=30)
"""A few calls of the chat at their own deadline. What a dead process had claimed waits so long."""

TAKEN_WAIT = timedelta(seconds=1)
"""After another process was found delivering in a lane."""

LOOK_BACK = timedelta(minutes=1)
"""How far before the recorded attempt a lost post is looked for: the two clocks need not agree."""

SETTLING = timedelta(minutes=1)
"""How long a message with a picture may take to be seen after it was posted: the chat looks through files first."""

PICTURE_TRIES = 3
"""After so many failures a message goes without its picture."""

log = logs.get(__name__)


@dataclass(slots=True)
class Budget:
    """A channel's token bucket. Kept in memory: after a restart a short burst is allowed again."""

    tokens: float
    at: datetime
    shut_until: datetime

    def wait(self, now: datetime, *, urgent: bool) -> timedelta:
        """How long until the next message may go; zero: now."""
        self.tokens = min(BURST, self.tokens + max((now - self.at).total_seconds(), 0.0) * PER_SECOND)
        self.at = now
        if now < self.shut_until:
            return self.shut_until - now
        short = (1.0 if urgent else RESERVE) - self.tokens
        return timedelta(seconds=short / PER_SECOND) if short > 0 else timedelta(0)


class Relay:
    """Delivers letters. One relay a process; `owner` names the process in its claims."""

    def __init__(self, *, store: Store, chat: Chat, clock: Clock, owner: str = "sole") -> None:
        self._store = store
        self._chat = chat
        self._clock = clock
        self._owner = owner
        self._budgets: dict[str, Budget] = {}

    async def turn(self) -> tuple[int, timedelta | None]:
        """Deliver what is due: how many went out, and how long until a lane has room for what is left."""
        now = self._clock.now()
        shut, brief = self._waits(now, urgent=True), self._waits(now, urgent=False)
        async with self._store.reading() as tx:
            # What has no room yet is not even read: hundreds of live messages of one channel may wait for theirs.
            due = await tx.letters_due(now, limit=BATCH, shut=shut, brief=brief, owner=self._owner)
        lanes: dict[str, list[Letter]] = defaultdict(list)
        for letter in due:
            lanes[letter.telling.lane].append(letter)
        results = await _all(self._lane(lane, letters) for lane, letters in lanes.items())
        left = [*shut.values(), *brief.values(), *(wait for _, wait in results if wait is not None)]
        return sum(sent for sent, _ in results), min(left, default=None)

    def _waits(self, now: datetime, *, urgent: bool) -> dict[str, timedelta]:
        """How long the lanes without room have none."""
        return {lane: wait for lane, budget in self._budgets.items() if (wait := budget.wait(now, urgent=urgent))}

    async def _lane(self, lane: str, letters: list[Letter]) -> tuple[int, timedelta | None]:
        """New messages keep their order: when one has to wait for room, so do those behind it. Edits of what stands
        already have no order among messages: urgent ones go first, others only when there is room to spare."""
        edits = sorted((one for one in letters if one.place), key=lambda one: (not one.telling.urgent, one.number))
        posts = [one for one in letters if not one.place]
        urgent = [one for one in edits if one.telling.urgent]
        sent, least = 0, None
        for queue in (urgent, posts, [one for one in edits if not one.telling.urgent]):
            for letter in queue:
                wait = self._room(lane, letter)
                if wait:
                    least = wait if least is None else min(least, wait)
                    break
                if not await self._deliver(letter):
                    return sent, TAKEN_WAIT
                sent += 1
        return sent, least

    def _room(self, lane: str, letter: Letter) -> timedelta:
        if lane == TERMINAL or letter.telling.to:
            return timedelta(0)
        now = self._clock.now()
        budget = self._budgets.setdefault(lane, Budget(BURST, now, now))
        wait = budget.wait(now, urgent=letter.telling.urgent or not letter.place)
        if not wait:
            budget.tokens -= 1
        return wait

    async def _deliver(self, due: Letter) -> bool:
        """False: somebody else delivers in this lane."""
        if due.telling.channel == TERMINAL:
            await self._delivered(due, None, len(due.telling.seeds))
            return True
        async with self._store.transaction() as tx:
            letter = await tx.claim(due.key, self._owner, self._clock.now(), duration=CLAIM)
        if letter is None:
            return False
        try:
            place = await self._show(letter)
            seeded = await self._seed(letter, place)
        except FencedError as exc:
            log.warning("message given up to another owner", key=letter.key, error=str(exc))
            return False
        except TemporaryError as exc:
            await self._later(letter, exc)
        except PermanentError as exc:
            await self._undeliverable(letter, exc)
        except Exception as exc:  # a fault of ours over one message must not hold up those behind it
            log.exception("message broke", key=letter.key)
            await self._retry(letter, REFUSED_WAIT, error=repr(exc))
        else:
            await self._delivered(letter, place, seeded)
        return True

    async def _delivered(self, letter: Letter, place: Place | None, seeded: int) -> None:
        async with self._store.transaction() as tx:
            await tx.delivered(letter.key, place, version=letter.wanted, seeded=seeded)
            if letter.place is None and letter.telling.seeds:
                # A ballot waits for its message to stand.
                await tx.wake(run_of_key(letter.key), at=self._clock.now())

    async def _show(self, letter: Letter) -> Place | None:
        telling = letter.telling
        if letter.place:
            if letter.delivered < letter.wanted:
                await self._chat.update(letter.place, letter.key, telling.content)
            return letter.place
        # Read anew each time: the name may mean another channel than at a former try.
        channel = letter.under.channel if letter.under else await self._chat.channel_id(telling.channel)
        thread_ts = letter.under.ts if letter.under else telling.thread_ts
        if telling.to:
            await self._chat.whisper(channel, telling.to, telling.content, thread_ts=thread_ts)
            return None
        found = await self._lost(letter, channel, thread_ts)
        if found:
            # What is shown with a picture says one thing for ever, and need not be editable.
            if telling.content.picture is None:
                await self._chat.update(found, letter.key, telling.content)
            return found
        picture = await self._picture(letter)
        async with self._store.transaction() as tx:
            await tx.attempt(letter.key, channel, at=self._clock.now(), claim=(self._owner, CLAIM))
        return await self._chat.post(channel, letter.key, telling.content, thread_ts=thread_ts, picture=picture)

    async def _picture(self, letter: Letter) -> FileId | None:
        """The message's picture, handed over before its attempt is on record: until then nothing can be lost. `None`:
        it has none, or goes without it, as a picture never costs the message."""
        picture = letter.telling.content.picture
        if picture is None:
            return None
        if letter.failures >= PICTURE_TRIES:
            log.warning("message goes without its picture", key=letter.key, error=letter.error)
            return None
        try:
            return await self._chat.upload(letter.key, picture)
        except TemporaryError:
            raise
        except PermanentError as exc:
            log.warning("message goes without its picture", key=letter.key, error=str(exc))
        except Exception:  # a fault of ours over a drawing
            log.exception("picture broke", key=letter.key)
        return None

    async def _lost(self, letter: Letter, channel: ChannelId, thread_ts: str | None) -> Place | None:
        """A message whose post was tried before and whose answer never reached us, where it was tried."""
        if letter.attempted_at is None:
            return None
        tried = letter.channel or channel
        since = (letter.attempted_at - LOOK_BACK).timestamp()
        try:
            found = await self._chat.find(tried, letter.key, thread_ts=thread_ts, since_ts=since)
        except PermanentError:
            if tried == channel:
                raise
            return None  # its name means another channel now, and the former one shows us nothing
        pictured = letter.telling.content.picture is not None
        if found is None and pictured and self._clock.now() - letter.attempted_at < SETTLING:
            raise UnreachableError("the message was posted with a picture, and may still appear")
        return found

    async def _seed(self, letter: Letter, place: Place | None) -> int:
        seeds = letter.telling.seeds
        if place is None or letter.seeded >= len(seeds):
            return len(seeds)
        async with self._store.transaction() as tx:
            # On record first: a crash between post and seeds must not post again.
            await tx.delivered(letter.key, place, version=letter.wanted, seeded=letter.seeded)
        try:
            for emoji in seeds[letter.seeded :]:
                await self._chat.react(place, emoji)
        except PermanentError as exc:
            # The ballot stands, and people can react by themselves.
            log.warning("message is left without its reactions", key=letter.key, error=str(exc))
        return len(seeds)

    async def _later(self, letter: Letter, exc: TemporaryError) -> None:
        now = self._clock.now()
        wait = exc.retry_after or patience(letter.failures, longest=LONGEST_WAIT)
        if exc.retry_after and letter.telling.lane in self._budgets:
            self._budgets[letter.telling.lane].shut_until = now + exc.retry_after
        log.warning("message waits", key=letter.key, error=str(exc), wait_s=wait.total_seconds())
        await self._retry(letter, wait, error=str(exc))

    async def _retry(self, letter: Letter, wait: timedelta, *, error: str) -> None:
        async with self._store.transaction() as tx:
            await tx.undelivered(letter.key, until=self._clock.now() + wait, error=error)

    async def _undeliverable(self, letter: Letter, exc: PermanentError) -> None:
        now = self._clock.now()
        log.warning("message cannot be delivered", key=letter.key, error=str(exc))
        gone = letter.place is not None and isinstance(exc, NotFoundError)
        async with self._store.transaction() as tx:
            if await self._anew(tx, letter, exc):
                await tx.misplaced(letter.key, until=now + timedelta(seconds=1), error=str(exc))
            elif gone or letter.telling.to:
                # Deleted by somebody, or for one person who cannot be reached: nobody misses it.
                await tx.undelivered(letter.key, until=now, error=str(exc), drop=True)
            else:
                wait = max(REFUSED_WAIT, patience(letter.failures, longest=LONGEST_REFUSED_WAIT))
                await tx.undelivered(letter.key, until=now + wait, error=str(exc))

    async def _anew(self, tx: Transaction, letter: Letter, exc: PermanentError) -> bool:
        """Whether a message that stood in its channel is posted anew, because people must see how it goes on.

        Never while its votes may be looked at again: people voted on the message that stands, and a ballot that was
        deleted is void. A release message that was deleted comes back while its run is under way or just ended.
        """
        if letter.place is None or letter.telling.seeds:
            return False
        run = await tx.run(run_of_key(letter.key))
        current = run is not None and letter.key == live_key(run.id, run.edition)
        if run and current and run.approval and not run.phase.final and not landed(run):
            return False
        if isinstance(exc, NotFoundError):
            return bool(run and current and run.phase is not Phase.PLANNING)
        return isinstance(exc, UneditableError)


async def _all(lanes: Iterable[Awaitable[tuple[int, timedelta | None]]]) -> list[tuple[int, timedelta | None]]:
    """What became of each lane. A lane that fails is reported when the others have ended: none goes on unseen."""
    results = await asyncio.gather(*lanes, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
