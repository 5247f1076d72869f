"""rollback: back to the last known good version, or to a healthy release that is named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.invocation import Invocation
from bot.domain.plan import Verb
from bot.domain.release import ReleaseRecord, digest_of, means
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.planning import Planning
from commands import replies
from commands.asking import Asked, read_asked, request_for
from commands.grammar import Line, place
from commands.permissions import require_may_start
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import shown, slash_line

USAGE = "rollback <service> <environment> [to <ref>]"
RECORDS = 50
"""How many release records back a release may be named."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """Bring a target back."""

    asked: Asked


def parse(line: Line, reading: Reading) -> Rollback:
    """The version, if one is named, may stand behind `to` or alone."""
    words, ref = list(line.words), ""
    if "to" in words:
        at = words.index("to")
        if at + 1 == len(words):
            raise UsageError("`to` needs a version behind it.", hint=f"Write `{slash_line(USAGE)}`.")
        ref = words[at + 1]
        del words[at : at + 2]
    placed = place(replace(line, words=tuple(words)), reading.catalogue, usage=USAGE, ref=False if ref else None)
    return Rollback(read_asked(line, reading, Verb.ROLLBACK, replace(placed, ref=ref or placed.ref)))


async def look(command: Rollback, invocation: Invocation, planning: Planning) -> Reply | None:
    """A dry run: the plan of the way back is shown, and nothing is stopped."""
    if not command.asked.dry_run:
        return None
    plan = await planning.plan(request_for(command.asked, invocation))
    return replies.dry_run(plan, invocation.received_at)


async def handle(command: Rollback, desk: Desk) -> Reply:
    """Stop what is under way on the target; where nothing is, store a run that goes back."""
    asked = command.asked
    active = await _under_way(desk, asked.target)
    if active is not None:
        return await _stop(active, asked, desk)
    require_may_start(desk.invocation, asked.target.environment, desk.catalogue, break_glass=asked.break_glass)
    if asked.ref:
        asked = _named(asked, await desk.tx.releases(asked.target, limit=RECORDS))
    run = await desk.runs.request(desk.tx, request_for(asked, desk.invocation), desk.invocation)
    channel = desk.catalogue.channel(asked.target.service, asked.target.environment)
    return replies.requested(run, await desk.tx.target_state(asked.target), channel=channel, now=desk.now)


async def _under_way(desk: Desk, target: Target) -> Run | None:
    """The run that holds the target, else the one that will take it next; one that begins later is left alone."""
    holder = (await desk.tx.target_state(target)).holder
    active = [*await desk.tx.runs(target=target, active=True)]
    begun = [run for run in active if run.request.not_before is None or run.request.not_before <= desk.now]
    return next((run for run in begun if run.id == holder), begun[-1] if begun else None)


async def _stop(run: Run, asked: Asked, desk: Desk) -> Reply:
    if run.request.verb is Verb.ROLLBACK:
        raise UsageError(
            f"`{run.id}` is a rollback of that target already.", hint=f"`/release why {run.id}` tells where it stands."
        )
    previous = run.plan.previous if run.plan else None
    if asked.ref and (previous is None or not means(asked.ref, previous.image, [previous.ref])):
        back = f"goes back to `{shown(previous.ref)}`" if previous else "goes back to nothing known"
        raise UsageError(
            f"`{run.id}` is under way there, and stopping it {back}, not to `{shown(asked.ref)}`.",
            hint=f"Type `/release abort {run.id}`, and this again once it has ended.",
        )
    reason = asked.reason or "rollback"
    stopped = await desk.runs.abort(desk.tx, run, by=desk.invocation.user, reason=reason)
    waiting = (await desk.tx.target_state(asked.target)).waiting
    return replies.rolled_back_by_abort(stopped, [one for one in waiting if one != run.id])


def _named(asked: Asked, records: Sequence[ReleaseRecord]) -> Asked:
    """The wish with its release named in full, where our records know it. Raises UsageError for an unhealthy one.

    A release that no record knows passes: the workload itself may remember more, and then the plan decides.
    """
    meant = [record for record in records if means(asked.ref, record.image, [record.ref])]
    if not meant:
        return asked
    good = next((record for record in meant if record.healthy), None)
    if good is None:
        others = dict.fromkeys(f"`{shown(record.ref)}`" for record in records if record.healthy)
        known = f"Healthy there: {', '.join(others)}." if others else "No healthy release is recorded there."
        raise UsageError(f"`{shown(asked.ref)}` was not healthy in {asked.target.environment}.", hint=known)
    digest = digest_of(good.image)
    return asked if asked.ref == good.ref or digest is None else replace(asked, ref=digest)


SPEC = CommandSpec(
    verb="rollback",
    usage=f'{USAGE} [--reason "…"] [--dry-run] [--break-glass]',
    summary="goes back to the last known good version, or to a named one; stops a release that is under way",
    examples=("rollback api prod", 'rollback api prod to v1.4.1 --reason "slow logins"'),
    parse=parse,
    handle=handle,
    look=look,
    starts=lambda command: not command.asked.dry_run,
)
