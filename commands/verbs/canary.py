"""canary: release behind growing traffic, judged by metrics. Not in this release, and it says so."""

from dataclasses import dataclass

from commands import replies
from commands.grammar import Line
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading


@dataclass(frozen=True, slots=True)
class Canary:
    """Asked for before its time."""


def parse(_line: Line, _reading: Reading) -> Canary:
    """Any words will do: nothing is done with them."""
    return Canary()


async def handle(_command: Canary, _desk: Desk) -> Reply:
    """Says that there is no canary yet, and what there is instead."""
    return replies.later("canary")


SPEC = CommandSpec(
    verb="canary",
    usage="canary <service> <ref> <environment>",
    summary="comes with the canary runbook, in a later release of Sluice",
    examples=("canary api v1.4.2 prod",),
    parse=parse,
    handle=handle,
)
