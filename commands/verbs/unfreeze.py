"""unfreeze: lift a person's freeze."""

from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.hold import EVERYTHING
from bot.domain.journal import AuditEntry
from commands.grammar import Line
from commands.holds import age, lifters, scope_word, told
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.waking import wake_waiting
from commands.wording import person, safe, slash_line, tame, typed
from runbooks.catalogue import Catalogue
from runbooks.source import unknown
from runbooks.windows import frozen

USAGE = "unfreeze <environment> [reason] | unfreeze all [reason]"


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Lift the freeze of `scope`."""

    scope: str
    reason: str


def parse(line: Line, reading: Reading) -> Unfreeze:
    """An environment or `all`; why is optional."""
    line.allow(options=("reason",))
    scope, *words = line.words or ("",)
    scope = scope.lower()
    known = (*reading.catalogue.environments, EVERYTHING)
    if not scope:
        raise UsageError("`unfreeze` needs an environment, or `all`.", hint=f"Write `{slash_line(USAGE)}`.")
    if scope not in known:
        raise UsageError(unknown(f"There is no environment '{scope}'", scope, known))
    return Unfreeze(scope, tame(" ".join([*words, line.options.get("reason", "")])))


async def handle(command: Unfreeze, desk: Desk) -> Reply:
    """Lift it, write it down, tell the channels and whoever froze it, and wake what waited for it."""
    now, by, scope = desk.now, desk.invocation.user, command.scope
    freeze = await desk.tx.unfreeze(scope)
    if freeze is None or (freeze.until and freeze.until <= now):
        raise UsageError(f"Nobody has frozen {scope}.{await _by_calendar(scope, desk)}")
    may = lifters(desk.catalogue, scope)
    if by != freeze.by and may and not desk.member_of.intersection(may):
        raise UsageError(
            f"{person(freeze.by)} has frozen {scope}; besides them, members of {' and '.join(may)} may lift it.",
            hint="Ask one of them.",
        )
    await desk.tx.audit(AuditEntry(now, by, "unfreeze", scope, {"frozen_by": freeze.by, "reason": command.reason}))
    why = f": {safe(command.reason)}" if command.reason else ""
    still = await _still(scope, desk)
    opened = f"{scope_word(scope)} is open again" if not still else f"One freeze of {scope_word(scope)} is over"
    whose = "their freeze" if by == freeze.by else f"the freeze of {person(freeze.by)}"
    text = f":sunny: {opened}: {person(by)} has lifted {whose} after {age(freeze, now)}{why}.{still}"
    channels = desk.catalogue.channels(None if scope == EVERYTHING else scope)
    await desk.tx.tell([told(f"unfreeze/{scope}", each, text, at=now) for each in channels], at=now)
    await wake_waiting(desk.tx, None if scope == EVERYTHING else scope, at=now)
    return Reply(f"{opened}.{still} {typed('status')} shows what goes on.", about=scope)


async def _still(scope: str, desk: Desk) -> str:
    """What goes on to be frozen there all the same, with a space before it; empty: nothing is."""
    places = list(desk.catalogue.environments) if scope == EVERYTHING else [scope]
    freezes = await desk.tx.freezes(desk.now)
    found = [frozen(place, desk.catalogue.windows(place), freezes, desk.now) for place in places]
    said = dict.fromkeys(safe(str(one)) for one in found if one)
    return f" Still: {'; '.join(said)}." if said else ""


async def _by_calendar(scope: str, desk: Desk) -> str:
    """What freezes it all the same, though no person has."""
    if scope == EVERYTHING:
        return ""
    found = frozen(scope, desk.catalogue.windows(scope), await desk.tx.freezes(desk.now), desk.now)
    return f" {found}; a window of the calendar is lifted in sluice.yaml only." if found else ""


def asks(command: Unfreeze, catalogue: Catalogue) -> tuple[str, ...]:
    """The groups that may lift another's freeze."""
    return lifters(catalogue, command.scope)


SPEC = CommandSpec(
    verb="unfreeze",
    usage=USAGE,
    summary="lifts a freeze: one's own, or as somebody who votes there",
    examples=("unfreeze prod", "unfreeze all logins work again"),
    parse=parse,
    handle=handle,
    groups=asks,
    starts=lambda _command: True,
)
