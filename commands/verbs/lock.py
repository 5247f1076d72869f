"""lock: keep a target to oneself."""

from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.hold import Lock
from bot.domain.journal import AuditEntry
from bot.domain.target import Target
from commands.grammar import Line, place
from commands.holds import age, told
from commands.locking import here, lock_line
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.wording import code, person, slash_line, tame, target, typed

USAGE = "lock <service> <environment> <reason>"
PLACE = 2


@dataclass(frozen=True, slots=True)
class LockTarget:
    """Keep this target."""

    target: Target
    reason: str


def parse(line: Line, reading: Reading) -> LockTarget:
    """A service and an environment, then why."""
    line.allow(options=("reason",))
    named = place(replace(line, words=line.words[:PLACE]), reading.catalogue, usage=USAGE, ref=False)
    reason = tame(" ".join([*line.words[PLACE:], line.options.get("reason", "")]))
    if not reason:
        raise UsageError("A lock needs a reason: whoever waits for you reads it.", hint=f"Write `{slash_line(USAGE)}`.")
    return LockTarget(named.target, reason)


async def handle(command: LockTarget, desk: Desk) -> Reply:
    """Lock it, write it down, and tell the channel. Locked is locked: a second one is told who was first."""
    now, by = desk.now, desk.invocation.user
    lock = Lock(command.target, by, now, command.reason)
    if not await desk.tx.lock(lock):
        held = await desk.tx.locked(command.target) or lock
        raise UsageError(
            f"{command.target.service} in {command.target.environment} is locked by {person(held.owner)} for "
            f"{age(held, now)}: {held.reason}.",
            hint=f"A release waits in its line by itself; `/release unlock {here(held)}` frees it.",
        )
    await desk.tx.audit(AuditEntry(now, by, "lock", str(command.target), {"reason": command.reason}))
    state = await desk.tx.target_state(command.target)
    channel = desk.catalogue.channel(command.target.service, command.target.environment)
    await desk.tx.tell([told(f"lock/{lock.target}", channel, lock_line(lock, state, now), at=now)], at=now)
    going = ""
    if state.holder:
        stop = typed(f"abort {state.holder}")
        going = (
            f" {code(state.holder)} is under way there; if it has changed nothing yet it waits for you, and your own "
            f"releases wait behind it: {stop} makes way."
        )
    return Reply(
        f"{target(command.target)} is yours: releases of others wait, your own and rollbacks pass.{going} "
        f"{typed(f'unlock {here(lock)}')} frees it.",
        about=str(command.target),
    )


SPEC = CommandSpec(
    verb="lock",
    usage=USAGE,
    summary="keeps a service in an environment to yourself: releases of others wait in line",
    examples=("lock api prod looking into slow logins", 'lock api staging --reason "load test"'),
    parse=parse,
    handle=handle,
    starts=lambda _command: True,
)
