"""Runs that may have waited for what was just lifted look again at once."""

from datetime import datetime

from bot.ports.store import Transaction

MANY = 1000


async def wake_waiting(tx: Transaction, environment: str | None, *, at: datetime) -> None:
    """Wake the active runs of an environment; `None`: of all. One that is for later stays asleep until then."""
    for run in await tx.runs(active=True, limit=MANY):
        later = run.request.not_before is not None and run.request.not_before > at
        if not later and environment in (None, run.request.target.environment):
            await tx.wake(run.id, at=at)
