"""lock: nobody else keeps the target to themselves."""

from datetime import timedelta

from bot.domain.outcome import Outcome, Pending, Succeeded
from bot.domain.plan import Verb
from bot.ports.execution import StepContext
from bot.ports.store import Store
from runbooks.kinds import GateKind, StepSpec

NEXT_LOOK = timedelta(minutes=1)
"""Whoever unlocks a target wakes the runs that it holds up; this covers a lost wake-up."""


class LockSpec(StepSpec):
    """There is nothing to set: people lock by word."""

    def read_aloud(self) -> str:
        return "Nobody else may have locked the target; looked at again before the change."


KIND = GateKind(
    name="lock",
    spec=LockSpec,
    deadline=timedelta(hours=24),
    about="Nobody else has locked the target.",
    standing=True,
)


class LockGate:
    """Requests for a locked target wait in its line; this holds up one whose turn had come before it was locked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def reconcile(self, context: StepContext) -> Outcome:
        plan = context.plan
        async with self._store.reading() as tx:
            lock = await tx.locked(plan.target)
        if lock is None:
            return Succeeded("not locked")
        if lock.owner == plan.requester:
            return Succeeded("locked by who asked")
        if lock.lets(plan.requester, plan.verb):
            return Succeeded(f"{lock}; the way back is open" if plan.verb is Verb.ROLLBACK else str(lock))
        return Pending(str(lock), NEXT_LOOK)
