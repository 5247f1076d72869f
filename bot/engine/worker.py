"""The worker: leases what is due, reconciles it with bounded concurrency, and keeps the inbox and the relay going.

What is due is decided in SQL; bells and alarms only make it look sooner.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot import logs
from bot.domain.errors import FencedError, TemporaryError
from bot.domain.ids import RunId
from bot.engine.bells import Bells
from bot.engine.hints import Hints
from bot.engine.inbox import Inbox
from bot.engine.reconciler import Reconciler
from bot.engine.relay import Relay
from bot.engine.runs import Runs
from bot.ports.clock import Clock
from bot.ports.store import Leased, Store

LEASE = timedelta(seconds=60)
PASS_LIMIT = timedelta(seconds=45)
"""A pass that takes longer is cancelled while its lease still holds."""

CONCURRENCY = 16
FLUSH_LIMIT = timedelta(seconds=5)
"""How long a stopping process may take to deliver the messages that are due."""

TOLD_AFTER = 3
"""So many broken passes of one run in this process before people are told."""

RESTLESS = 2000
"""More turns than any work takes that is due at one moment."""

log = logs.get(__name__)

Turn = Callable[[], Awaitable[bool]]
"""One turn of a loop; True when there may be more to do at once."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker keeps going."""

    store: Store
    clock: Clock
    reconciler: Reconciler
    inbox: Inbox
    relay: Relay
    runs: Runs
    hints: Hints
    bells: Bells


