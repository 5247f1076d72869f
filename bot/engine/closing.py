"""The end of a run: release records, and the target goes to the next in line."""

from datetime import datetime

from bot.domain.phase import Phase
from bot.domain.release import ReleaseRecord, image_set_at, restored_at
from bot.domain.run import Run
from bot.ports.store import Transaction


async def close_run(tx: Transaction, run: Run, now: datetime) -> None:
    """Write what the target ran because of this run, free the target, and wake the next in line."""
    for record in records(run):
        await tx.add_release(record)
    following = await tx.free_target(run.request.target, run.id)
    if following and await tx.locked(run.request.target):
        # The next may have to wait for the lock while one behind it need not.
        for waiting in (await tx.target_state(run.request.target)).waiting:
            await tx.wake(waiting, at=now)
    elif following:
        await tx.wake(following, at=now)


def records(run: Run) -> tuple[ReleaseRecord, ...]:
    """The release records that an ended run leaves, oldest first; none when it never changed the image."""
    return tuple(record for record in (_brought(run), _back(run)) if record)


def _brought(run: Run) -> ReleaseRecord | None:
    since = image_set_at(run)
    if run.plan is None or since is None:
        return None
    ok = run.phase is Phase.SUCCEEDED
    return ReleaseRecord(
        target=run.plan.target,
        image=run.plan.artifact.image,
        ref=run.plan.artifact.ref,
        run_id=run.id,
        by=run.plan.requester,
        since=since,
        healthy=ok,
        reason=run.plan.reason if ok else run.reason,
    )


def _back(run: Run) -> ReleaseRecord | None:
    since = restored_at(run)
    if run.plan is None or run.plan.previous is None or since is None or image_set_at(run) is None:
        return None
    return ReleaseRecord(
        target=run.plan.target,
        image=run.plan.previous.image,
        ref=run.plan.previous.ref,
        run_id=run.id,
        by=run.plan.requester,
        since=since,
        # Brought back, but what was to prove it (a smoke test after the restore) failed.
        healthy=run.phase is not Phase.FAILED,
        reason=f"restored: {run.reason}",
    )
