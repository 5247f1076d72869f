"""Which run somebody means."""

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.store import Transaction


async def find_run(tx: Transaction, named: RunId | Target) -> Run:
    """The run of that id; for a target the run that holds it, else the one next in line, else its newest.

    Raises UsageError when there is none.
    """
    if isinstance(named, Target):
        return await _of_target(tx, named)
    run = await tx.run(named)
    if run is None:
        raise UsageError(f"There is no run `{named}`.", hint="`/release status` lists what is under way.")
    return run


async def find_active_run(tx: Transaction, named: RunId | Target) -> Run:
    """The same, but it must not have ended. Raises UsageError."""
    run = await find_run(tx, named)
    if run.phase.final:
        what = f"`{run.id}` has ended ({run.phase})"
        raise UsageError(
            f"{what}; there is nothing left to act on.", hint=f"`/release why {run.id}` tells how it ended."
        )
    return run


async def under_way(tx: Transaction, target: Target) -> Run | None:
    """The run that holds the target, else the first in line; `None`: nobody is. One that begins later is in no line."""
    state = await tx.target_state(target)
    for named in (state.holder, *state.waiting[:1]):
        run = await tx.run(named) if named else None
        if run and not run.phase.final:
            return run
    return None


async def _of_target(tx: Transaction, target: Target) -> Run:
    first = await under_way(tx, target)
    if first:
        return first
    later = await tx.runs(target=target, active=True)
    newest = [*later[-1:], *await tx.runs(target=target, limit=1)]
    if not newest:
        raise UsageError(
            f"Nothing has ever been released to {target.service} in {target.environment}.",
            hint=f"`/deploy {target.service} <ref> {target.environment}` does.",
        )
    return newest[0]
