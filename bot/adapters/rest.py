"""A client of one server's REST API: log in, send, and say what its refusals mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self

import httpx

from bot.adapters.metrics_http import DEADLINE, MOST_BYTES, Ask, MetricsHttp, Told, short, words
from bot.adapters.retry_after import LONGEST, retry_after
from bot.adapters.secret_source import HttpLogin
from bot.domain.errors import NotFoundError, RefusedError, UnreachableError, UnreadableError

SECONDARY_WAIT = timedelta(minutes=1)
"""Of a rate limit that names no time: GitHub asks for at least a minute (docs.github.com/en/rest/using-the-rest-api,
"Rate limits for the REST API")."""

FULL_COMMIT = re.compile(r"[0-9a-f]{40}")
"""Neither GitHub nor GitLab lets a branch have such a name, so that it means the commit
(docs.gitlab.com/user/project/repository/branches, "Name your branch")."""

REFUSALS = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NON_AUTHORITATIVE_INFORMATION)


class Login(Protocol):
    """How we prove who we are."""

    async def headers(self) -> Mapping[str, str]:
        """As of now. Raises RefusedError that names the file, or what a server says that gives tokens out."""
        ...

    def refused(self) -> bool:
        """The server did not take the last headers; whether others may be had by asking anew."""
        ...


@dataclass(frozen=True, slots=True)
class SecretLogin:
    """What files hold, read at every request, so that it may be replaced."""

    secret: HttpLogin

    async def headers(self) -> Mapping[str, str]:
        """See `Login`."""
        return self.secret.headers()

    def refused(self) -> bool:
        """See `Login`."""
        return False


@dataclass(frozen=True, slots=True)
class RestServer:
    """Where a server is: `called` names it to people, `url` is what stands before every path. `mend` says what to do
    about a refusal (401, 403), as a clause; `headers` go with every request."""

    called: str
    url: str
    login: Login
    mend: str
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline: timedelta = DEADLINE


class Rest:
    """Used inside `async with`."""

    def __init__(self, server: RestServer, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._server, self.called = server, server.called
        self._http = MetricsHttp(server.called, server.deadline, transport=transport)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def get(self, path: str, about: str, **params: str) -> Any:
        """The JSON of an answer. Raises as `fetched`, and UnreadableError."""
        return (await self.fetched(path, about, **params)).json(self.called, about)

    async def fetched(self, path: str, about: str, **params: str) -> Told:
        """An answer with its headers. Raises what a refusal means, and NotFoundError for 422, which GitHub says of
        unknown commits."""
        # An empty mapping would make httpx drop what stands behind the path's question mark.
        told = await self._sent("GET", path, about, params=params or None)
        if told.status == httpx.codes.UNPROCESSABLE_ENTITY:
            raise NotFoundError(f"{self.called} knows nothing of {about} ({_said(told)})")
        return self.taken(told, about)

    async def raw(self, path: str, about: str, *, accept: str, most_bytes: int, **params: str) -> Told:
        """A file as it is, of at most so many bytes. Raises as `fetched`, and UnreadableError for more."""
        told = await self._sent("GET", path, about, params=params, headers={"Accept": accept}, most_bytes=most_bytes)
        return self.taken(told, about)

    async def mapping(self, path: str, about: str, **params: str) -> dict[str, Any]:
        """The same, where the answer is an object. Raises UnreadableError for anything else."""
        return self.is_mapping(await self.get(path, about, **params), about)

    async def post(
        self, path: str, about: str, body: Mapping[str, Any] | None = None, *, form: Mapping[str, str] | None = None
    ) -> Told:
        """What came back, whatever its status. Sent once: after an UnreachableError nobody knows what happened."""
        return await self._sent("POST", path, about, body=body, form=form)

    async def send(self, method: str, path: str, about: str, body: Mapping[str, Any] | None = None) -> Told:
        """Any other request that makes or changes something, whatever the status of its answer; sent once."""
        return await self._sent(method, path, about, body=body)

    def taken(self, told: Told, about: str) -> Told:
        """The answer, if the server took the request. Raises what its status means."""
        # 203: Azure DevOps shows its page to sign in so.
        if not told.ok or told.status == httpx.codes.NON_AUTHORITATIVE_INFORMATION:
            self._complain(told, about)
        return told

    def is_mapping(self, found: Any, about: str) -> dict[str, Any]:
        """An object. Raises UnreadableError."""
        if not isinstance(found, dict):
            raise UnreadableError(f"{self.called} sent no object: {words(found)}; asked for {short(about)}")
        return found

    def rows(self, found: Any, about: str) -> list[dict[str, Any]]:
        """A list of objects. Raises UnreadableError."""
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise UnreadableError(f"{self.called} sent no list of objects; asked for {short(about)}")
        return found

    async def _sent(
        self,
        method: str,
        path: str,
        about: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Told:
        sent = {"params": params, "body": body, "form": form, "most_bytes": most_bytes}
        told = await self._once(method, path, about, headers or {}, **sent)
        if told.status == httpx.codes.UNAUTHORIZED and self._server.login.refused():
            # Nothing was done, so that even what makes something may be sent again.
            told = await self._once(method, path, about, headers or {}, **sent)
        return told

    async def _once(self, method: str, path: str, about: str, more: Mapping[str, str], **sent: Any) -> Told:
        headers = {**self._server.headers, **more, **await self._server.login.headers()}
        url = self._server.url.rstrip("/") + path
        return await self._http.send(Ask(method, url, about, headers=headers, once=method != "GET", **sent))

    def _complain(self, told: Told, about: str) -> NoReturn:
        """Raises what the status means, with the server's own words."""
        said, asked = _said(told), f"asked for {short(about)}"
        if told.busy or _limited(told):
            raise UnreachableError(f"{self.called} answered {said}; {asked}", retry_after=_wait(told))
        if told.status in REFUSALS:
            raise RefusedError(f"{self.called} does not let Sluice in ({said}); {self._server.mend}; {asked}")
        if told.status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            raise NotFoundError(f"{self.called} has no {about}, or does not let Sluice see it ({said})")
        if httpx.codes.is_redirect(told.status):
            raise UnreadableError(
                f"{self.called} sends Sluice elsewhere ({said}); write the address or the name that holds now; {asked}"
            )
        raise RefusedError(f"{self.called} does not take the request ({said}); {asked}")


