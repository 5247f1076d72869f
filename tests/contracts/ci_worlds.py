"""Worlds for the contracts of `Pipelines` and `Commits`: a CI server that somebody reports to."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import ClassVar, Protocol

import httpx
from pydantic import SecretStr

from bot.adapters.azure_devops import AzurePipelines
from bot.adapters.github_api import GitHubApi, GitHubServer
from bot.adapters.github_pipelines import GitHubPipelines
from bot.adapters.gitlab import GitLabPipelines
from bot.adapters.jenkins import JenkinsPipelines
from bot.adapters.rest import Rest, RestServer, SecretLogin
from bot.adapters.secret_source import HttpLogin
from bot.ports.pipelines import Conclusion, Order, Pipelines
from bot.sandbox.github import server as sandbox_server
from bot.sandbox.github.repository import Repository, Workflow
from bot.sandbox.loopback import listening
from tests.adapters import azure_server, github_server, gitlab_server, jenkins_server
from tests.fakes.clock import START, FakeClock
from tests.fakes.pipelines import FakePipelines
from tests.real import servers

SHA = github_server.SHA
OTHER = "0" * 40
SINCE = START - timedelta(minutes=1)
"""Before anything in any world."""


class Checked(Protocol):
    """A project of a CI server, and one commit in it."""

    ci: Pipelines
    project: str
    commit: str

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        """A new attempt of a check of the commit; `None`: it still runs."""
        ...


class World(Checked, Protocol):
    """The same, with a pipeline that runs."""

    pipeline: str

    def end(self, conclusion: Conclusion) -> None:
        """The newest run of the pipeline ends."""
        ...

    def started(self) -> int:
        """How many runs were started."""
        ...


class FakeWorld:
    """Memory."""

    project, commit, pipeline = "acme/api", SHA, "integration.yml"

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


class SandboxWorld:
    """Our client, and the sandbox's GitHub."""

    project, commit, pipeline = "acme/api", SHA, "integration.yml"

    def __init__(self, ci: Pipelines, repository: Repository) -> None:
        self.ci, self._repository = ci, repository

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        self._repository.check(SHA, name, conclusion)

    def end(self, conclusion: Conclusion) -> None:
        self._repository.end(self._repository.runs[-1], conclusion)

    def started(self) -> int:
        return len(self._repository.runs)


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
async def sandbox_github() -> AsyncIterator[tuple[GitHubApi, Repository]]:
    """Our client of the sandbox's GitHub over loopback, and the repository `acme/api` on it."""
    server = sandbox_server.GitHubServer(FakeClock())
    async with listening(server.application()) as url:
        place = GitHubServer("GitHub main", url, SecretStr(sandbox_server.TOKEN))
        async with GitHubApi(place, clock=FakeClock()) as api:
            yield api, server.repository("acme/api")


@asynccontextmanager
async def sandbox_world() -> AsyncIterator[World]:
    """The contract on our client and the sandbox's GitHub."""
    async with sandbox_github() as (api, repository):
        repository.commit("Add a thing", sha=SHA)
        repository.workflow(Workflow(SandboxWorld.pipeline))
        yield SandboxWorld(GitHubPipelines(api), repository)


class GitLabWorld:
    """Our client, and a GitLab in memory."""

    project, commit, pipeline = gitlab_server.PROJECT, SHA, "integration"

    def __init__(self, ci: Pipelines, server: gitlab_server.GitLabServer) -> None:
        self.ci, self._server = ci, server

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        words = {Conclusion.SUCCESS: "success", Conclusion.FAILURE: "failed", Conclusion.CANCELLED: "canceled"}
        self._server.job(name, words[conclusion] if conclusion else "running")

    def end(self, conclusion: Conclusion) -> None:
        words = {Conclusion.SUCCESS: "success", Conclusion.FAILURE: "failed", Conclusion.CANCELLED: "canceled"}
        self._server.pipelines[-1]["status"] = words[conclusion]

    def started(self) -> int:
        return len(self._server.pipelines) - 1


class JenkinsWorld:
    """Our client, and a Jenkins in memory."""

    project, commit, pipeline = "acme/api", SHA, jenkins_server.PIPELINE
    words: ClassVar = {
        Conclusion.SUCCESS: "SUCCESS",
        Conclusion.FAILURE: "FAILURE",
        Conclusion.CANCELLED: "ABORTED",
        None: None,
    }

    def __init__(self, ci: Pipelines, server: jenkins_server.JenkinsServer) -> None:
        self.ci, self._server = ci, server

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        self._server.build(name, self.words[conclusion])

    def end(self, conclusion: Conclusion) -> None:
        self._server.end(self.words[conclusion] or "")

    def started(self) -> int:
        return self._server.started