class Worker:
    """Three loops over one database. `owner` names this process in the leases."""

    def __init__(self, parts: Parts, *, owner: str) -> None:
        self._parts = parts
        self._owner = owner
        self._stopping = asyncio.Event()
        self._moving: set[str] = set()
        self._broken: Counter[RunId] = Counter()
        self._heard_all = False

    # --- a process that serves ---

    async def serve(self) -> None:
        """Work until `stop`; then finish the passes that are under way and flush the outbox."""
        self._parts.bells.ring()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._loop(self._parts.bells.inbox, self._inbox_turn))
            relay = group.create_task(self._loop(self._parts.bells.relay, self._relay_turn))
            await self._run_loop(group)
            relay.cancel()
        await self._flush()

    def stop(self) -> None:
        """Lease nothing more. Safe to call from a signal handler, and again."""
        self._stopping.set()
        self._parts.bells.ring()

    async def _run_loop(self, group: asyncio.TaskGroup) -> None:
        bell = self._parts.bells.runs
        while not self._stopping.is_set():
            await bell.wait()
            bell.clear()
            if self._stopping.is_set():
                return
            for leased in await self._guarded_lease():
                self._moving.add(leased.run.id)
                group.create_task(self._pass(leased))

    async def _loop(self, bell: asyncio.Event, turn: Turn) -> None:
        while not self._stopping.is_set():
            await bell.wait()
            bell.clear()
            if self._stopping.is_set():
                return
            try:
                again = await turn()
            except TemporaryError as exc:
                log.warning("turn failed", error=str(exc))
                continue
            except Exception:  # a fault of ours in one turn must not end the process; the next ring tries again
                log.exception("turn broke")
                continue
            if again:
                bell.set()

    async def _guarded_lease(self) -> list[Leased]:
        try:
            return await self._lease()
        except TemporaryError as exc:
            log.warning("leasing failed", error=str(exc))
        except Exception:  # a fault of ours must not end the process; the next ring tries again
            log.exception("leasing broke")
        return []

    async def _inbox_turn(self) -> bool:
        handled = await self._parts.inbox.turn()
        if handled:
            self._parts.bells.ring()
        return bool(handled)

    async def _relay_turn(self) -> bool:
        sent, wait = await self._parts.relay.turn()
        if wait is not None:
            self._parts.bells.set_alarm(self._parts.clock.now() + wait)
        return bool(sent)

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_LIMIT.total_seconds()):
                while (await self._parts.relay.turn())[0]:
                    pass
        except (TimeoutError, TemporaryError) as exc:
            log.warning("some messages are left for the next start", error=str(exc))
        except Exception:  # a fault of ours must not keep the process from stopping in order
            log.exception("flush broke; some messages are left for the next start")

    # --- passes ---

    async def _lease(self) -> list[Leased]:
        now, hinted = self._parts.clock.now(), self._parts.hints.take()
        room = CONCURRENCY - len(self._moving)
        leased: Sequence[Leased] = ()
        async with self._parts.store.reading() as tx:
            wanted = bool(hinted) or (room > 0 and await tx.runs_due(now))
            due = None if wanted else await tx.next_due(now)
        if wanted:
            async with self._parts.store.transaction() as tx:
                for run_id in hinted:
                    await tx.wake(run_id, at=now)
                leased = await tx.lease_due(self._owner, now, duration=LEASE, limit=max(room, 0))
                due = await tx.next_due(now)
        if due:
            self._parts.bells.set_alarm(due)
        return list(leased)

    async def _pass(self, leased: Leased) -> None:
        with logs.bound(run_id=leased.run.id):
            try:
                async with asyncio.timeout(PASS_LIMIT.total_seconds()):
                    await self._parts.reconciler.reconcile(leased)
            except FencedError as exc:
                log.warning("pass given up to a newer owner", error=str(exc))
            except (TemporaryError, TimeoutError) as exc:
                log.warning("pass failed; its lease will run out", error=str(exc))
            except Exception as exc:  # one run's fault of ours must not stop the others; it is retried
                log.exception("pass broke; its lease will run out")
                await self._tell_broken(leased.run.id, exc)
        self._moving.discard(leased.run.id)
        self._parts.bells.moved()

    async def _tell_broken(self, run_id: RunId, fault: Exception) -> None:
        """After some passes that broke, the run says so itself: it is tried on, but nobody waits for it unknowing."""
        self._broken[run_id] += 1
        if self._broken[run_id] != TOLD_AFTER:
            return
        try:
            async with self._parts.store.transaction() as tx:
                run = await tx.run(run_id)
                if run and not run.phase.final:
                    await self._parts.runs.pause(tx, run, by=None, reason=f"a fault in Sluice itself: {fault!r}")
        except Exception:  # what broke the passes may break the telling, too; the log has both
            log.exception("a run that keeps breaking could not be told")

    # --- virtual time ---

    async def lap(self) -> None:
        """One pass over everything that is due, guarded as in a process that serves."""
        for leased in await self._guarded_lease():
            self._moving.add(leased.run.id)
            await self._pass(leased)

    async def settle(self, *, guarded: bool = False) -> timedelta | None:
        """Work until nothing is due at the present time; for a process whose clock is moved by hand. How long until
        there is room for messages that wait for it; `None`: none does. `guarded`: a fault in one pass or turn is
        logged and survived, as in a process that serves; else it is raised.

        Raises RuntimeError when it does not come to rest: then something asks for another turn without moving.
        """
        bell = self._parts.bells.inbox
        # Who survives faults is rung for whatever is heard; then only what a fault has left is looked for besides.
        hears, delivers = not guarded or bell.is_set() or not self._heard_all, True
        room_in: timedelta | None = None
        for _ in range(RESTLESS):
            handled = await self._heard() if hears else 0
            leased = await self._lease()
            for one in leased:
                await (self._pass(one) if guarded else self._parts.reconciler.reconcile(one))
            sent: object = 0
            if delivers or handled or leased:
                sent, room_in = await self._parts.relay.turn()
            if not (handled or leased or sent):
                return room_in
            # At one and the same moment there is nothing new but what was heard, and what was only begun.
            hears, delivers = bool(handled) or bell.is_set(), bool(sent)
        raise RuntimeError(f"{RESTLESS} turns at one moment, and something is still due")

    async def _heard(self) -> int:
        self._parts.bells.inbox.clear()
        self._heard_all = False
        handled = await self._parts.inbox.turn()
        self._heard_all = not handled
        return handled
