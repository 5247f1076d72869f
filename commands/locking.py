"""Locks as people read them: the line behind one, whose turn it is, and the owner who forgot."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.hold import Lock
from bot.domain.phase import StepPhase
from bot.domain.plan import Verb
from bot.domain.run import Run
from bot.ports.clock import Clock
from bot.ports.store import Store, TargetState, Transaction
from commands.holds import age, told
from commands.spec import Desk
from commands.wording import code, person, safe, target, typed
from runbooks.catalogue import Catalogue

LOCK = "lock"
FORGOTTEN = timedelta(hours=24)
"""After this time, and each time it has passed again, the owner is asked whether the lock is still needed."""


def here(lock: Lock) -> str:
    """`api prod`, to be typed."""
    return f"{lock.target.service} {lock.target.environment}"


def lock_line(lock: Lock, state: TargetState, now: datetime) -> str:
    """A lock with the line behind it."""
    line = ", ".join(f"{place}. {code(run)}" for place, run in enumerate(state.waiting, 1))
    waits = f" · waiting: {line}" if line else ""
    since = f" for {age(lock, now)}" if now > lock.since else ""
    held = f"{target(lock.target)} is locked by {person(lock.owner)}{since}: {safe(lock.reason)}"
    return f":lock: {held} · {typed(f'unlock {here(lock)}')}{waits}"


async def next_run(tx: Transaction, state: TargetState) -> Run | None:
    """The run whose turn comes when the lock is gone: the one that it held up before its first change, else the first
    in line where nobody holds the target. `None`: none was waiting for that."""
    if state.holder:
        run = await tx.run(state.holder)
        return run if run and _held_up(run) else None
    return await tx.run(state.waiting[0]) if state.waiting else None


def _held_up(run: Run) -> bool:
    """Whether the lock keeps a run that has had its turn from going on."""
    gates = run.plan.gates if run.plan else ()
    return any(gate.kind == LOCK and run.step(gate.key).phase is StepPhase.RUNNING for gate in gates)


def keeps_up(lock: Lock, run: Run) -> bool:
    """Whether a run that has its turn will wait for the lock: it has changed nothing, and the lock does not let it."""
    return not run.changed and not run.phase.final and not lock.lets(run.request.requester, run.request.verb)


def your_turn(run: Run, by: str) -> str:
    """Whoever waited need not look."""
    asked = run.request
    return (
        f":bell: {person(asked.requester)}, it is your turn: {by} has unlocked {target(asked.target)}, and "
        f"{code(run.id)} begins by itself."
    )


async def note_passing(desk: Desk, run: Run) -> None:
    """A rollback goes through somebody else's lock: they and the channel are told loudly."""
    asked = run.request
    lock = await desk.tx.locked(asked.target)
    if lock is None or lock.owner == asked.requester or asked.verb is not Verb.ROLLBACK:
        return
    text = (
        f":rotating_light: {person(lock.owner)}: {person(asked.requester)} rolls {target(asked.target)} back *through "
        f"your lock* ({safe(lock.reason)}) with {code(run.id)}; the way back is never closed. "
        f"{typed(f'abort {run.id}')} stops it as long as nothing is changed."
    )
    channel = desk.catalogue.channel(asked.target.service, asked.target.environment)
    await desk.tx.tell([told(f"through/{run.id}", channel, text, at=desk.now)], at=desk.now)


async def remind(store: Store, clock: Clock, catalogue: Catalogue) -> int:
    """Ask the owners of old locks whether they still need them; how many were asked."""
    now = clock.now()
    async with store.reading() as tx:
        old = _forgotten(await tx.locks(), catalogue, now)
    asked = 0
    for lock in old:
        async with store.transaction() as tx:
            if await tx.locked(lock.target) != lock:
                continue  # taken away meanwhile, or asked about by another process
            channel = catalogue.channel(lock.target.service, lock.target.environment)
            state = await tx.target_state(lock.target)
            text = f":alarm_clock: {person(lock.owner)}, do you still need it? {lock_line(lock, state, now)}"
            await tx.tell([told(f"reminder/{lock.target}", channel, text, at=now)], at=now)
            await tx.reminded(lock.target, at=now)
            asked += 1
    return asked


def _forgotten(locks: Sequence[Lock], catalogue: Catalogue, now: datetime) -> list[Lock]:
    """Those of which their owner was not reminded for a day; of places that the catalogue still has."""
    return [
        lock
        for lock in locks
        if now - (lock.reminded_at or lock.since) >= FORGOTTEN
        and lock.target.service in catalogue.services
        and lock.target.environment in catalogue.environments
    ]
