"""freeze: nothing freezes the environment, neither the calendar nor a person."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.errors import UsageError
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.domain.phase import Phase
from bot.ports.execution import StepContext
from bot.ports.store import Store
from runbooks.kinds import GateKind, StepSpec
from runbooks.windows import FreezeWindow, Frozen, frozen

NEXT_LOOK = timedelta(minutes=1)
"""Whoever lifts a freeze wakes the runs that it holds up; this covers a lost wake-up."""

LATER = "frozen after the exemption was asked for, so nobody has voted on letting it through this"

WindowsOf = Callable[[str], Sequence[FreezeWindow]]
"""The windows of an environment, as the catalogue has them now. Raises UsageError."""


class FreezeSpec(StepSpec):
    """There is nothing to set: windows stand in the catalogue, and people freeze by word."""

    def read_aloud(self) -> str:
        return (
            "Nothing may freeze the environment, neither the calendar nor a person; looked at again before the change."
        )


KIND = GateKind(
    name="freeze",
    spec=FreezeSpec,
    deadline=timedelta(minutes=10),
    about="No freeze window covers the environment, and nobody has frozen it.",
    standing=True,
)


class FreezeGate:
    """Reads windows and freezes anew each time: one that began after the votes holds the change up as well.

    A rollback by its own runbook passes: the way back is never closed, and another runbook may do anything besides. So
    does what people have exempted, but not when everything is stopped, and not through what somebody froze after the
    exemption was asked for: nobody has voted on that.
    """

    def __init__(self, store: Store, windows_of: WindowsOf) -> None:
        self._store = store
        self._windows_of = windows_of

    async def reconcile(self, context: StepContext) -> Outcome:
        plan, now = context.plan, context.now
        environment = plan.target.environment
        async with self._store.reading() as tx:
            freezes = await tx.freezes(now)
        try:
            windows = self._windows_of(environment)
        except UsageError as exc:
            return Failed(f"nobody can tell whether it is frozen: {exc}")
        found = frozen(environment, windows, freezes, now)
        if found is None:
            return Succeeded("no freeze")
        if plan.is_way_back:
            return Succeeded("frozen, but the way back is open")
        if plan.exempt and found.exemptible:
            later = frozen(environment, (), [one for one in freezes if one.since > context.run.created_at], now)
            if later is None:
                return Succeeded(f"frozen, exempt: {plan.exempt}")
            return _held(context, replace(found, by=later.by, reason=f"{later.reason} ({LATER})"))
        return _held(context, found)


def _held(context: StepContext, found: Frozen) -> Outcome:
    """Before its first change a run waits for the end, as long as its approval lasts. A plan that is only being made
    waits no longer than its gate may: people would vote for something that cannot happen."""
    left = found.until - context.now if found.until else None
    if context.run.phase is not Phase.GATING:
        return Pending(str(found), NEXT_LOOK if left is None else min(left, NEXT_LOOK))
    begun = context.seen.started_at or context.now
    if left is not None and left <= begun + context.step.deadline - context.now:
        return Pending(str(found), min(left, NEXT_LOOK))
    later = (
        f"ask again with `--at {found.opens_at:%Y-%m-%dT%H:%M}Z`" if found.opens_at else "ask again once it is lifted"
    )
    return Failed(f"{found}; {later}")
