"""rollback: back to the last known good version, or to a healthy release that is named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.invocation import Invocation
from bot.domain.plan import Verb
from bot.domain.release import ReleaseRecord, digest_of, last_known_good, means
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.planning import Planning
from commands import replies
from commands.asking import STARTING, Asked, read_asked, request_for
from commands.finding import under_way
from commands.grammar import Line, place
from commands.locking import note_passing
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
    """Stop what is under way on the target, and store a run that goes back.

    A release that has changed something is itself the way back: stopping it restores what it replaced. One that has
    changed nothing yet only stands in the way, and what runs meanwhile may be what is bad.
    """
    asked = command.asked
    active = await under_way(desk.tx, asked.target)
    if active is None:
        return await _go_back(asked, desk)
    await _require_first(active, asked.target, desk)
    if active.changed or _keeps(active, asked):
        return await _stop(active, asked, desk)
    return await _go_back(asked, desk, instead_of=active)


async def _go_back(asked: Asked, desk: Desk, *, instead_of: Run | None = None) -> Reply:
    """Store the rollback; the run that it comes `instead_of` is stopped and ends before it begins."""
    require_may_start(desk.invocation, asked.target.environment, desk.catalogue, break_glass=asked.break_glass)
    records = await desk.tx.releases(asked.target, limit=RECORDS)
    if asked.ref:
        asked = _named(asked, records)
    channel = desk.catalogue.channel(asked.target.service, asked.target.environment)
    if instead_of is None:
        run = await desk.runs.request(desk.tx, request_for(asked, desk.invocation), desk.invocation)
        await note_passing(desk, run)
        return replies.requested(run, await desk.tx.target_state(asked.target), channel=channel, now=desk.now)
    reason = asked.reason or "rollback"
    stopped = await desk.runs.abort(desk.tx, instead_of, by=desk.invocation.user, reason=reason)
    run = await desk.runs.request(desk.tx, request_for(asked, desk.invocation), desk.invocation)
    await note_passing(desk, run)
    state = await desk.tx.target_state(asked.target)
    back = asked.ref or _last_good(stopped, records)
    return replies.rolled_back_instead(stopped, run, state, back=back, channel=channel, now=desk.now)


def _keeps(active: Run, asked: Asked) -> bool:
    """Whether what runs while `active` has changed nothing is the version that was named: then nothing need go back."""
    running = active.plan.previous if active.plan else None
    return bool(asked.ref and running and means(asked.ref, running.image, [running.ref]))


def _last_good(stopped: Run, records: Sequence[ReleaseRecord]) -> str:
    """What the way back will bring, as far as our records know; the plan decides, and its message names it."""
    previous = stopped.plan.previous if stopped.plan else None
    running = previous.image if previous else next((record.image for record in records[:1]), "")
    good = last_known_good(records, running=running)
    return good.ref if good else ""


async def _require_first(active: Run, target: Target, desk: Desk) -> None:
    """Raise UsageError where somebody has asked for the way back already."""
    waiting = (await desk.tx.target_state(target)).waiting
    for run in (active, *[one for one in [await desk.tx.run(named) for named in waiting] if one]):
        if run.request.verb is Verb.ROLLBACK:
            raise UsageError(
                f"`{run.id}` is a rollback of that target already.",
                hint=f"`/release why {run.id}` tells where it stands.",
            )


async def _stop(run: Run, asked: Asked, desk: Desk) -> Reply:
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
    usage=USAGE,
    summary="goes back to the last known good version, or to a named one; stops a release that is under way",
    examples=("rollback api prod", 'rollback api prod to v1.4.1 --reason "slow logins"'),
    options=tuple(name for name in STARTING if name != "exempt"),
    parse=parse,
    handle=handle,
    look=look,
    starts=lambda command: not command.asked.dry_run,
)
