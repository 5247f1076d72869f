"""Worlds for the contracts of `Pipelines` and `Commits`: a CI server that somebody reports to."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from bot.adapters.github_api import GitHubApi, GitHubServer
from bot.adapters.github_pipelines import GitHubPipelines
from bot.ports.pipelines import Conclusion, Order, Pipelines
from tests.adapters import github_server
from tests.fakes.clock import START, FakeClock
from tests.fakes.pipelines import FakePipelines
from tests.real import servers

SHA = github_server.SHA
OTHER = "0" * 40
SINCE = START - timedelta(minutes=1)
"""Before anything in any world."""


class World(Protocol):
    """A project of a CI server, and one commit in it."""

    ci: Pipelines
    project: str
    commit: str
    pipeline: str
    skips: Conclusion
    """What this server's skipped checks are to us."""

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        """A new attempt of a check of the commit; `None`: it still runs."""
        ...

    def end(self, conclusion: Conclusion) -> None:
        """The newest run of the pipeline ends."""
        ...

    def started(self) -> int:
        """How many runs were started."""
        ...


class FakeWorld:
    """Memory."""

    project, commit, pipeline, skips = "acme/api", SHA, "integration.yml", Conclusion.SKIPPED

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakePipelines(self.clock)
        self.fake.takes = timedelta(hours=1)
        self.ci: Pipelines = self.fake

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        self.fake.report(self.project, SHA, name, conclusion)

    def end(self, conclusion: Conclusion) -> None:
        self.fake.runs[-1].ends = conclusion
        self.clock.advance(timedelta(hours=1))

    def started(self) -> int:
        return len(self.fake.runs)


class GitHubWorld:
    """Our client, and a GitHub in memory."""

    project, commit, pipeline, skips = "acme/api", SHA, "integration.yml", Conclusion.SKIPPED

    def __init__(self, ci: Pipelines, server: github_server.GitHubServer) -> None:
        self.ci, self._server = ci, server

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        self._server.check(name, conclusion)

    def end(self, conclusion: Conclusion) -> None:
        self._server.end(-1, conclusion)

    def started(self) -> int:
        return len(self._server.runs)


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    """The contract on the fake."""
    yield FakeWorld()


@asynccontextmanager
async def github_api(server: github_server.GitHubServer, *, url: str = github_server.API) -> AsyncIterator[GitHubApi]:
    """Our client of a GitHub in memory."""
    place = GitHubServer("GitHub main", url, SecretStr(github_server.TOKEN))
    async with GitHubApi(place, clock=FakeClock(), transport=server) as api:
        yield api


@asynccontextmanager
async def github_world() -> AsyncIterator[World]:
    """The contract on our client and a GitHub in memory."""
    server = github_server.GitHubServer()
    async with github_api(server) as api:
        yield GitHubWorld(GitHubPipelines(api), server)


class RealGitHubWorld:
    """Our client, and the GitHub that GITHUB_API_URL names. Emulators do not run workflows."""

    pipeline, skips = "integration.yml", Conclusion.SKIPPED

    def __init__(self, ci: Pipelines, server: servers.GitHub, commit: str) -> None:
        self.ci, self._server, self.project, self.commit = ci, server, server.project, commit

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        await self._server.check(self.commit, name, conclusion)

    def end(self, conclusion: Conclusion) -> None:
        raise NotImplementedError(f"no run of {self.pipeline} can be made to end with {conclusion}")

    def started(self) -> int:
        return 0


@asynccontextmanager
async def real_github_world() -> AsyncIterator[World]:
    """The contract on a real GitHub."""
    async with servers.github() as server:
        place = GitHubServer("GitHub main", server.url, SecretStr(server.token))
        commit = await server.commit("Add a thing")
        async with GitHubApi(place, clock=FakeClock()) as api:
            yield RealGitHubWorld(GitHubPipelines(api), server, commit)


Worlds = Callable[[], AbstractAsyncContextManager[World]]


def an_order(world: World, key: str = "api-prod-7.pipeline.8c8c8c8c", **inputs: str) -> Order:
    """A run of the world's pipeline."""
    return Order(world.project, world.pipeline, key, "main", inputs)
