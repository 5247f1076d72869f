"""plan: the whole sealed plan of a run, read aloud."""

from dataclasses import dataclass

from bot.domain.ids import RunId
from bot.domain.target import Target
from commands import replies
from commands.finding import find_run
from commands.grammar import Line, run_or_target
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading

USAGE = "plan <run> | plan <service> <environment>"


@dataclass(frozen=True, slots=True)
class ShowPlan:
    """Show what this run will do."""

    named: RunId | Target


def parse(line: Line, reading: Reading) -> ShowPlan:
    """A run, or the run that holds a target."""
    line.allow()
    return ShowPlan(run_or_target(line, reading.catalogue, usage=USAGE))


async def handle(command: ShowPlan, desk: Desk) -> Reply:
    """The sealed plan as it is stored; nothing is planned anew."""
    return replies.plan_of(await find_run(desk.tx, command.named), desk.now)


SPEC = CommandSpec(
    verb="plan",
    usage=USAGE,
    summary="shows what a release does step by step, its seal, and what failure does",
    examples=("plan api-prod-42", "plan api prod"),
    parse=parse,
    handle=handle,
)
