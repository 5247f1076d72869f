"""pause: let a run begin no further step."""

from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.phase import Phase
from bot.domain.target import Target
from commands import replies
from commands.finding import find_active_run
from commands.grammar import Line, run_or_target
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import person, tame

USAGE = "pause <run> | pause <service> <environment>"


@dataclass(frozen=True, slots=True)
class PauseRun:
    """Let this run stand still."""

    named: RunId | Target
    reason: str


def parse(line: Line, reading: Reading) -> PauseRun:
    """A run, or the run that holds a target; the reason is optional."""
    line.allow(options=("reason",))
    return PauseRun(run_or_target(line, reading.catalogue, usage=USAGE), tame(line.options.get("reason", "")))


async def handle(command: PauseRun, desk: Desk) -> Reply:
    """Pause the run; refused with the name of whoever paused it before."""
    run = await find_active_run(desk.tx, command.named)
    if run.phase is Phase.RESTORING:
        raise UsageError(
            f"`{run.id}` is going back to the version before; that is not held up.",
            hint=f"`/release why {run.id}` tells how far it is.",
        )
    if run.pause:
        raise UsageError(
            f"`{run.id}` was paused by {person(run.pause.by)} already.",
            hint=f"`/release resume {run.id}` lets it go on.",
        )
    return replies.paused(await desk.runs.pause(desk.tx, run, by=desk.invocation.user, reason=command.reason))


SPEC = CommandSpec(
    verb="pause",
    usage=USAGE,
    summary="lets a release begin no further step",
    examples=("pause api-prod-42", 'pause api prod --reason "database is busy"'),
    options=("reason",),
    parse=parse,
    handle=handle,
)
