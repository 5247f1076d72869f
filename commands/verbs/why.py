"""why: the one cause that holds a run, and what to do about it."""

from dataclasses import dataclass

from bot.domain.ids import RunId
from bot.domain.target import Target
from commands.causes import why
from commands.finding import find_run
from commands.grammar import Line, run_or_target
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading

USAGE = "why <run> | why <service> <environment>"


@dataclass(frozen=True, slots=True)
class Why:
    """Ask why this stands still."""

    named: RunId | Target


def parse(line: Line, reading: Reading) -> Why:
    """A run, or the run that holds a target."""
    line.allow()
    return Why(run_or_target(line, reading.catalogue, usage=USAGE))


async def handle(command: Why, desk: Desk) -> Reply:
    """Reads the run and its place in line; changes nothing."""
    run = await find_run(desk.tx, command.named)
    return why(run, await desk.tx.target_state(run.request.target), desk.now)


SPEC = CommandSpec(
    verb="why",
    usage=USAGE,
    summary="tells what a release waits for, and what to do about it",
    examples=("why api-prod-42", "why api prod"),
    parse=parse,
    handle=handle,
)
