"""diff: what a version would bring to an environment, or what one environment has before another."""

from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.invocation import Invocation
from bot.domain.plan import Verb
from bot.ports.planning import Planning
from commands import replies
from commands.asking import Asked, request_for, require_version
from commands.carrying import WHOLE_LINE, carried
from commands.grammar import Line, Placed, place
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import slash_line

USAGE = "diff <service> <ref> <environment> | diff <service> <from> <to>"


@dataclass(frozen=True, slots=True)
class Diff:
    """Compare what this wish would bring with what runs."""

    asked: Asked


def parse(line: Line, reading: Reading) -> Diff:
    """Two environments name what the first one runs; else a version is named."""
    line.allow()
    if len(line.words) != WHOLE_LINE:
        raise UsageError("`diff` compares a version with what runs somewhere.", hint=f"Write `{slash_line(USAGE)}`.")
    if sum(word.lower() in reading.catalogue.environments for word in line.words) > 1:
        service, origin, to = carried(line, reading.catalogue, usage="diff <service> <from> <to>")
        return Diff(Asked(Verb.PROMOTE, Placed(service, to).target, origin=origin))
    placed = place(line, reading.catalogue, usage="diff <service> <ref> <environment>", ref=True)
    require_version(placed, "release diff")
    return Diff(Asked(Verb.DEPLOY, placed.target, placed.ref))


async def look(command: Diff, invocation: Invocation, planning: Planning) -> Reply:
    """Planned like a release of it, and nothing is stored. Raises as `Planning.plan` does."""
    return replies.difference(await planning.plan(request_for(command.asked, invocation)), invocation.received_at)


async def handle(command: Diff, desk: Desk) -> Reply:
    """Never asked: `look` always answers."""
    raise RuntimeError(f"{command} was not looked up before {desk.now}")


SPEC = CommandSpec(
    verb="diff",
    usage=USAGE,
    summary="tells what changes between what runs and a version, or between two environments",
    examples=("diff api sha123 prod", "diff api staging prod"),
    parse=parse,
    handle=handle,
    look=look,
)
