"""What every `SourceFiles` promises."""

import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import httpx
import pytest

from bot.adapters.ci_servers import CiServer, OpenCiServers
from bot.adapters.github_api import GitHubApi, pages_at
from bot.adapters.github_files import GitHubFiles
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.gitlab import GitLabPipelines
from bot.adapters.gitlab_files import GitLabFiles
from bot.domain.errors import NotFoundError, PermanentError, RefusedError, UnreachableError, UnreadableError, UsageError
from bot.ports.source_files import MOST_BYTES, SourceFiles
from bot.sandbox.github.repository import Repository
from tests.adapters import github_server, gitlab_server
from tests.contracts.ci_worlds import github_api, gitlab_rest, real_github, sandbox_github
from tests.fakes.source_files import FakeSourceFiles
from tests.real import servers

NUMBERS = itertools.count(1)
PATH = "api/open api.yaml"


class World(Protocol):
    """A repository that somebody writes files to."""

    files: SourceFiles
    repository: str

    async def write(self, path: str, content: bytes) -> str:
        """A commit that writes the file; its id."""
        ...


class FakeWorld:
    """Memory."""

    repository = "github.com/acme/api"

    def __init__(self) -> None:
        self.fake = FakeSourceFiles()
        self.files: SourceFiles = self.fake

    async def write(self, path: str, content: bytes) -> str:
        sha = f"{next(NUMBERS):x}".rjust(20, "b").ljust(40, "0")
        self.fake.write(self.repository, sha, path, content)
        return sha


class HttpWorld:
    """Our client, and a server in memory."""

    def __init__(
        self, files: SourceFiles, server: github_server.GitHubServer | gitlab_server.GitLabServer, host: str
    ) -> None:
        self.files, self._server, self.repository = files, server, f"{host}/acme/api"

    async def write(self, path: str, content: bytes) -> str:
        sha = f"{next(NUMBERS):x}".rjust(20, "b").ljust(40, "0")
        if isinstance(self._server, github_server.GitHubServer):
            self._server.commit(sha, f"Write {path}", files={path: content})
            return sha
        self._server.commit(sha, f"Write {path}")
        self._server.files[sha, path] = content
        return sha


class SandboxWorld:
    """Our client, and the sandbox's GitHub."""

    repository = "github.com/acme/api"

    def __init__(self, files: SourceFiles, repository: Repository) -> None:
        self.files, self._repository = files, repository

    async def write(self, path: str, content: bytes) -> str:
        return self._repository.commit(f"Write {path}", files={path: content})


class RealWorld:
    """Our client, and the GitHub that GITHUB_API_URL names; each world has a folder of its own there."""

    def __init__(self, files: SourceFiles, server: servers.GitHub, host: str) -> None:
        self.files, self._server, self.repository = files, server, f"{host}/{server.project}"

    async def write(self, path: str, content: bytes) -> str:
        return await self._server.write(path, content)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


def on_github(api: GitHubApi, host: str) -> SourceFiles:
    """The files of one server of a catalogue."""
    return OpenCiServers({"main": CiServer(GitHubPipelines(api), (), host, files=GitHubFiles(api))})


@asynccontextmanager
async def github_world() -> AsyncIterator[World]:
    """The contract on our client and a GitHub in memory."""
    server = github_server.GitHubServer()
    async with github_api(server) as api:
        yield HttpWorld(on_github(api, "github.com"), server, "github.com")


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on our client and the sandbox's GitHub, over loopback."""
    async with sandbox_github() as (api, repository):
        yield SandboxWorld(on_github(api, "github.com"), repository)


