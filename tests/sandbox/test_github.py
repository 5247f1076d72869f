"""The sandbox's GitHub, asked over loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from bot.sandbox.github.history import Author
from bot.sandbox.github.repository import Repository, Workflow
from bot.sandbox.github.server import TOKEN, GitHubServer
from bot.sandbox.loopback import listening
from tests.fakes.clock import FakeClock

PROJECT = "acme/api"
INTEGRATION = "/actions/workflows/integration.yml"


class World:
    """A repository, a clock, and somebody who asks."""

    def __init__(self, http: httpx.AsyncClient, server: GitHubServer, clock: FakeClock) -> None:
        self.http, self.server, self.clock = http, server, clock
        self.repository: Repository = server.repository(PROJECT)

    async def get(self, path: str, **params: str) -> httpx.Response:
        """The answer to a GET below the repository."""
        return await self.http.get(f"/repos/{PROJECT}{path}", params=params)

    async def dispatch(self, ref: str = "main", **inputs: str) -> httpx.Response:
        """The answer to a dispatch of the workflow."""
        return await self.http.post(f"/repos/{PROJECT}{INTEGRATION}/dispatches", json={"ref": ref, "inputs": inputs})


@asynccontextmanager
async def opened(token: str = TOKEN) -> AsyncIterator[World]:
    """The world."""
    clock = FakeClock()
    server = GitHubServer(clock)
    headers = {"Authorization": f"Bearer {token}"}
    async with listening(server.application()) as url, httpx.AsyncClient(base_url=url, headers=headers) as http:
        yield World(http, server, clock)


async def test_a_commit_is_known_by_many_names() -> None:
    """Its id in both lengths, its branch and its tag."""
    async with opened() as world:
        sha = world.repository.commit("Fix", tag="v1", author=Author("Bob", "bob@acme.test", "bob"))
        found = [(await world.get(f"/commits/{ref}")).json() for ref in (sha, sha[:7], "main", "v1")]
    assert [one["sha"] for one in found] == [sha] * 4
    assert (found[0]["commit"]["message"], found[0]["author"]["login"]) == ("Fix", "bob")


async def test_the_same_story_has_the_same_commits() -> None:
    """So that a tour can be told again."""
    told = []
    for _ in range(2):
        repository = GitHubServer(FakeClock()).repository(PROJECT)
        told.append([repository.commit("Begin"), repository.commit("Begin")])
    assert told[0] == told[1]
    assert len({*told[0]}) == 2


async def test_branches_that_went_apart_have_diverged() -> None:
    """With what each has alone."""
    async with opened() as world:
        world.repository.commit("Begin")
        side = world.repository.commit("Aside", branch="side")
        main = world.repository.commit("Go on")
        found = (await world.get(f"/compare/{side}...{main}")).json()
    assert (found["status"], found["ahead_by"], found["behind_by"]) == ("diverged", 1, 1)
    assert [one["sha"] for one in found["commits"]] == [main]


async def test_files_stay_until_they_are_written_anew() -> None:
    """As in any tree; a folder lists what is right inside."""
    async with opened() as world:
        world.repository.commit("Write", files={"api/a.yaml": b"1", "api/v1/b.yaml": b"2"})
        later = world.repository.commit("Other", files={"README": b"3"})
        file = await world.get("/contents/api/a.yaml", ref=later)
        folder = await world.get("/contents/api")
    assert (file.json()["encoding"], file.json()["content"]) == ("base64", "MQ==\n")
    assert [(one["name"], one["type"]) for one in folder.json()] == [("a.yaml", "file"), ("v1", "dir")]


async def test_a_status_beside_checks_is_combined() -> None:
    """The newest of each context counts."""
    async with opened() as world:
        sha = world.repository.commit("Fix")
        world.repository.status(sha, "lint", "failure")
        world.repository.status(sha, "lint", "success")
        found = (await world.get(f"/commits/{sha}/status")).json()
    assert (found["state"], [one["state"] for one in found["statuses"]]) == ("success", ["success"])


async def test_a_run_takes_its_time() -> None:
    """Queued, then at work, then over: by the clock, which nobody waits for."""
    async with opened() as world:
        world.repository.commit("Fix")
        world.repository.workflow(Workflow("integration.yml", takes=timedelta(minutes=1), conclusion="failure"))
        await world.dispatch(sluice_key="key-1")
        seen = []
        for seconds in (0, 5, 60):
            world.clock.advance(timedelta(seconds=seconds))
            run = (await world.get("/actions/runs/100")).json()
            seen.append((run["status"], run["conclusion"]))
    assert seen == [("queued", None), ("in_progress", None), ("completed", "failure")]
    assert run["display_title"] == "Integration key-1"


async def test_only_young_runs_are_listed() -> None:
    """Where somebody asks for those, newest first."""
    async with opened() as world:
        world.repository.commit("Fix")
        world.repository.workflow(Workflow("integration.yml"))
        for _ in range(3):
            await world.dispatch()
            world.clock.advance(timedelta(hours=1))
        young = await world.get(f"{INTEGRATION}/runs", created=">=2026-03-02T09:30:00Z")
        odd = await world.get(f"{INTEGRATION}/runs", created="yesterday")
    assert [one["id"] for one in young.json()["workflow_runs"]] == [102, 101]
    assert odd.status_code == 422


async def test_a_dispatch_that_cannot_be_is_refused() -> None:
    """A branch or a workflow that is not there, inputs that nobody declared, and what is not JSON."""
    async with opened() as world:
        sha = world.repository.commit("Fix")
        unknown = await world.dispatch()
        world.repository.workflow(Workflow("integration.yml", inputs=frozenset({"suite"})))
        on_commit = await world.dispatch(sha)
        strange = await world.dispatch(colour="red")
        broken = await world.http.post(f"/repos/{PROJECT}{INTEGRATION}/dispatches", content=b"{")
    assert [one.status_code for one in (unknown, on_commit, strange, broken)] == [404, 422, 422, 400]
    assert on_commit.json()["message"] == f"No ref found for: {sha}"
    assert strange.json()["message"] == 'Unexpected inputs provided: ["colour"]'
    assert world.repository.runs == []


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/commits/dead", 422, "No commit found for SHA: dead"),
        ("/commits/dead/check-runs", 422, "No commit found for SHA: dead"),
        ("/compare/dead...beef", 404, "Not Found"),
        ("/contents/a?ref=dead", 404, "No commit found for the ref dead"),
        ("/actions/runs/7", 404, "Not Found"),
        ("/pulls", 404, "Not Found"),
    ],
)
async def test_what_is_not_there_is_said(path: str, status: int, message: str) -> None:
    """With GitHub's status and words."""
    async with opened() as world:
        world.repository.commit("Fix")
        told = await world.http.get(f"/repos/{PROJECT}{path}")
    assert (told.status_code, told.json()["message"]) == (status, message)


async def test_strangers_are_refused_and_an_outage_is_one() -> None:
    """401 for a wrong token, 503 while it is down."""
    async with opened("other") as world:
        refused = await world.get("")
        world.server.outage.down = True
        down = await world.get("")
    assert (refused.status_code, refused.json()["message"], down.status_code) == (401, "Bad credentials", 503)
