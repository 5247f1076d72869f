"""Who may ask what."""

from bot.domain.approval import Person
from bot.domain.errors import NotFoundError, UsageError
from bot.domain.ids import UserId, at_terminal
from bot.domain.invocation import Invocation, Origin
from bot.ports.directory import Directory
from runbooks.catalogue import Catalogue

ASK_IN_SLACK = "Type the same line in Slack."


async def require_known(directory: Directory, user: UserId) -> None:
    """Raise UsageError unless `user` is a colleague of this workspace, or sits at the terminal of the machine.

    Raises UnreachableError when the directory cannot be read: unknown is not yes, and the invocation is tried again.
    """
    if at_terminal(user):
        return
    try:
        person = await directory.person(user)
    except NotFoundError as exc:
        raise UsageError("This workspace does not know you, so nothing was done.") from exc
    why = not_a_colleague(person)
    if why:
        raise UsageError(f"Only people of this workspace may ask me; this account {why}.", hint="Nothing was done.")


def not_a_colleague(person: Person) -> str | None:
    """Why this account may ask for nothing, as a clause; `None` when it may."""
    if person.is_bot:
        return "is a bot"
    if person.is_deleted:
        return "has been deactivated"
    if person.is_guest:
        return "is a guest"
    if person.is_outside:
        return "belongs to another workspace"
    return None


def require_may_start(
    invocation: Invocation, environment: str, catalogue: Catalogue, *, break_glass: bool = False
) -> None:
    """Raise UsageError where somebody without a Slack id would start a run that people vote on, and where a terminal
    would break the glass.

    Nobody could tell whether that person votes for their own request, nor who it was that went on without votes.
    """
    if break_glass and invocation.origin is Origin.TERMINAL:
        raise UsageError("The glass is broken in Slack only: a terminal does not prove who you are.", hint=ASK_IN_SLACK)
    if at_terminal(invocation.user) and catalogue.environment(environment).approval is not None:
        raise UsageError(
            f"People vote on what changes in {environment}, and a terminal alone does not say who you are.",
            hint="Set SLUICE_AS to your Slack user id (such as U0ALICE), or ask in Slack.",
        )