@asynccontextmanager
async def gitlab_world() -> AsyncIterator[World]:
    """The contract on our client and a GitLab in memory."""
    server = gitlab_server.GitLabServer()
    async with gitlab_rest(server) as rest:
        ours = CiServer(GitLabPipelines(rest), (), "gitlab.com", files=GitLabFiles(rest))
        yield HttpWorld(OpenCiServers({"lab": ours}), server, "gitlab.com")


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on a real GitHub."""
    async with real_github() as (api, server):
        host = pages_at(server.url).partition("://")[2]
        yield RealWorld(on_github(api, host), server, host)


Worlds = Callable[[], AbstractAsyncContextManager[World]]
WORLDS = [
    pytest.param(fake_world, id="fake"),
    pytest.param(sandbox_world, id="sandbox"),
    pytest.param(gitlab_world, id="gitlab"),
    pytest.param(real_world, id="real", marks=pytest.mark.real),
]


@pytest.fixture(params=WORLDS)
def worlds(request: pytest.FixtureRequest) -> Worlds:
    """Each world in turn."""
    made: Worlds = request.param
    return made


def own(path: str) -> str:
    """A path that no other test writes to."""
    return f"files-{os.getpid()}-{next(NUMBERS)}/{path}"


async def test_a_file_is_read_as_it_was_at_the_commit(worlds: Worlds) -> None:
    """Byte for byte, by a full or a short id, whatever came later."""
    async with worlds() as world:
        path = own(PATH)
        first, second = b"openapi: 3.1.0\r\n\xc3\xbc\n", b'{"openapi": "3.0.3"}'
        old, new = await world.write(path, first), await world.write(path, second)
        assert await world.files.read(world.repository, path, old) == first
        assert await world.files.read(world.repository, path, new) == second
        assert await world.files.read(world.repository, path, old[:24]) == first


async def test_what_is_not_there_is_not_found(worlds: Worlds) -> None:
    """A file, a commit in both lengths, a repository; or all of it is hidden from us."""
    async with worlds() as world:
        path = own("openapi.yaml")
        sha = await world.write(path, b"openapi: 3.1.0\n")
        for repository, wanted, commit in (
            (world.repository, own("other.yaml"), sha),
            (world.repository, path, "0" * 40),
            (world.repository, path, "0" * 12),
            (f"{world.repository}-not", path, sha),
        ):
            with pytest.raises(NotFoundError):
                await world.files.read(repository, wanted, commit)


async def test_a_folder_is_no_file(worlds: Worlds) -> None:
    """Its listing is never taken for a document."""
    async with worlds() as world:
        path = own("openapi.yaml")
        sha = await world.write(path, b"openapi: 3.1.0\n")
        with pytest.raises(PermanentError):
            await world.files.read(world.repository, path.rpartition("/")[0], sha)


@pytest.mark.parametrize(
    "path", ["", "/openapi.yaml", "../openapi.yaml", "api/../openapi.yaml", "api//a", "a?ref=x", "a#b", "a\nb", "a\\b"]
)
async def test_a_path_that_leads_elsewhere_is_a_slip(worlds: Worlds, path: str) -> None:
    """Nobody is asked for it."""
    async with worlds() as world:
        with pytest.raises(UsageError, match="not a path inside a repository"):
            await world.files.read(world.repository, path, "a" * 40)


async def test_a_repository_of_a_host_that_nobody_knows_is_a_slip(worlds: Worlds) -> None:
    """With the hosts that there are, and what to write."""
    async with worlds() as world:
        with pytest.raises(UsageError, match=r"has the repository git\.other\.test/acme/api; known hosts: .+Write one"):
            await world.files.read("git.other.test/acme/api", "openapi.yaml", "b" * 40)


@pytest.mark.parametrize("made", [fake_world, sandbox_world, gitlab_world], ids=["fake", "sandbox", "gitlab"])
async def test_a_file_without_end_is_not_read_to_it(made: Worlds) -> None:
    """Eight megabytes are read, and no more."""
    async with made() as world:
        path = own("openapi.json")
        sha = await world.write(path, b" " * (MOST_BYTES + 1))
        with pytest.raises(UnreadableError, match="more than 8,388,608 bytes"):
            await world.files.read(world.repository, path, sha)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401), RefusedError),
        (httpx.Response(403, json={"message": "Resource not accessible"}), RefusedError),
        (httpx.Response(301, headers={"Location": "https://evil.test"}), UnreadableError),
        (httpx.Response(429), UnreachableError),
        (httpx.Response(503), UnreachableError),
        (httpx.ConnectError("no route"), UnreachableError),
    ],
)
@pytest.mark.parametrize("vendor", ["github", "gitlab"])
async def test_refusals_and_trouble_are_told_apart(vendor: str, answer: httpx.Response, error: type[Exception]) -> None:
    """Trouble may pass, a refusal does not, and a redirect is not followed with our token."""
    async with (github_world if vendor == "github" else gitlab_world)() as world:
        assert isinstance(world, HttpWorld)
        sha = await world.write(PATH, b"openapi: 3.1.0\n")
        world._server.faults.append(answer)
        with pytest.raises(error):
            await world.files.read(world.repository, PATH, sha)


async def test_a_short_id_that_means_a_branch_is_refused() -> None:
    """The address of a commit takes names of branches, too."""
    async with github_world() as world:
        assert isinstance(world, HttpWorld)
        world._server.faults.append(httpx.Response(200, json={"sha": "a" * 40}))
        with pytest.raises(UnreadableError, match="sent commit aaaaaaaaaaaa; asked for commit deadbee"):
            await world.files.read(world.repository, PATH, "deadbee")