class AzureWorld:
    """Our client, and an Azure DevOps in memory."""

    project, commit, pipeline = azure_server.PROJECT, SHA, azure_server.PIPELINE
    words: ClassVar = {
        Conclusion.SUCCESS: "succeeded",
        Conclusion.FAILURE: "failed",
        Conclusion.CANCELLED: "canceled",
        None: None,
    }

    def __init__(self, ci: Pipelines, server: azure_server.AzureServer) -> None:
        self.ci, self._server = ci, server

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        self._server.build(name, self.words[conclusion])

    def end(self, conclusion: Conclusion) -> None:
        self._server.ours()[0].update(status="completed", result=self.words[conclusion])

    def started(self) -> int:
        return len(self._server.ours())


class RealGitHubWorld:
    """Our client, and the GitHub that GITHUB_API_URL names. Emulators do not run workflows: it has checks alone."""

    def __init__(self, ci: Pipelines, server: servers.GitHub, commit: str) -> None:
        self.ci, self._server, self.project, self.commit = ci, server, server.project, commit

    async def report(self, name: str, conclusion: Conclusion | None) -> None:
        await self._server.check(self.commit, name, conclusion)


@asynccontextmanager
async def real_github() -> AsyncIterator[tuple[GitHubApi, servers.GitHub]]:
    """Our client of the GitHub that GITHUB_API_URL names."""
    async with servers.github() as server:
        place = GitHubServer("GitHub main", server.url, SecretStr(server.token))
        async with GitHubApi(place, clock=FakeClock()) as api:
            yield api, server


@asynccontextmanager
async def real_github_world() -> AsyncIterator[Checked]:
    """The contract on a real GitHub."""
    async with real_github() as (api, server):
        yield RealGitHubWorld(GitHubPipelines(api), server, await server.commit("Add a thing"))


def rest_of(called: str, url: str, login: HttpLogin, transport: httpx.AsyncBaseTransport) -> Rest:
    """A client of a server in memory."""
    return Rest(RestServer(called, url, SecretLogin(login), "check the token"), transport=transport)


def gitlab_rest(server: gitlab_server.GitLabServer) -> Rest:
    """Our client of a GitLab in memory."""
    login = HttpLogin(token=SecretStr(gitlab_server.TOKEN))
    return rest_of("GitLab main", f"{gitlab_server.WEB}/api/v4", login, server)


def jenkins_rest(server: jenkins_server.JenkinsServer) -> Rest:
    """Our client of a Jenkins in memory."""
    login = HttpLogin(user=jenkins_server.USER, password=SecretStr(jenkins_server.TOKEN))
    return rest_of("Jenkins main", jenkins_server.URL, login, server)


def azure_rest(server: azure_server.AzureServer) -> Rest:
    """Our client of an Azure DevOps in memory."""
    return rest_of("Azure DevOps main", azure_server.URL, HttpLogin(password=SecretStr(azure_server.TOKEN)), server)


@asynccontextmanager
async def gitlab_world() -> AsyncIterator[World]:
    """The contract on our client and a GitLab in memory."""
    server = gitlab_server.GitLabServer()
    async with gitlab_rest(server) as rest:
        yield GitLabWorld(GitLabPipelines(rest), server)


@asynccontextmanager
async def jenkins_world() -> AsyncIterator[World]:
    """The contract on our client and a Jenkins in memory."""
    server = jenkins_server.JenkinsServer()
    async with jenkins_rest(server) as rest:
        yield JenkinsWorld(JenkinsPipelines(rest), server)


@asynccontextmanager
async def azure_world() -> AsyncIterator[World]:
    """The contract on our client and an Azure DevOps in memory."""
    server = azure_server.AzureServer()
    async with azure_rest(server) as rest:
        yield AzureWorld(AzurePipelines(rest), server)


CheckedWorlds = Callable[[], AbstractAsyncContextManager[Checked]]
Worlds = Callable[[], AbstractAsyncContextManager[World]]


def an_order(world: World, key: str = "api-prod-7.pipeline.8c8c8c8c", **inputs: str) -> Order:
    """A run of the world's pipeline."""
    return Order(world.project, world.pipeline, key, "main", inputs)
