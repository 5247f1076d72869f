"""freeze: nothing changes in an environment, or anywhere, until it is lifted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import UsageError
from bot.domain.hold import EVERYTHING, Freeze
from bot.domain.journal import AuditEntry
from bot.domain.json import JsonObject
from commands.grammar import Line
from commands.holds import freeze_line, scope_word, told, until_word
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import code, person, safe, slash_line, tame, typed
from runbooks.durations import parse as duration
from runbooks.durations import say
from runbooks.source import unknown

USAGE = "freeze <environment> [2h] <reason> | freeze all [2h] <reason>"
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class FreezePlace:
    """Let nothing change in `scope`; `lasts` `None`: until it is lifted."""

    scope: str
    lasts: timedelta | None
    reason: str


def parse(line: Line, reading: Reading) -> FreezePlace:
    """An environment or `all`, then perhaps how long, then why."""
    line.allow(options=("reason",))
    scope, *words = line.words or ("",)
    scope = scope.lower()
    known = (*reading.catalogue.environments, EVERYTHING)
    if scope not in known:
        if not scope:
            raise UsageError("`freeze` needs an environment, or `all`.", hint=f"Write `{slash_line(USAGE)}`.")
        raise UsageError(unknown(f"There is no environment '{scope}'", scope, known))
    if len(words) > 1 and words[0].lower() == "for" and _lasts(words[1]):
        words = words[1:]  # "for 2h", as one says it; not taken as a reason it would freeze with no end
    lasts = _lasts(words[0]) if words else None
    reason = tame(" ".join([*(words[1:] if lasts else words), line.options.get("reason", "")]))
    if not reason:
        raise UsageError(
            "A freeze needs a reason: everybody whom it stops reads it.", hint=f"Write `{slash_line(USAGE)}`."
        )
    return FreezePlace(scope, lasts, reason)


async def handle(command: FreezePlace, desk: Desk) -> Reply:
    """Put it in force, write it down, and tell every channel that it concerns. Another's freeze is not written over."""
    now, by, scope = desk.now, desk.invocation.user, command.scope
    standing = next((one for one in await desk.tx.freezes(now) if one.scope == scope), None)
    if standing and standing.by != by:
        raise UsageError(
            f"{scope} is frozen by {person(standing.by)} {until_word(standing.until, now)}: {standing.reason}.",
            hint=f"`/release unfreeze {scope}` lifts it, for them and for those who vote there.",
        )
    until = now + command.lasts if command.lasts else None
    freeze = Freeze(scope, by, now, until, command.reason)
    await desk.tx.freeze(freeze)
    await desk.tx.audit(AuditEntry(now, by, "freeze", scope, _detail(freeze)))
    channels = desk.catalogue.channels(None if scope == EVERYTHING else scope)
    await desk.tx.tell([told(f"freeze/{scope}", each, _loud(freeze, now), at=now) for each in channels], at=now)
    return Reply(
        f"{scope_word(scope)} is frozen {until_word(until, now)}. Releases that are under way and have changed nothing "
        f"yet wait; rollbacks are open. {typed(f'unfreeze {scope}')} lifts it.",
        about=scope,
    )


def _lasts(word: str) -> timedelta | None:
    """How long, if the word says so; `None`: it belongs to the reason. Raises UsageError for no time, and for years."""
    try:
        lasts = duration(word)
    except ValueError:
        return None
    if not timedelta(0) < lasts <= LONGEST:
        raise UsageError(
            f"A freeze cannot last {word}.", hint=f"Write a time between 1m and {say(LONGEST)}, or none: until lifted."
        )
    return lasts


def _detail(freeze: Freeze) -> JsonObject:
    until: datetime | None = freeze.until
    return {"until": until.isoformat() if until else None, "reason": freeze.reason}


def _loud(freeze: Freeze, now: datetime) -> str:
    if freeze.scope == EVERYTHING:
        lifted = typed(f"unfreeze {EVERYTHING}")
        return (
            f":octagonal_sign: *Stop the line*: {person(freeze.by)} has frozen *everything* "
            f"{until_word(freeze.until, now)}: {safe(freeze.reason)}. Nothing begins to change, with or without votes; "
            f"rollbacks are open. {lifted} lifts it."
        )
    exempt = code('--exempt "why now"')
    return f"{freeze_line(freeze, now)} lifts it. Rollbacks are open; {exempt} asks people to let one change through."


SPEC = CommandSpec(
    verb="freeze",
    usage=USAGE,
    summary="lets nothing begin to change in an environment, or anywhere (stop the line); rollbacks stay open",
    examples=("freeze prod 2h database is being moved", "freeze all stop the line, logins fail"),
    parse=parse,
    handle=handle,
    starts=lambda _command: True,
)
