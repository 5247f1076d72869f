"""status: what is under way, and what every target runs."""

from dataclasses import dataclass

from bot.domain.target import Target
from commands import replies
from commands.grammar import Line, some_targets
from commands.holds import freeze_line, frozen_line
from commands.locking import lock_line
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from runbooks.windows import frozen

USAGE = "status [service] [environment]"
MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class Status:
    """Look at these targets."""

    targets: tuple[Target, ...]


def parse(line: Line, reading: Reading) -> Status:
    """No word at all means every target."""
    line.allow()
    return Status(some_targets(line, reading.catalogue, usage=USAGE))


async def handle(command: Status, desk: Desk) -> Reply:
    """Targets that never ran anything and wait for nothing are left out."""
    wanted = set(command.targets)
    rows, active = [], []
    one = command.targets[0] if len(command.targets) == 1 else None
    for run in await desk.tx.runs(target=one, active=True, limit=MOST_RUNS):
        active += [run] if run.request.target in wanted else []
    for target in command.targets:
        state = await desk.tx.target_state(target)
        newest = await desk.tx.releases(target, limit=1)
        running = newest[0] if newest and newest[0].until is None else None
        if running or state.holder or state.waiting:
            rows.append(replies.status_row(state, running, desk.now))
    return replies.status([*await _held_back(wanted, desk), *rows], active=active, now=desk.now)


async def _held_back(wanted: set[Target], desk: Desk) -> list[str]:
    """What is frozen and locked of these targets: what keeps a release from beginning comes first."""
    now, places = desk.now, dict.fromkeys(target.environment for target in wanted)
    freezes = await desk.tx.freezes(now)
    said = [freeze_line(one, now) for one in freezes if any(one.covers(place, now) for place in places)]
    for place in sorted(places):
        window = frozen(place, desk.catalogue.windows(place), (), now)
        said += [frozen_line(window, now)] if window else []
    locks = [lock for lock in await desk.tx.locks() if lock.target in wanted]
    return [*said, *[lock_line(lock, await desk.tx.target_state(lock.target), now) for lock in locks]]


SPEC = CommandSpec(
    verb="status",
    usage=USAGE,
    summary="tells what is under way, what runs where, since when and by whom",
    examples=("status", "status api", "status prod"),
    parse=parse,
    handle=handle,
)
