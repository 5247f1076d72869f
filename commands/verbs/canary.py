"""canary: release one version behind growing traffic; without a version, tell how the canary of a target stands."""

from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.ids import MessageKey, live_key
from bot.domain.invocation import Invocation
from bot.domain.plan import Verb
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.chat import Content
from bot.ports.narrator import Telling
from bot.ports.planning import Planning
from commands import replies
from commands.asking import STARTING, Asked, read_asked, require_version
from commands.finding import under_way
from commands.grammar import Line, place
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.starting import shown, stored
from runbooks.report import report

USAGE = "canary <service> <ref> <environment>"
REPORT = "canary <service> <environment>"


@dataclass(frozen=True, slots=True)
class Canary:
    """Bring a version to a target behind growing traffic."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class Look:
    """Tell how the canary of a target stands."""

    target: Target


def parse(line: Line, reading: Reading) -> Canary | Look:
    """Refuses a reference that names an image, or that everybody moves."""
    placed = place(line, reading.catalogue, usage=USAGE, ref=None)
    if not placed.ref:
        line.allow()
        return Look(placed.target)
    require_version(placed, "canary")
    return Canary(read_asked(line, reading, Verb.CANARY, placed))


async def look(command: Canary | Look, invocation: Invocation, planning: Planning) -> Reply | None:
    """A dry run: the plan is made and shown, and no run is stored."""
    if isinstance(command, Look):
        return None
    return await shown(command.asked, invocation, planning)


async def handle(command: Canary | Look, desk: Desk) -> Reply:
    """Store the run, or tell how the one under way stands."""
    if isinstance(command, Look):
        return await _report(command.target, desk)
    return await stored(command.asked, desk)


async def _report(target: Target, desk: Desk) -> Reply:
    run = await under_way(desk.tx, target)
    found = report(run, desk.now) if run else None
    if run is None or found is None:
        doing = f" `{run.id}` is under way there, at no canary." if run else ""
        raise UsageError(
            f"No canary of {target.service} is running in {target.environment}.{doing}",
            hint=f"`/canary {target.service} <ref> {target.environment}` starts one.",
        )
    reply = replies.canary_report(run, found, desk.now)
    if found.picture is not None:
        await desk.tx.tell([_pictured(run, desk, Content(reply.text, picture=found.picture))], at=desk.now)
        return replace(reply, text=f"{reply.text}\nIts picture is in the thread of the release.")
    return reply


def _pictured(run: Run, desk: Desk, content: Content) -> Telling:
    """The report with its picture, for everybody: in the release's thread, where pictures can be shown."""
    key = MessageKey(f"{run.id}/report/{desk.invocation.dedupe_key}")
    return Telling(key, run.sealed_plan().channel, content, under=live_key(run.id, run.edition))


SPEC = CommandSpec(
    verb="canary",
    usage=f"{USAGE} | {REPORT}",
    summary="releases a version behind growing traffic, judged by metrics; without a version it tells how one stands",
    examples=("canary api v1.4.2 prod", "canary api prod"),
    options=STARTING,
    parse=parse,
    handle=handle,
    look=look,
    starts=lambda command: isinstance(command, Canary) and not command.asked.dry_run,
)
