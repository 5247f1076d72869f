"""GitHub's REST API, on github.com and on Enterprise: where it is, and lists of many pages."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from bot.adapters.github_login import HEADERS, App, AppLogin
from bot.adapters.rest import Rest, RestServer, SecretLogin
from bot.adapters.secret_source import HttpLogin, SecretSource
from bot.domain.errors import ConflictError, UnreadableError
from bot.ports.clock import Clock

PUBLIC = "https://api.github.com"
A_PAGE = 100
MOST_PAGES = 30
"""Nobody reads 3,000 checks of a commit; a list that never ends would hold a pass up."""


@dataclass(frozen=True, slots=True)
class GitHubServer:
    """`url` is what stands before `/repos`: https://api.github.com, or https://HOST/api/v3 of Enterprise. `login` is a
    token, or an App."""

    called: str
    url: str
    login: SecretSource | App


class GitHubApi:
    """Used inside `async with`."""

    def __init__(
        self, server: GitHubServer, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.called, self.pages_at = server.called, pages_at(server.url)
        self._stack = AsyncExitStack()
        mend = "check the token, and that it may read the repository's checks, commit statuses, contents and actions"
        login: SecretLogin | AppLogin
        if isinstance(server.login, App):
            login = AppLogin(server.called, server.url, server.login, clock, transport)
        else:
            login = SecretLogin(HttpLogin(token=server.login))
        self._app = login if isinstance(login, AppLogin) else None
        self.rest = Rest(RestServer(server.called, server.url, login, mend, HEADERS), transport=transport)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            if self._app is not None:
                await opening.enter_async_context(self._app)
            await opening.enter_async_context(self.rest)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def counted(
        self, path: str, about: str, key: str, **params: str
    ) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
        """All items of a list that says how many there are, and its first envelope.

        Pages are counted and links not followed: a link may lead to another server. Raises ConflictError when the list
        ends before it should, as it does when it changes meanwhile, and UnreadableError for one without an end.
        """
        found: list[dict[str, Any]] = []
        first: Mapping[str, Any] = {}
        for page in range(1, MOST_PAGES + 1):
            envelope = await self.rest.mapping(path, about, **params, per_page=str(A_PAGE), page=str(page))
            first, total, items = (
                first or envelope,
                envelope.get("total_count"),
                self.rest.rows(envelope.get(key), about),
            )
            if not isinstance(total, int) or isinstance(total, bool):
                raise UnreadableError(f"{self.called} does not say how many there are; asked for {about}")
            found += items
            if len(found) >= total:
                return first, found
            if not items:
                raise ConflictError(f"{self.called} listed {len(found)} of {total}; asked for {about}")
        raise UnreadableError(f"{self.called} lists more than {MOST_PAGES * A_PAGE:,}; asked for {about}")


def pages_at(url: str) -> str:
    """Where people see what the API at `url` tells (docs.github.com/en/enterprise-server/rest, "Current version")."""
    parts = urlsplit(url)
    if url.rstrip("/") == PUBLIC:
        return "https://github.com"
    host = parts.netloc.removeprefix("api.") if parts.netloc.endswith(".ghe.com") else parts.netloc
    return f"{parts.scheme}://{host}"


def repo(project: str) -> str:
    """The path of a repository in the API."""
    return f"/repos/{quote(project, safe='/')}"


def at(value: object) -> str:
    """A text of an answer; anything else is none."""
    return value if isinstance(value, str) else ""
