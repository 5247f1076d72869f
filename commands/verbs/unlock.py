"""unlock: free a target that somebody keeps to themselves."""

from dataclasses import dataclass, replace

from bot.domain.errors import UsageError
from bot.domain.hold import Lock
from bot.domain.journal import AuditEntry
from bot.domain.target import Target
from commands.grammar import Line, place
from commands.holds import age, lifters, told
from commands.locking import here, next_run, your_turn
from commands.reply import Reply
from commands.spec import CommandSpec, Desk, Reading
from commands.waking import wake_waiting
from commands.wording import person, safe, slash_line, tame, target
from runbooks.catalogue import Catalogue

USAGE = "unlock <service> <environment> [reason]"
PLACE = 2


@dataclass(frozen=True, slots=True)
class Unlock:
    """Free this target."""

    target: Target
    reason: str


def parse(line: Line, reading: Reading) -> Unlock:
    """A service and an environment; why is needed for another's lock only."""
    line.allow(options=("reason",))
    named = place(replace(line, words=line.words[:PLACE]), reading.catalogue, usage=USAGE, ref=False)
    return Unlock(named.target, tame(" ".join([*line.words[PLACE:], line.options.get("reason", "")])))


async def handle(command: Unlock, desk: Desk) -> Reply:
    """Free it, write it down, tell its owner, and tell whoever is next that it is their turn."""
    now, by, named = desk.now, desk.invocation.user, command.target
    lock = await desk.tx.unlock(named)
    if lock is None:
        raise UsageError(f"Nobody has locked {named.service} in {named.environment}.")
    if by != lock.owner:
        _require_right(command, lock, desk)
    await desk.tx.audit(AuditEntry(now, by, "unlock", str(named), {"owner": lock.owner, "reason": command.reason}))
    why = f": {safe(command.reason)}" if command.reason else ""
    whose = "their lock" if by == lock.owner else f"the lock of {person(lock.owner)}"
    text = f":unlock: {target(named)} is free: {person(by)} has taken {whose} away after {age(lock, now)}{why}."
    channel, key = desk.catalogue.channel(named.service, named.environment), f"unlock/{named}"
    await desk.tx.tell([told(key, channel, text, at=now)], at=now)
    following = await next_run(desk.tx, await desk.tx.target_state(named))
    if following and following.request.requester != by:
        await desk.tx.tell([told(f"turn/{following.id}", channel, your_turn(following, person(by)), at=now)], at=now)
    await wake_waiting(desk.tx, named.environment, at=now)
    return Reply(f"{target(named)} is free.", about=str(named))


def _require_right(command: Unlock, lock: Lock, desk: Desk) -> None:
    """Another's lock is taken away by those who vote there or are on call, with a reason that its owner is told."""
    may, line = lifters(desk.catalogue, command.target.environment), f"unlock {here(lock)} <reason>"
    if may and not desk.member_of.intersection(may):
        raise UsageError(
            f"{person(lock.owner)} has locked it; besides them, members of {' and '.join(may)} may unlock it.",
            hint="Ask one of them.",
        )
    if not command.reason:
        raise UsageError(
            f"This is the lock of {person(lock.owner)}; they will be told why you take it away.",
            hint=f"Write `{slash_line(line)}`.",
        )


def asks(command: Unlock, catalogue: Catalogue) -> tuple[str, ...]:
    """The groups that may take another's lock away."""
    return lifters(catalogue, command.target.environment)


SPEC = CommandSpec(
    verb="unlock",
    usage=USAGE,
    summary="frees a locked target: one's own, or, with a reason, as somebody who votes there",
    examples=("unlock api prod", "unlock api prod ann is on holiday"),
    parse=parse,
    handle=handle,
    groups=asks,
    starts=lambda _command: True,
)
