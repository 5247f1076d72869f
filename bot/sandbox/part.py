"""What is rehearsed: a release of a target by a runbook, in a scenario."""

from dataclasses import dataclass

from bot.sandbox.faults import Place
from bot.sandbox.scenarios import Scenario, Traits
from runbooks.windows import FreezeWindow


@dataclass(frozen=True, slots=True)
class Part:
    """What is rehearsed. `command` is the line that asks for it, by `asker` in `channel`; `voters` are who may vote: as
    many do as are needed.

    `place` is what it releases; `before` the tag that must run again when it is undone. `left_out`: see `Rehearsed`.
    `windows` are when its environment is frozen.
    """

    runbook: str
    scenario: Scenario
    command: str
    place: Place
    before: str
    traits: Traits
    asker: str
    voters: tuple[str, ...]
    channel: str
    left_out: tuple[str, ...]
    windows: tuple[FreezeWindow, ...] = ()
