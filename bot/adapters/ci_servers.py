"""`CiServers`, `Commits` and `SourceFiles` over the CI servers of the catalogue, opened and closed together."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from bot.domain.errors import NotFoundError, UsageError
from bot.domain.repository import Repository, path_inside
from bot.ports.commits import Comparison
from bot.ports.pipelines import Pipelines


class HostCommits(Protocol):
    """The history of the repositories of one host; `project` is the path on it."""

    async def compare(self, project: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        ...


class HostFiles(Protocol):
    """The files of the repositories of one host; `project` is the path on it."""

    async def read(self, project: str, path: str, commit: str) -> bytes:
        """See `SourceFiles`."""
        ...


class Lookable(Protocol):
    """Pipelines of which somebody can ask beforehand whether there will be an answer."""

    async def look(self, project: str) -> None:
        """Return when the project is there and we may read its checks. Raises as `Pipelines`."""
        ...


class LookablePipelines(Pipelines, Lookable, Protocol):
    """Both."""


@dataclass(frozen=True, slots=True)
class CiServer:
    """One server: its pipelines, the history and the files of the repositories on `host` where it keeps them, and what
    is opened for all of these."""

    pipelines: LookablePipelines
    opened: Sequence[AbstractAsyncContextManager[object]]
    host: str = ""
    commits: HostCommits | None = None
    files: HostFiles | None = None


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

    @property
    def keeps_repositories(self) -> bool:
        """Whether one of them can tell of commits."""
        return any(server.commits is not None for server in self.servers.values())

    def get(self, name: str) -> Pipelines:
        """See `CiServers`."""
        return self._named(name).pipelines

    async def look(self, name: str, project: str) -> None:
        """See `Lookable`, of the server of that name. Raises NotFoundError, too, where there is no such server."""
        await self._named(name).pipelines.look(project)

    def _named(self, name: str) -> CiServer:
        if name not in self.servers:
            known = ", ".join(sorted(self.servers)) or "none"
            raise NotFoundError(f"there is no CI server '{name}' in the catalogue; known: {known}")
        return self.servers[name]

    async def compare(self, repository: str, base: str, head: str) -> Comparison:
        """See `Commits`."""
        place = Repository.parse(repository)
        for server in self.servers.values():
            if server.commits is not None and server.host == place.host:
                return await server.commits.compare(place.path, base, head)
        raise self._unknown(place)

    async def read(self, repository: str, path: str, commit: str) -> bytes:
        """See `SourceFiles`."""
        place, inside = Repository.parse(repository), path_inside(path)
        for server in self.servers.values():
            if server.files is not None and server.host == place.host:
                return await server.files.read(place.path, inside, commit)
        raise self._unknown(place)

    def _unknown(self, place: Repository) -> UsageError:
        hosts = ", ".join(sorted(one.host for one in self.servers.values() if one.host)) or "none"
        return UsageError(
            f"No CI server of the catalogue has the repository {place}; known hosts: {hosts}.",
            hint="Write one, such as 'ci: {main: {github: {token_file: /run/secrets/github}}}'.",
        )
