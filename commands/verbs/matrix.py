"""matrix: which version of every service runs where, and which do not go together."""

from dataclasses import dataclass

from bot.domain.target import Target
from commands import matrix_reply
from commands.grammar import Line, some_targets
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from runbooks.matrix import pairs, running

USAGE = "matrix [service] [environment]"
RECORDS = 50
"""How many records back a pair may have been proven."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Look at these targets."""

    targets: tuple[Target, ...]


def parse(line: Line, reading: Reading) -> Matrix:
    """No word at all means every target."""
    line.allow()
    return Matrix(some_targets(line, reading.catalogue, usage=USAGE))


async def handle(command: Matrix, desk: Desk) -> Reply:
    """Services by environments, from our own records; what is under way is marked."""
    everywhere = [Target(name, place) for name in desk.catalogue.services for place in desk.catalogue.environments]
    records = {target: await desk.tx.releases(target, limit=RECORDS) for target in everywhere}
    cells = []
    for target in command.targets:
        state = await desk.tx.target_state(target)
        cells.append(matrix_reply.Cell(target, running(records, target), busy=state.holder is not None))
    return matrix_reply.matrix(cells, pairs(desk.catalogue, records, command.targets, desk.now), desk.now)


SPEC = CommandSpec(
    verb="matrix",
    usage=USAGE,
    summary="shows every service by environment: version, age, health, and what does not go together",
    examples=("matrix", "matrix api", "matrix prod"),
    parse=parse,
    handle=handle,
)
