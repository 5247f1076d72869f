"""What GitLab, Jenkins and Azure DevOps say otherwise than GitHub; and that no odd answer of theirs is a good check."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.adapters.azure_devops import AzurePipelines
from bot.adapters.gitlab import GitLabPipelines, meaning
from bot.adapters.gitlab_commits import GitLabCommits
from bot.adapters.jenkins import JenkinsPipelines
from bot.domain.errors import NotFoundError, PermanentError, SluiceError, TemporaryError
from bot.domain.outcome import Failed, Outcome, Pending, Succeeded
from bot.ports.commits import Ancestry
from bot.ports.pipelines import CheckState, Conclusion, Order, PipelineRun, Pipelines
from runbooks.gates.ci import CiSpec, judged
from tests.adapters import azure_server, gitlab_server, jenkins_server
from tests.adapters.github_server import SHA
from tests.contracts.ci_worlds import SINCE, azure_rest, gitlab_rest, jenkins_rest

Server = Any
Answer = httpx.Response


@asynccontextmanager
async def gitlab(server: gitlab_server.GitLabServer) -> AsyncIterator[tuple[Pipelines, str]]:
    """Our client of GitLab, and a project there."""
    async with gitlab_rest(server) as rest:
        yield GitLabPipelines(rest), gitlab_server.PROJECT


@asynccontextmanager
async def jenkins(server: jenkins_server.JenkinsServer) -> AsyncIterator[tuple[Pipelines, str]]:
    """Our client of Jenkins, and a folder there."""
    async with jenkins_rest(server) as rest:
        yield JenkinsPipelines(rest), "acme/api"


@asynccontextmanager
async def azure(server: azure_server.AzureServer) -> AsyncIterator[tuple[Pipelines, str]]:
    """Our client of Azure DevOps, and a project there."""
    async with azure_rest(server) as rest:
        yield AzurePipelines(rest), azure_server.PROJECT


VENDORS: dict[str, tuple[Callable[[], Server], Any, Callable[[Server], None]]] = {
    "gitlab": (gitlab_server.GitLabServer, gitlab, lambda server: server.job("build", "success")),
    "jenkins": (jenkins_server.JenkinsServer, jenkins, lambda server: server.build("build", "SUCCESS")),
    "azure": (azure_server.AzureServer, azure, lambda server: server.build("build", "succeeded")),
}
ROWS: dict[str, tuple[Answer | Exception, type[object]]] = {
    "401": (Answer(401), PermanentError),
    "403": (Answer(403), PermanentError),
    "404": (Answer(404), PermanentError),
    "429": (Answer(429, headers={"Retry-After": "7"}), TemporaryError),
    "500": (Answer(500), TemporaryError),
    "a redirect to a login": (Answer(302, headers={"Location": "/login"}), PermanentError),
    "a page to sign in": (Answer(203, text="<html>Sign In</html>"), PermanentError),
    "a page": (Answer(200, text="<html>"), PermanentError),
    "null": (Answer(200, text="null"), PermanentError),
    "another shape": (Answer(200, json={"jobs": {}, "value": {}, "builds": {}}), PermanentError),
    "a time-out": (httpx.ReadTimeout("slow"), TemporaryError),
}


async def asked(made: Any, server: Server, *required: str) -> Outcome | SluiceError:
    """What the gate makes of the commit."""
    async with made(server) as (ci, project):
        try:
            return judged(await ci.checks(project, SHA), CiSpec(required=required, commit=SHA))
        except SluiceError as exc:
            return exc


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("row", ROWS)
async def test_no_odd_answer_passes(vendor: str, row: str) -> None:
    """With one check that would be good."""
    (new, made, good), (fault, kind) = VENDORS[vendor], ROWS[row]
    server = new()
    good(server)
    assert isinstance(await asked(made, server, "build"), Succeeded)
    server.faults.append(fault)
    outcome = await asked(made, server, "build")
    assert isinstance(outcome, kind), outcome


@pytest.mark.parametrize(
    ("status", "allowed", "ended"),
    [
        ("success", False, Conclusion.SUCCESS),
        ("failed", False, Conclusion.FAILURE),
        ("failed", True, Conclusion.NEUTRAL),
        ("skipped", False, Conclusion.CANCELLED),
        ("skipped", True, Conclusion.CANCELLED),
        ("manual", False, Conclusion.ACTION_REQUIRED),
        ("manual", True, Conclusion.SKIPPED),
        ("canceled", True, Conclusion.CANCELLED),
        ("splendid", True, Conclusion.UNKNOWN),
        ("canceling", False, None),
        ("scheduled", False, None),
    ],
)
def test_gitlabs_words_are_taken_for_what_they_mean(status: str, allowed: bool, ended: Conclusion | None) -> None:
    """A job that was skipped comes after one that failed; one that is allowed to fail holds nobody up."""
    assert meaning(status, allowed=allowed)[1] is ended


async def test_a_pipeline_of_gitlab_that_failed_without_a_job_is_a_bad_check() -> None:
    """As one whose definition is wrong."""
    server = gitlab_server.GitLabServer()
    server.pipelines[0]["status"] = "failed"
    outcome = await asked(gitlab, server)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "0/1: `pipeline` failure"


@pytest.mark.parametrize(("result", "said"), [("UNSTABLE", "failure"), ("NOT_BUILT", "cancelled"), ("ODD", "unknown")])
async def test_a_build_of_jenkins_is_good_only_if_it_succeeded(result: str, said: str) -> None:
    """Unstable means that tests failed."""
    server = jenkins_server.JenkinsServer()
    server.build("build", result)
    outcome = await asked(jenkins, server)
    assert isinstance(outcome, Failed)
    assert f"`build` {said}" in outcome.reason


@pytest.mark.parametrize(("result", "said"), [("partiallySucceeded", "failure"), ("none", "unknown")])
async def test_a_build_of_azure_is_good_only_if_it_succeeded(result: str, said: str) -> None:
    """In part is not."""
    server = azure_server.AzureServer()
    server.build("build", result)
    outcome = await asked(azure, server)
    assert isinstance(outcome, Failed)
    assert f"`build` {said}" in outcome.reason


@pytest.mark.parametrize("vendor", ["jenkins", "azure"])
async def test_builds_of_other_commits_do_not_count(vendor: str) -> None:
    """However good they are."""
    new, made, _ = VENDORS[vendor]
    server = new()
    server.build("build", "SUCCESS" if vendor == "jenkins" else "succeeded", sha="1" * 40)
    assert isinstance(await asked(made, server), Pending)


async def test_an_item_that_left_the_queue_of_jenkins_is_followed_as_its_build() -> None:
    """Also when the queue has forgotten it."""
    server = jenkins_server.JenkinsServer()
    order = Order("acme/api", jenkins_server.PIPELINE, "api-prod-7.pipeline.8c8c8c8c", "main", {"suite": "smoke"})
    async with jenkins(server) as (ci, _):
        assert await ci.start(order) == PipelineRun("queue-1", CheckState.QUEUED)
        assert await ci.follow(order, "queue-1") == PipelineRun("queue-1", CheckState.QUEUED)
        server.leave_queue()
        url = f"{jenkins_server.URL}{jenkins_server.FOLDER}/job/integration/1/"
        assert await ci.follow(order, "queue-1") == PipelineRun("build-1", CheckState.RUNNING, url=url)
        server.left.clear()
        assert (await ci.follow(order, "queue-1")).id == "build-1"
        server.runs.clear()
        with pytest.raises(NotFoundError):
            await ci.follow(order, "queue-1")
        assert await ci.find(order, SINCE) is None


async def test_an_unknown_pipeline_of_azure_is_named() -> None:
    """Nothing is started."""
    async with azure(azure_server.AzureServer()) as (ci, project):
        with pytest.raises(NotFoundError, match="has no pipeline nightly of api"):
            await ci.start(Order(project, "nightly", "key"))


async def test_commits_of_gitlab_may_have_gone_apart() -> None:
    """Each has something that the other has not."""
    server = gitlab_server.GitLabServer()
    server.commit("b" * 40, "One")
    server.common = "c" * 40
    async with gitlab_rest(server) as rest:
        found = await GitLabCommits(rest, gitlab_server.WEB).compare(gitlab_server.PROJECT, SHA, "b" * 40)
    assert found.ancestry is Ancestry.DIVERGED
