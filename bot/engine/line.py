"""The line before a locked target: who is kept back, who goes past, and what those who wait are told."""

from bot.domain.hold import Lock
from bot.domain.ids import RunId
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.store import Transaction

ITS_TURN = "its turn in the line"


async def kept_back(tx: Transaction, target: Target, lock: Lock) -> tuple[RunId, ...]:
    """The runs in line that a lock keeps back: what it lets through goes past them."""
    waiting = [await tx.run(named) for named in (await tx.target_state(target)).waiting]
    return tuple(run.id for run in waiting if run and not lock.lets(run.request.requester, run.request.verb))


def in_line(run: Run, lock: Lock | None) -> str:
    """What a run in line waits for, beside its turn; empty: nothing was ever said but that. Whoever was told of a lock
    is told when only the line is left."""
    if lock:
        return str(lock)
    return ITS_TURN if run.waiting_for else ""
