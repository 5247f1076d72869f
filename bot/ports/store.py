"""One transaction over everything we remember. What is due is decided in SQL, with the time handed in."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.events import Event
from bot.domain.ids import ChannelId, MessageKey, RunId
from bot.domain.invocation import Invocation
from bot.domain.journal import AuditEntry, ChainedEntry
from bot.domain.release import ReleaseRecord
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.chat import Place
from bot.ports.holds import Holds
from bot.ports.narrator import Telling


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to move one run until `until`. `token` grows by one with every grant: the newest owner has the
    highest.
    """

    run_id: RunId
    owner: str
    token: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Leased:
    """A run that is due, and the right to move it."""

    run: Run
    lease: Lease


@dataclass(frozen=True, slots=True)
class Heard:
    """A stored invocation that waits to be handled. `attempts` counts earlier tries."""

    number: int
    invocation: Invocation
    attempts: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as the relay sees it: what is wanted, and what is known to stand in the channel.

    `place` is `None` until it was posted. `attempted_at` is set, in a transaction of its own, before a post: if it
    is set and `place` is `None`, a former post may or may not have arrived. `under` is the place of the thread's first
    message.
    """

    key: MessageKey
    number: int
    telling: Telling
    channel: ChannelId | None
    place: Place | None
    under: Place | None
    wanted: int
    delivered: int
    seeded: int
    attempted_at: datetime | None
    failures: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class TargetState:
    """Who holds a target. `waiting` are the runs behind it, in order."""

    target: Target
    holder: RunId | None
    since: datetime | None
    waiting: tuple[RunId, ...]

    def ahead_of(self, run: RunId) -> tuple[RunId, ...]:
        """Who has the target before `run`, the next first; nobody for one that is not in line."""
        if run not in self.waiting:
            return ()
        before = self.waiting[: self.waiting.index(run)]
        return (self.holder, *before) if self.holder else before


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much there is and how much waits. `late` is how long the longest due run has been waiting for a pass."""

    runs_by_phase: Mapping[str, int]
    letters: int
    invocations: int
    late: timedelta


