"""deploy: start the target's runbook for one version."""

from dataclasses import dataclass

from bot.domain.invocation import Invocation
from bot.domain.plan import Verb
from bot.ports.planning import Planning
from commands.asking import STARTING, Asked, read_asked, require_version
from commands.grammar import Line, place
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.starting import shown, stored

USAGE = "deploy <service> <ref> <environment>"


@dataclass(frozen=True, slots=True)
class Deploy:
    """Bring `ref` to a target."""

    asked: Asked


def parse(line: Line, reading: Reading) -> Deploy:
    """Refuses a reference that names an image, or that everybody moves."""
    placed = place(line, reading.catalogue, usage=USAGE, ref=True)
    require_version(placed, "deploy")
    return Deploy(read_asked(line, reading, Verb.DEPLOY, placed))


async def look(command: Deploy, invocation: Invocation, planning: Planning) -> Reply | None:
    """A dry run: the plan is made and shown, and no run is stored."""
    return await shown(command.asked, invocation, planning)


async def handle(command: Deploy, desk: Desk) -> Reply:
    """Store the run; the engine does the rest."""
    return await stored(command.asked, desk)


SPEC = CommandSpec(
    verb="deploy",
    usage=USAGE,
    summary="brings a version (tag, commit or digest) to an environment",
    examples=(
        "deploy api v1.4.2 staging",
        'deploy api prod 9f2c1e7 --reason "fixes the login"',
        "deploy api v1.4.2 prod --dry-run",
    ),
    options=STARTING,
    parse=parse,
    handle=handle,
    look=look,
    starts=lambda command: not command.asked.dry_run,
)
