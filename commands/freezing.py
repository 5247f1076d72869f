"""A request meets a freeze: refused at once, with who, why, until when, and what to type for later."""

from bot.domain.errors import UsageError
from commands.asking import Asked
from commands.spec import Desk
from commands.wording import clock_time
from runbooks.windows import Frozen, frozen


async def require_thawed(asked: Asked, desk: Desk) -> None:
    """Raise UsageError when the environment is frozen at the time for which this was asked, unless it is exempt; and
    when it is exempt from a freeze that does not exist."""
    environment, at = asked.target.environment, asked.not_before or desk.now
    found = frozen(environment, desk.catalogue.windows(environment), await desk.tx.freezes(desk.now), at)
    if found is None:
        if asked.exempt:
            raise UsageError(f"{environment} is not frozen then, so nothing is exempt.", hint="Leave `--exempt` out.")
        return
    if not (asked.exempt and found.exemptible):
        raise UsageError(f"{found}.", hint=_way_out(asked, desk, found))


def _way_out(asked: Asked, desk: Desk, found: Frozen) -> str:
    opens = found.opens_at
    later = f"Ask again with `--at {opens:%Y-%m-%dT%H:%M}Z`, and it begins then" if opens else ""
    begin = f"At {clock_time(asked.not_before, desk.now)} it would still be frozen. " if asked.not_before else ""
    if not found.exemptible:
        lifted = "everything stands still until it is lifted, and no exemption passes"
        return f"{begin}{later or 'Ask again once it is lifted'}: {lifted}. A rollback is open."
    now = '`--exempt "why now"` asks people to vote on letting this one through'
    return f"{begin}{later or 'Ask again once it is lifted'}; {now}. A rollback is open."
