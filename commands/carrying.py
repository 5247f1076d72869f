"""Lines that name a service and two environments, in the order in which a version travels."""

from bot.domain.errors import UsageError
from commands.grammar import Line
from commands.wording import slash_line
from runbooks.catalogue import Catalogue
from runbooks.source import unknown

WHOLE_LINE = 3


def carried(line: Line, catalogue: Catalogue, *, usage: str) -> tuple[str, str, str]:
    """Service, from and to, of three words. Raises UsageError."""
    words = [word.lower() for word in line.words]
    service = next((word for word in words if word in catalogue.services), None)
    if service is None:
        slip = next((word for word in words if word not in catalogue.environments), words[0])
        raise UsageError(unknown(f"There is no service '{slip}'", slip, catalogue.services))
    words.remove(service)
    for word in words:
        if word not in catalogue.environments:
            raise UsageError(unknown(f"{service} has no environment '{word}'", word, catalogue.environments))
    origin, to = words
    if origin == to:
        raise UsageError(
            f"A version goes from one environment to another, and `{to}` is named twice.",
            hint=f"Write `{slash_line(usage)}`.",
        )
    return service, origin, to
