"""What servers of metrics and of CI answer, read at the door."""

import json

import httpx

from bot.adapters.github_pipelines import GitHubPipelines
from tests.adapters.github_server import PROJECT, Answer, GitHubServer
from tests.adapters.github_server import SHA as COMMIT
from tests.contracts.ci_worlds import github_api


async def test_what_no_database_takes_is_left_at_the_door() -> None:
    """Half a surrogate pair in a name would break every pass of the run that stores it; a whole emoji stays."""
    server = GitHubServer()
    server.check("some thing", "failure")
    server.check("whole \U0001f600", "success")

    def cut_through(request: httpx.Request, answer: Answer) -> Answer:
        del request
        written = json.dumps(answer.json()).replace("some thing", r"some \ud83d\u0000")
        return Answer(answer.status_code, content=written.encode())

    server.rewrite = cut_through
    async with github_api(server) as api:
        found = await GitHubPipelines(api).checks(PROJECT, COMMIT)
    assert [check.name for check in found.checks] == ["some \ufffd", "whole \U0001f600"]
