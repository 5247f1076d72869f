"""A wish becomes a run, or is only shown: what deploy, canary and promote do alike."""

from bot.domain.invocation import Invocation
from bot.ports.planning import Planning
from commands import replies
from commands.asking import Asked, request_for
from commands.freezing import require_thawed
from commands.locking import keeps_up
from commands.permissions import require_may_start
from commands.reply import Reply
from commands.spec import Desk


async def shown(asked: Asked, invocation: Invocation, planning: Planning) -> Reply | None:
    """A dry run: the plan is made and shown, and no run is stored. `None`: it is none."""
    if not asked.dry_run:
        return None
    return replies.dry_run(await planning.plan(request_for(asked, invocation)), invocation.received_at)


async def stored(asked: Asked, desk: Desk) -> Reply:
    """Store the run; the engine does the rest. Raises UsageError where this person may not start it from here."""
    require_may_start(desk.invocation, asked.target.environment, desk.catalogue, break_glass=asked.break_glass)
    await require_thawed(asked, desk)
    run = await desk.runs.request(desk.tx, request_for(asked, desk.invocation), desk.invocation)
    channel = desk.catalogue.channel(asked.target.service, asked.target.environment)
    lock = await desk.tx.locked(asked.target)
    waits = lock if lock and not lock.lets(desk.invocation.user, asked.verb) else None
    state = await desk.tx.target_state(asked.target)
    ahead = await desk.tx.run(state.holder) if lock and not waits and state.holder not in (None, run.id) else None
    own = lock if lock and ahead and keeps_up(lock, ahead) else None
    return replies.requested(run, state, channel=channel, now=desk.now, locked=waits, own_lock=own)
