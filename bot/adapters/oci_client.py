"""Requests to registries: addresses, login, deadline, retries, size limits, translated errors."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx
import stamina

from bot.adapters.oci_auth import DOCKER_HUB, Authorizer, Login
from bot.adapters.opened import Opened
from bot.adapters.retry_after import retry_after
from bot.domain.errors import NotFoundError, PermanentError, RefusedError, UnreachableError, UnreadableError

DEADLINE = timedelta(seconds=10)
ATTEMPTS = 3
MOST_BYTES = 4 * 1024 * 1024
"""The size up to which the distribution specification wants manifests to be accepted."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository's registry and its path there; Docker Hub's short forms are spelled out."""

    name: str
    host: str
    path: str

    @classmethod
    def parse(cls, name: str) -> "Repository":
        """Read `host/path`, `path` or `name`: the last two are Docker Hub's."""
        head, slash, rest = name.partition("/")
        if slash and ("." in head or ":" in head or head == "localhost"):
            host, path = head, rest
        else:
            host, path = DOCKER_HUB, name
        if host in (DOCKER_HUB, "index.docker.io", "registry-1.docker.io"):
            host, path = DOCKER_HUB, path if "/" in path else f"library/{path}"
        return cls(name, host, path)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Answer:
    """A body that was read whole, and its headers."""

    body: bytes
    headers: httpx.Headers


class LoginWantedError(RefusedError):
    """A 401; `response` says what would be accepted."""

    def __init__(self, message: str, response: httpx.Response) -> None:
        super().__init__(message)
        self.response = response


class UnexpectedStatusError(PermanentError):
    """A status that has no meaning of its own here."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class OciClient(Opened):
    """Used inside `async with`. `insecure` hosts (with port) are asked by plain HTTP, as loopback is. `mirrors` names
    the host that is asked in place of a registry; it has a login of its own."""

    def __init__(
        self,
        *,
        logins: Mapping[str, Login] | None = None,
        insecure: frozenset[str] = frozenset(),
        mirrors: Mapping[str, str] | None = None,
        deadline: timedelta = DEADLINE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._insecure, self._mirrors, self._deadline_s = insecure, mirrors or {}, deadline.total_seconds()
        # Redirects lead to blob storage; httpx drops our Authorization on the way to another host.
        self._http = httpx.AsyncClient(
            transport=transport, timeout=self._deadline_s, follow_redirects=True, headers={"User-Agent": "sluice"}
        )
        self._authorizer = Authorizer(self._http, logins or {})
        super().__init__(self._http)

    async def get(
        self, repository: Repository, rest: str, *, accept: str = "application/json", most_bytes: int = MOST_BYTES
    ) -> Answer:
        """GET `/v2/<path>/<rest>`, tried up to three times while the registry is away.

        Raises NotFoundError (404), RefusedError (401, 403), UnreachableError (with the registry's own wish after a 429,
        which is not retried here), UnreadableError for a body beyond `most_bytes`.
        """
        retrying = stamina.AsyncRetryingCaller(attempts=ATTEMPTS, wait_initial=0.1, wait_max=1)
        return await retrying(_worth_retrying, self._once, repository, _Wanted(rest, accept, most_bytes))

    async def _once(self, repository: Repository, wanted: "_Wanted") -> Answer:
        where = f"registry {repository.host}"
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._authorized(repository, wanted)
        except httpx.HTTPStatusError as exc:
            raise UnreachableError(f"the token server of {where} answered HTTP {exc.response.status_code}") from exc
        except (TimeoutError, httpx.TimeoutException) as exc:
            raise UnreachableError(f"{where} did not answer within {self._deadline_s:g} s") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise UnreachableError(f"{where} cannot be reached: {exc}") from exc

    async def _authorized(self, repository: Repository, wanted: "_Wanted") -> Answer:
        """With what login we have; a registry that wants one, or another, is answered once."""
        try:
            return await self._ask(repository, wanted)
        except LoginWantedError as refusal:
            await self._authorizer.answer(self._host(repository), repository.path, refusal.response)
        return await self._ask(repository, wanted)

    async def _ask(self, repository: Repository, wanted: "_Wanted") -> Answer:
        headers = {"Accept": wanted.accept, **self._authorizer.header(self._host(repository), repository.path)}
        async with self._http.stream("GET", self._url(repository, wanted.rest), headers=headers) as response:
            return await _read(repository, response, wanted.most_bytes)

    def _host(self, repository: Repository) -> str:
        """Who is asked."""
        return self._mirrors.get(repository.host, repository.host)

    def _url(self, repository: Repository, rest: str) -> str:
        host = self._host(repository)
        plain = host in self._insecure or host.rpartition(":")[0] in LOOPBACK or host in LOOPBACK
        server = "registry-1.docker.io" if host == DOCKER_HUB else host
        return f"{'http' if plain else 'https'}://{server}/v2/{repository.path}/{rest}"


@dataclass(frozen=True, slots=True)
class _Wanted:
    rest: str
    accept: str
    most_bytes: int


async def _read(repository: Repository, response: httpx.Response, most_bytes: int) -> Answer:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most_bytes:
            raise UnreadableError(f"registry {repository.host} sends more than {most_bytes} bytes for {repository}")
    _check(repository, response)
    return Answer(bytes(body), response.headers)


def _check(repository: Repository, response: httpx.Response) -> None:
    """Raises what the status means."""
    status, where = response.status_code, f"registry {repository.host}"
    if status == httpx.codes.NOT_FOUND:
        raise NotFoundError(f"{where} has no such thing in {repository}")
    closed = f"{where} does not let Sluice read {repository} (HTTP {status}), or it does not exist; check the login"
    if status == httpx.codes.UNAUTHORIZED:
        raise LoginWantedError(closed, response)
    if status == httpx.codes.FORBIDDEN:
        raise RefusedError(closed)
    if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        wait = retry_after(response.headers.get("Retry-After"))
        raise UnreachableError(f"{where} answered HTTP {status} for {repository}", retry_after=wait)
    if not response.is_success:
        raise UnexpectedStatusError(f"{where} answered HTTP {status} for {repository}", status)


def _worth_retrying(error: Exception) -> bool:
    """Not when the registry has asked for time: that is the caller's to wait."""
    return isinstance(error, UnreachableError) and error.retry_after is None
