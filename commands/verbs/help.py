"""help: what can be typed."""

from dataclasses import dataclass

from bot.domain.errors import UsageError
from commands import replies
from commands.grammar import Line
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from runbooks.source import unknown


@dataclass(frozen=True, slots=True)
class Help:
    """Tell about one verb, or about all of them when it is empty."""

    verb: str


def parse(line: Line, _reading: Reading) -> Help:
    """One verb, or none for all of them; further words are ignored."""
    return Help(line.words[0].lower().removeprefix("/") if line.words else "")


async def handle(command: Help, desk: Desk) -> Reply:
    """Generated from the registry."""
    verbs = {spec.verb: spec for spec in desk.commands}
    if not command.verb:
        return replies.help_all(desk.commands)
    if command.verb not in verbs:
        raise UsageError(unknown(f"There is no verb '{command.verb}'", command.verb, verbs))
    return replies.help_one(verbs[command.verb])


SPEC = CommandSpec(
    verb="help",
    usage="help [verb]",
    summary="tells what can be typed",
    examples=("help", "help rollback"),
    parse=parse,
    handle=handle,
)
