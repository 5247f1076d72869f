"""promote: carry the version that runs in one environment to the next. Not in this release, and it says so."""

from dataclasses import dataclass

from commands import replies
from commands.grammar import Line
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading


@dataclass(frozen=True, slots=True)
class Promote:
    """Asked for before its time."""


def parse(_line: Line, _reading: Reading) -> Promote:
    """Any words will do: nothing is done with them."""
    return Promote()


async def handle(_command: Promote, _desk: Desk) -> Reply:
    """Says that there is no promotion yet, and what there is instead."""
    return replies.later("promote")


SPEC = CommandSpec(
    verb="promote",
    usage="promote <service> <from> <to>",
    summary="comes with the canary runbook, in a later release of Sluice",
    examples=("promote api staging prod",),
    parse=parse,
    handle=handle,
)
