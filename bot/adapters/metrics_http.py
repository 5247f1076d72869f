"""One request to a server of metrics or of CI over HTTP, whatever it speaks: deadline, size limit, one more try for a
connection that was closed meanwhile."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ssl import SSLContext
from typing import Any

import httpx

from bot.adapters.opened import Opened
from bot.domain.errors import UnreachableError, UnreadableError
from bot.domain.json import storable

DEADLINE = timedelta(seconds=10)
MOST_BYTES = 32 * 1024 * 1024
"""An hour of 15 s steps, 100 pods and 20 buckets is about 15 MB."""

TOLD = 300
"""How much of a query or of an answer an error tells."""

UNSTORABLE = re.compile(rb"\\u(d[89a-f]|0000)", re.IGNORECASE)
"""How a body spells what may be half a surrogate pair, or the NUL character."""

LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""A kept connection that the server had closed: worth one more try at once."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `about` is the query, or what else is asked for, in errors; `form`, `params` and `body` (JSON) are
    what is sent along. `once`: it makes something, so that it is never sent again by itself. `most_bytes` of an
    answer are read."""

    method: str
    url: str
    about: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    once: bool = False
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Told:
    """What came back, whatever its status."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the server took it."""
        return httpx.codes.is_success(self.status)

    @property
    def busy(self) -> bool:
        """Whether the server is in trouble, or wants time: trying again may help."""
        return self.status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(self.status)

    @property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[:TOLD].decode(errors="replace")

    def json(self, called: str, about: str) -> Any:
        """The body. Raises UnreadableError."""
        try:
            found = json.loads(self.body)
            # It comes from an escape alone: a title that some tool has cut through an emoji.
            return storable(found) if UNSTORABLE.search(self.body) else found
        except (ValueError, RecursionError) as exc:
            raise unreadable(called, "what is not JSON", self, about) from exc


class MetricsHttp(Opened):
    """Used inside `async with`; `called` names the server to people. A redirect leads to a login page, never to an
    answer: it is not followed."""

    def __init__(
        self,
        called: str,
        deadline: timedelta,
        *,
        verify: SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._called, self._deadline_s = called, deadline.total_seconds()
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=verify,
            timeout=self._deadline_s,
            headers={"User-Agent": "sluice", "Accept": "application/json"},
        )
        super().__init__(self._http)

    async def send(self, ask: Ask) -> Told:
        """Raises UnreachableError when nothing came back in time, and UnreadableError for an endless answer."""
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    return await self._once(ask)
                except LOST:
                    if ask.once:
                        raise
                    return await self._once(ask)
        except (TimeoutError, httpx.TimeoutException) as exc:
            said = f"{self._called} did not answer within {self._deadline_s:g} s"
            raise UnreachableError(f"{said}; asked for {short(ask.about)}") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise UnreachableError(f"{self._called} cannot be reached: {exc}; asked for {short(ask.about)}") from exc

    async def _once(self, ask: Ask) -> Told:
        async with self._http.stream(
            ask.method, ask.url, params=ask.params, data=ask.form, json=ask.body, headers=ask.headers
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ask.most_bytes:
                    said = f"{self._called} sends more than {ask.most_bytes:,} bytes"
                    raise UnreadableError(f"{said} for {short(ask.about)}")
            return Told(response.status_code, response.headers, bytes(body))


def unreadable(called: str, what: str, told: Told, about: str) -> UnreadableError:
    """The error for an answer that is not what its protocol says."""
    return UnreadableError(f"{called} sent {what}: {told.text}; asked for {short(about)}")


def short(query: str, most: int = TOLD) -> str:
    """The beginning of a query."""
    return query if len(query) <= most else f"{query[:most]}…"


def words(said: object) -> str:
    """What a server says itself, in one line."""
    return " ".join(str(said).split())[:TOLD]
