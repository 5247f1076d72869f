"""promote: carry the version that runs in one environment to the next; or let a canary go on that waits for people."""

from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.invocation import Invocation, Origin
from bot.domain.plan import Verb
from bot.domain.run import Run
from bot.domain.target import Target
from bot.ports.planning import Planning
from commands import replies
from commands.asking import STARTING, Asked, read_asked
from commands.carrying import WHOLE_LINE, carried
from commands.finding import find_active_run, under_way
from commands.grammar import Line, Placed, run_or_target
from commands.permissions import ASK_IN_SLACK
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.starting import shown, stored

USAGE = "promote <service> <from> <to>"
GO_ON = "promote <service> <environment>"


@dataclass(frozen=True, slots=True)
class Promote:
    """Carry what runs in one environment to another."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class GoOn:
    """Let the canary of a run, or of a target, go on."""

    named: RunId | Target


def parse(line: Line, reading: Reading) -> Promote | GoOn:
    """Three words carry, two let go on. The two environments stand in the order in which the version travels."""
    if len(line.words) != WHOLE_LINE:
        named = run_or_target(line, reading.catalogue, usage=f"{USAGE} | {GO_ON}")
        line.allow()
        return GoOn(named)
    service, origin, to = carried(line, reading.catalogue, usage=USAGE)
    asked = read_asked(line, reading, Verb.PROMOTE, Placed(service, to))
    return Promote(replace(asked, origin=origin))


async def look(command: Promote | GoOn, invocation: Invocation, planning: Planning) -> Reply | None:
    """A dry run: the plan is made and shown, and no run is stored."""
    if isinstance(command, GoOn):
        return None
    return await shown(command.asked, invocation, planning)


async def handle(command: Promote | GoOn, desk: Desk) -> Reply:
    """Store the run; or note who lets a canary go on, which its next pass counts like votes."""
    if isinstance(command, GoOn):
        return await _let_go_on(command.named, desk)
    return await stored(command.asked, desk)


async def _let_go_on(named: RunId | Target, desk: Desk) -> Reply:
    run = await _meant(named, desk)
    step, target = run.current(), run.request.target
    if step is None or run.step(step.key).asks is None:
        raise UsageError(
            f"`{run.id}` does not wait for people now.",
            hint=f"`/canary {target.service} {target.environment}` tells how a canary stands, "
            f"`/release why {run.id}` what a release waits for.",
        )
    if desk.invocation.origin is Origin.TERMINAL and run.sealed_plan().approval is not None:
        raise UsageError("This counts as a vote, and a terminal does not prove who you are.", hint=ASK_IN_SLACK)
    return replies.let_go_on(await desk.runs.consent(desk.tx, run, step.key, by=desk.invocation.user), step)


async def _meant(named: RunId | Target, desk: Desk) -> Run:
    if not isinstance(named, Target):
        return await find_active_run(desk.tx, named)
    run = await under_way(desk.tx, named)
    if run is None:
        raise UsageError(
            f"Nothing of {named.service} is under way in {named.environment} that could go on.",
            hint=f"`/promote {named.service} <from> {named.environment}` carries a version there.",
        )
    return run


SPEC = CommandSpec(
    verb="promote",
    usage=f"{USAGE} | {GO_ON}",
    summary="carries the version that runs healthy in one environment to the next; or lets a waiting canary go on",
    examples=("promote api staging prod", "promote api prod"),
    options=STARTING,
    parse=parse,
    handle=handle,
    look=look,
    starts=lambda command: isinstance(command, Promote) and not command.asked.dry_run,
)