class Transaction(Holds, Protocol):
    """All or nothing: leaving the block by an exception undoes everything."""

    # --- what was heard ---
    async def hear(self, invocation: Invocation) -> bool:
        """Remember an invocation; False when its dedupe key is known already (nothing is stored then)."""
        ...

    async def unhandled(self, now: datetime, *, limit: int) -> Sequence[Heard]:
        """Invocations that wait and are due, oldest first."""
        ...

    async def answered(self, dedupe_key: str) -> tuple[int, bool] | None:
        """The number of a stored invocation, and whether it was handled; `None`: it is not known."""
        ...

    async def handled(self, number: int, *, at: datetime) -> None:
        """This invocation is done. Raises FencedError when somebody else handled it: then nothing here may count."""
        ...

    async def postpone(self, number: int, *, until: datetime) -> None:
        """Try this invocation again later; counts an attempt."""
        ...

    # --- runs ---
    async def next_number(self, target: Target) -> int:
        """The number of the target's next run, from 1; unique even if two ask at once."""
        ...

    async def add_run(self, run: Run, *, wake_at: datetime) -> None:
        """Store a new run. One with a `not_before` has no place in its target's line until that time has come."""
        ...

    async def run(self, run_id: RunId, *, held: bool = False) -> Run | None:
        """One run, or `None`. `held`: nobody else writes it before this transaction ends."""
        ...

    async def runs(self, *, target: Target | None = None, active: bool | None = None, limit: int = 20) -> Sequence[Run]:
        """Runs, newest first."""
        ...

    async def save(self, run: Run, *, before: Run, lease: Lease, wake_at: datetime | None) -> None:
        """Write a leased run back and give the lease up. `wake_at` `None`: it is final. A hint that came meanwhile
        brings `wake_at` forward. A wish, pause or consent that differs from `before` is written, otherwise what
        somebody else wrote meanwhile stays; but a run that begins to restore or ends loses its pause.

        Raises FencedError when the lease is no longer the newest, and ConflictError when the run would succeed over a
        wish to stop that came meanwhile.
        """
        ...

    async def amend(self, run: Run) -> None:
        """Write a wish, a pause or a consent into a run that somebody else may be moving, and wake it.

        Only these are written; a pass that is under way keeps them (see save).
        """
        ...

    async def wake(self, run_id: RunId, *, at: datetime) -> None:
        """A hint: look at this run at `at` or before."""
        ...

    async def lease_due(self, owner: str, now: datetime, *, duration: timedelta, limit: int) -> Sequence[Leased]:
        """Take runs that are due and that nobody holds, longest due first."""
        ...

    async def runs_due(self, now: datetime) -> bool:
        """Whether a run is due that nobody holds."""
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next run, invocation or message falls due after `now`, for an alarm; `None`: nothing will."""
        ...

    async def backlog(self, now: datetime) -> Backlog:
        """How much there is, how much waits."""
        ...

    async def release_leases(self, owner: str | None) -> int:
        """Give up the leases and claims of `owner` (`None`: everybody's, at a sole process's start); how many."""
        ...

    # --- targets ---
    async def take_target(
        self, target: Target, run_id: RunId, *, at: datetime, past: Collection[RunId] = ()
    ) -> TargetState:
        """Take the target if it is free and nobody came before (those it may go `past` aside); the state afterwards
        tells who holds it. A run scheduled until now gets its place in the line. Safe to repeat."""
        ...

    async def free_target(self, target: Target, run_id: RunId) -> RunId | None:
        """Let the target go if this run holds it. The run whose turn it is now, if the target is free and one waits: a
        run that ends in the line without holding the target makes room as well."""
        ...

    async def target_state(self, target: Target) -> TargetState:
        """Who holds it and who waits."""
        ...

    # --- releases ---
    async def add_release(self, record: ReleaseRecord) -> None:
        """Begin a record and end the one before."""
        ...

    async def releases(self, target: Target, *, limit: int = 20) -> Sequence[ReleaseRecord]:
        """What the target ran, newest first."""
        ...

    # --- events and journal ---
    async def add_events(self, events: Sequence[Event]) -> None:
        """Append to the runs' histories."""
        ...

    async def events(self, run_id: RunId) -> Sequence[Event]:
        """A run's history, oldest first."""
        ...

    async def audit(self, entry: AuditEntry) -> None:
        """Append to the hash-chained journal."""
        ...

    async def journal(self, *, after: int = 0, limit: int = 1000) -> Sequence[ChainedEntry]:
        """The journal from entry `after` + 1 on."""
        ...

    # --- messages ---
    async def tell(self, tellings: Sequence[Telling], *, at: datetime) -> None:
        """Want these messages to stand in their channels; a known key replaces what was wanted."""
        ...

    async def letters_due(
        self,
        now: datetime,
        *,
        limit: int,
        shut: Collection[str] = (),
        brief: Collection[str] = (),
        owner: str | None = None,
    ) -> Sequence[Letter]:
        """Messages whose wanted state is not delivered and that may be tried now: from each lane its first, then from
        each its second, and so on. Within a lane urgent edits come first, then what is not posted yet, then other
        edits, each in order of first telling.

        Left out: a reply whose thread has no place yet, what goes by a lane that is `shut`, edits that are not urgent
        in a lane that is `brief`, and what goes by a lane in which somebody else than `owner` has claimed a message.
        """
        ...

    async def claim(self, key: MessageKey, owner: str, now: datetime, *, duration: timedelta) -> Letter | None:
        """The right to deliver a message until `now` + `duration`, and the message as it is now. `None`: somebody else
        delivers in its lane, or it is not due any more. What `delivered`, `undelivered` or `misplaced` says ends the
        claim; `owner` may claim again what it claimed before."""
        ...

    async def letter(self, key: MessageKey) -> Letter | None:
        """One message."""
        ...

    async def letter_at(self, place: Place) -> Letter | None:
        """The message that stands at a place."""
        ...

    async def letters_under(self, prefix: str) -> Sequence[Letter]:
        """All messages whose key begins with `prefix`, in order of first telling."""
        ...

    async def attempt(
        self, key: MessageKey, channel: ChannelId, *, at: datetime, claim: tuple[str, timedelta] | None = None
    ) -> None:
        """A post of this message is about to be tried. `claim` names the owner of the claim and for how long it is
        renewed; raises FencedError when somebody else has it by now: then it must not be posted."""
        ...

    async def delivered(self, key: MessageKey, place: Place | None, *, version: int, seeded: int) -> None:
        """The channel shows `version` of this message at `place` (`None`: ephemeral) with `seeded` reactions."""
        ...

    async def undelivered(self, key: MessageKey, *, until: datetime, error: str, drop: bool = False) -> None:
        """A delivery failed: try again at `until`, or never (`drop`) when the channel will not have it."""
        ...

    async def misplaced(self, key: MessageKey, *, until: datetime, error: str) -> None:
        """The message can no longer be edited where it stands: post it anew at `until`."""
        ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A read-write transaction; commits at the end of the block. Raises UnreachableError when the database
        is away."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that only reads one moment of the database and hinders nobody who writes."""
        ...

    async def hear(self, invocation: Invocation) -> bool:
        """`Transaction.hear` in a transaction of its own, before everything else that waits to be written."""
        ...
