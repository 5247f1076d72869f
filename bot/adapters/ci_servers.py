"""`CiServers` and `Commits` over the CI servers of the catalogue, opened and closed together."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from bot.domain.errors import NotFoundError, UsageError
from bot.domain.repository import Repository
from bot.ports.commits import Comparison
from bot.ports.pipelines import Pipelines


class HostCommits(Protocol):
    """The history of the repositories of one host; `project` is the path on it."""

    async def compare(self, project: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        ...


@dataclass(frozen=True, slots=True)
class CiServer:
    """One server: its pipelines, the history of the repositories on `host` where it keeps them, and what is opened for
    both."""

    pipelines: Pipelines
    opened: Sequence[AbstractAsyncContextManager[object]]
    host: str = ""
    commits: HostCommits | None = None


@dataclass(slots=True)
class OpenCiServers:
    """Used inside `async with`; opening asks nobody anything."""

    servers: Mapping[str, CiServer] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for server in self.servers.values():
                for each in server.opened:
                    await opening.enter_async_context(each)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def get(self, name: str) -> Pipelines:
        """See `CiServers`."""
        if name not in self.servers:
            known = ", ".join(sorted(self.servers)) or "none"
            raise NotFoundError(f"there is no CI server '{name}' in the catalogue; known: {known}")
        return self.servers[name].pipelines

    async def compare(self, repository: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        place = Repository.parse(repository)
        for server in self.servers.values():
            if server.commits is not None and server.host == place.host:
                return await server.commits.compare(place.path, base, head)
        hosts = ", ".join(sorted(one.host for one in self.servers.values() if one.commits)) or "none"
        raise UsageError(
            f"No CI server of the catalogue has the repository {place}; known hosts: {hosts}.",
            hint="Write one, such as 'ci: {main: {github: {token_file: /run/secrets/github}}}'.",
        )
