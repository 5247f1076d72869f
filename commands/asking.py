"""What the verbs that start a run have in common: the options of their lines, and the request made of them."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import UsageError
from bot.domain.image import DIGEST, TAG, is_mutable
from bot.domain.invocation import Invocation
from bot.domain.plan import Request, Verb
from bot.domain.target import Target
from commands.grammar import Line, Placed, moment
from commands.spec import Reading
from commands.wording import tame
from runbooks.source import unknown

OPTIONS = ("runbook", "at", "reason", "exempt")
FLAGS = ("dry-run", "break-glass")
STARTING = ("dry-run", "reason", "at", "runbook", "exempt", "break-glass")
"""What verbs that start a run show of these, the most wanted first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish to start a run. `ref` is empty for the last known good, and for a promotion: what runs in `origin`.
    `runbook` is empty for the target's own. `exempt` is why a freeze shall not hold it up."""

    verb: Verb
    target: Target
    ref: str = ""
    runbook: str = ""
    reason: str = ""
    not_before: datetime | None = None
    dry_run: bool = False
    break_glass: bool = False
    origin: str = ""
    exempt: str = ""


def read_asked(line: Line, reading: Reading, verb: Verb, placed: Placed) -> Asked:
    """The wish, with its options checked. Raises UsageError."""
    line.allow(options=OPTIONS, flags=FLAGS)
    runbook = line.options.get("runbook", "").lower()
    if runbook and runbook not in reading.runbooks:
        raise UsageError(unknown(f"There is no runbook '{runbook}'", runbook, reading.runbooks))
    asked = Asked(
        verb=verb,
        target=placed.target,
        ref=placed.ref,
        runbook=runbook,
        reason=tame(line.options.get("reason", "")),
        not_before=moment(line.options["at"], reading.now) if "at" in line.options else None,
        dry_run="dry-run" in line.flags,
        break_glass="break-glass" in line.flags,
        exempt=tame(line.options.get("exempt", "")),
    )
    if "exempt" in line.options:
        _require_exemptible(asked, reading)
    if asked.break_glass:
        _require_breakable(asked, reading)
    return asked


def request_for(asked: Asked, invocation: Invocation) -> Request:
    """The request of the person who typed the line, where they typed it."""
    return Request(
        verb=asked.verb,
        target=asked.target,
        ref=asked.ref,
        requester=invocation.user,
        reason=asked.reason,
        runbook=asked.runbook,
        channel=invocation.channel,
        not_before=asked.not_before,
        break_glass=asked.break_glass,
        origin=asked.origin,
        exempt=asked.exempt,
    )


def require_version(placed: Placed, verb: str) -> None:
    """Raise UsageError for a reference that names an image, or that everybody moves."""
    example = f"`/{verb} {placed.service} v1.2.3 {placed.environment}`"
    if is_mutable(placed.ref):
        raise UsageError(
            f"`{placed.ref}` is a name that everybody moves: it does not say what will run.",
            hint=f"Name a version, a commit or a digest, like {example}.",
        )
    if not TAG.fullmatch(placed.ref) and not DIGEST.fullmatch(placed.ref):
        raise UsageError(
            f"`{placed.ref}` is no tag, commit or digest.", hint=f"Write it without the image's name, like {example}."
        )


def _require_exemptible(asked: Asked, reading: Reading) -> None:
    """Raise UsageError for an exemption that means nothing, that has no reason, or that nobody could vote on."""
    if asked.verb is Verb.ROLLBACK:
        raise UsageError("A rollback is never stopped by a freeze.", hint="Leave `--exempt` out.")
    if not asked.exempt:
        raise UsageError("An exemption needs a reason; those who vote read it.", hint='Write `--exempt "why now"`.')
    if asked.break_glass:
        raise UsageError(
            "An exemption from a freeze needs a vote, and breaking the glass goes on without any.",
            hint="Leave `--break-glass` out, or ask for the freeze to be lifted.",
        )
    reading.catalogue.policy(asked.target.environment, asked.verb, exempt=True)


def _require_breakable(asked: Asked, reading: Reading) -> None:
    environment = asked.target.environment
    policy = reading.catalogue.policy(environment, asked.verb)
    if policy is None:
        raise UsageError(
            f"Nobody is asked for {environment}, so there is no glass to break.", hint="Leave `--break-glass` out."
        )
    if policy.break_glass is None:
        raise UsageError(
            f"{environment} has no break-glass group: nobody may go on without votes.",
            hint=f"Ask {policy.group} to vote, or let `break_glass` be added to the catalogue.",
        )
    if not asked.reason:
        raise UsageError("Breaking the glass needs a reason; it is told to everybody.", hint='Add `--reason "…"`.')
