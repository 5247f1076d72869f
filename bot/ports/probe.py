"""One HTTP request of a smoke test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bot.domain.json import Json


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """What to ask. `deadline` covers the whole request."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    deadline: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What came back. `json` is `None` unless the body is JSON; `text` holds at most its first 2,000 characters."""

    status: int
    elapsed: timedelta
    text: str
    json: Json = None


class Prober(Protocol):
    """Sends one request; never follows a redirect to another host, never retries."""

    async def send(self, request: ProbeRequest) -> ProbeAnswer:
        """Send it once. Raises UnreachableError when no answer came within the deadline, and
        PermanentError for an address that is none. Their texts are clauses that do not name the address: the caller
        does."""
        ...
