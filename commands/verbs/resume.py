"""resume: let a paused run go on."""

from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.target import Target
from commands import replies
from commands.finding import find_active_run
from commands.grammar import Line, run_or_target
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading

USAGE = "resume <run> | resume <service> <environment>"


@dataclass(frozen=True, slots=True)
class Resume:
    """Let this run go on."""

    named: RunId | Target


def parse(line: Line, reading: Reading) -> Resume:
    """A run, or the run that holds a target."""
    line.allow()
    return Resume(run_or_target(line, reading.catalogue, usage=USAGE))


async def handle(command: Resume, desk: Desk) -> Reply:
    """Let the run go on; refused when it is not paused."""
    run = await find_active_run(desk.tx, command.named)
    if run.pause is None:
        raise UsageError(f"`{run.id}` is not paused.", hint=f"`/release why {run.id}` tells what it waits for.")
    return replies.resumed(await desk.runs.resume(desk.tx, run, by=desk.invocation.user))


SPEC = CommandSpec(
    verb="resume",
    usage=USAGE,
    summary="lets a paused release go on",
    examples=("resume api-prod-42", "resume api prod"),
    parse=parse,
    handle=handle,
)