def message(told: Told) -> str:
    """What a server says itself about an error: a member of its JSON, else the beginning of the text."""
    try:
        found = told.json("", "")
    except UnreadableError:
        return words(told.text)
    said = (
        found.get("message") or found.get("error_description") or found.get("error") if isinstance(found, dict) else ""
    )
    return words(said or "")


def _said(told: Told) -> str:
    return f"HTTP {told.status}: {message(told)}" if message(told) else f"HTTP {told.status}"


def _limited(told: Told) -> bool:
    """Whether a 403 is a rate limit: it names a time, says that nothing is left, or says so in words."""
    if told.status != httpx.codes.FORBIDDEN:
        return False
    spent = told.headers.get("x-ratelimit-remaining") == "0"
    return spent or "Retry-After" in told.headers or "rate limit" in message(told).lower()


def _wait(told: Told) -> timedelta | None:
    """How long to wait: what the server asks for, else until its window ends, by its own clock and not by ours."""
    asked = retry_after(told.headers.get("Retry-After"))
    reset = told.headers.get("x-ratelimit-reset", "") or told.headers.get("RateLimit-Reset", "")
    if asked is not None or (not _limited(told) and told.status != httpx.codes.TOO_MANY_REQUESTS):
        return asked
    try:
        now_s = parsedate_to_datetime(told.headers.get("Date", "")).timestamp()
        left_s = int(reset) - now_s
    except ValueError:
        return SECONDARY_WAIT
    return min(timedelta(seconds=left_s), LONGEST) if left_s > 0 else SECONDARY_WAIT
