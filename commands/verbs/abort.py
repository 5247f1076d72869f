"""abort: stop a run; what it changed is undone by its own failure steps."""

from dataclasses import dataclass

from bot.domain.ids import RunId
from bot.domain.target import Target
from commands import replies
from commands.finding import find_active_run
from commands.grammar import Line, run_or_target
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import tame

USAGE = "abort <run> | abort <service> <environment>"


@dataclass(frozen=True, slots=True)
class Abort:
    """Stop this run."""

    named: RunId | Target
    reason: str


def parse(line: Line, reading: Reading) -> Abort:
    """A run, or the run that holds a target; the reason is optional."""
    line.allow(options=("reason",))
    return Abort(run_or_target(line, reading.catalogue, usage=USAGE), tame(line.options.get("reason", "")))


async def handle(command: Abort, desk: Desk) -> Reply:
    """Write the wish; the engine honours it at its next pass. A second wish changes nothing."""
    run = await find_active_run(desk.tx, command.named)
    stopped = await desk.runs.abort(desk.tx, run, by=desk.invocation.user, reason=command.reason)
    return replies.abort_asked(stopped, again=run.wish is not None)


SPEC = CommandSpec(
    verb="abort",
    usage=USAGE,
    summary="stops a release; what it changed is undone",
    examples=("abort api-prod-42", 'abort api prod --reason "wrong version"'),
    options=("reason",),
    parse=parse,
    handle=handle,
)
