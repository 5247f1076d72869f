"""history: what ran, from when to when, brought by whom, healthy or not."""

from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.target import Target
from commands import replies
from commands.grammar import Line, some_targets
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import slash_line

USAGE = "history <service> [environment]"
MOST_RECORDS = 15


@dataclass(frozen=True, slots=True)
class History:
    """Look back at these targets; `of` is how they were named."""

    targets: tuple[Target, ...]
    of: str


def parse(line: Line, reading: Reading) -> History:
    """At least a service or an environment must be named."""
    line.allow()
    if not line.words:
        raise UsageError("`history` needs a service or an environment.", hint=f"Write `{slash_line(USAGE)}`.")
    return History(some_targets(line, reading.catalogue, usage=USAGE), " ".join(line.words))


async def handle(command: History, desk: Desk) -> Reply:
    """The newest releases over all the targets."""
    found = [record for target in command.targets for record in await desk.tx.releases(target, limit=MOST_RECORDS)]
    newest_first = sorted(found, key=lambda record: record.since, reverse=True)
    return replies.history(newest_first[:MOST_RECORDS], of=command.of, now=desk.now)


SPEC = CommandSpec(
    verb="history",
    usage=USAGE,
    summary="lists what ran, from when to when, by whom, healthy or not",
    examples=("history api", "history api prod"),
    parse=parse,
    handle=handle,
)
