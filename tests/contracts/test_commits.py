"""What every `Commits` promises."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest

from bot.adapters.ci_servers import CiServer, OpenCiServers
from bot.adapters.github_api import GitHubApi, pages_at
from bot.adapters.github_commits import GitHubCommits
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.gitlab import GitLabPipelines
from bot.adapters.gitlab_commits import GitLabCommits
from bot.domain.errors import NotFoundError, UsageError
from bot.ports.commits import Ancestry, Commits
from bot.sandbox.github.repository import Repository
from tests.adapters import gitlab_server
from tests.contracts.ci_worlds import gitlab_rest, real_github, sandbox_github
from tests.fakes.commits import FakeCommits
from tests.real import servers


class World(Protocol):
    """A repository that somebody commits to."""

    commits: Commits
    repository: str

    async def commit(self, message: str) -> str:
        """A commit on top; its id."""
        ...


class FakeWorld:
    """Memory."""

    repository = "github.com/acme/api"

    def __init__(self) -> None:
        self.fake = FakeCommits()
        self.commits: Commits = self.fake

    async def commit(self, message: str) -> str:
        return self.fake.commit(self.repository, message)


class SandboxWorld:
    """Our client, and the sandbox's GitHub."""

    repository = "github.com/acme/api"

    def __init__(self, commits: Commits, repository: Repository) -> None:
        self.commits, self._repository = commits, repository

    async def commit(self, message: str) -> str:
        return self._repository.commit(message)


class RealWorld:
    """Our client, and the GitHub that GITHUB_API_URL names."""

    def __init__(self, commits: Commits, server: servers.GitHub, host: str) -> None:
        self.commits, self._server, self.repository = commits, server, f"{host}/{server.project}"

    async def commit(self, message: str) -> str:
        return await self._server.commit(message)


def of_host(api: GitHubApi, host: str) -> Commits:
    """The commits of one server of a catalogue."""
    return OpenCiServers({"main": CiServer(GitHubPipelines(api), (), host, GitHubCommits(api))})


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on our client and the sandbox's GitHub."""
    async with sandbox_github() as (api, repository):
        yield SandboxWorld(of_host(api, "github.com"), repository)


class GitLabWorld:
    """Our client, and a GitLab in memory."""

    repository = "gitlab.com/acme/api"

    def __init__(self, commits: Commits, server: gitlab_server.GitLabServer) -> None:
        self.commits, self._server = commits, server

    async def commit(self, message: str) -> str:
        sha = f"{len(self._server.commits):x}".rjust(40, "b")
        title, number = re.fullmatch(r"(.*?)(?: \(#(\d+)\).*)?", message, re.DOTALL).groups()  # type: ignore[union-attr]
        self._server.commit(sha, f"{message}\n\nSee merge request acme/api!{number}" if number else title)
        return sha


@asynccontextmanager
async def gitlab_world() -> AsyncIterator[World]:
    """The contract on our client and a GitLab in memory."""
    server = gitlab_server.GitLabServer()
    async with gitlab_rest(server) as rest:
        ours = CiServer(GitLabPipelines(rest), (), "gitlab.com", GitLabCommits(rest, gitlab_server.WEB))
        yield GitLabWorld(OpenCiServers({"lab": ours}), server)


@asynccontextmanager
async def real_world() -> AsyncIterator[World]:
    """The contract on a real GitHub."""
    async with real_github() as (api, server):
        host = pages_at(server.url).partition("://")[2]
        yield RealWorld(of_host(api, host), server, host)


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


async def test_what_lies_between_two_commits_is_listed(worlds: Worlds) -> None:
    """Oldest first, with what was merged, and with a page where a person sees it."""
    async with worlds() as world:
        base = await world.commit("Begin")
        fix, head = await world.commit("Fix a leak (#41)\n\nIt leaked."), await world.commit("Tidy")
        found = await world.commits.compare(world.repository, base, head)
    assert (found.ancestry, found.total) == (Ancestry.AHEAD, 2)
    assert [(one.sha, one.title) for one in found.commits] == [(fix, "Fix a leak (#41)"), (head, "Tidy")]
    assert all(one.author for one in found.commits)
    assert [change.number for change in found.changes] == [41]
    assert found.changes[0].title.startswith("Fix a leak")
    assert found.url.startswith("http")


async def test_an_older_commit_is_behind(worlds: Worlds) -> None:
    """A release that goes back has nothing new."""
    async with worlds() as world:
        old, new = await world.commit("Begin"), await world.commit("Go on")
        found = await world.commits.compare(world.repository, new, old)
    assert (found.ancestry, found.total, found.commits, found.changes) == (Ancestry.BEHIND, 0, (), ())


async def test_a_commit_is_identical_with_itself(worlds: Worlds) -> None:
    """Its short id means the same."""
    async with worlds() as world:
        sha = await world.commit("Begin")
        found = await world.commits.compare(world.repository, sha, sha[:12])
    assert (found.ancestry, found.total) == (Ancestry.IDENTICAL, 0)


async def test_unknown_commits_and_repositories_are_not_found(worlds: Worlds) -> None:
    """Or are hidden from us."""
    async with worlds() as world:
        sha = await world.commit("Begin")
        with pytest.raises(NotFoundError):
            await world.commits.compare(world.repository, sha, "0" * 40)
        with pytest.raises(NotFoundError):
            await world.commits.compare(f"{world.repository}-not", sha, sha)


async def test_a_repository_of_a_host_that_nobody_knows_is_a_slip(worlds: Worlds) -> None:
    """With the hosts that there are, and what to write."""
    async with worlds() as world:
        with pytest.raises(UsageError, match=r"has the repository git\.other\.test/acme/api; known hosts: .+Write one"):
            await world.commits.compare("git.other.test/acme/api", "a" * 40, "b" * 40)
