"""audit: who asked for a release, who let it through, and what was done."""

from dataclasses import dataclass

from bot.domain.ids import RunId
from bot.domain.target import Target
from commands.finding import find_run
from commands.grammar import Line, run_or_target
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.trail import trail

USAGE = "audit <run> | audit <service> <environment>"


@dataclass(frozen=True, slots=True)
class Audit:
    """Look through this run's past."""

    named: RunId | Target


def parse(line: Line, reading: Reading) -> Audit:
    """A run, or the run that holds a target."""
    line.allow()
    return Audit(run_or_target(line, reading.catalogue, usage=USAGE))


async def handle(command: Audit, desk: Desk) -> Reply:
    """Reads the run's events; changes nothing."""
    run = await find_run(desk.tx, command.named)
    return trail(run, await desk.tx.events(run.id), desk.now)


SPEC = CommandSpec(
    verb="audit",
    usage=USAGE,
    summary="tells who asked for a release, who let it through, and what was done",
    examples=("audit api-prod-42", "audit api prod"),
    parse=parse,
    handle=handle,
)
