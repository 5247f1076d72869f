"""A GitLab in memory that speaks the parts of its REST API that Sluice asks, as an httpx transport."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx

TOKEN = "glpat-test"
PROJECT = "acme/api"
SHA = "9f2c1e7aa01b4c5d6e7f8091a2b3c4d5e6f70819"
WEB = "https://gitlab.com"
HOME = "/api/v4/projects/acme%2Fapi"

Answer = httpx.Response


class GitLabServer(httpx.AsyncBaseTransport):
    """`job` reports on the one pipeline of `SHA`. `faults` are answers given once each before anything else."""

    def __init__(self) -> None:
        self.faults: list[Answer | Exception] = []
        self.requests: list[httpx.Request] = []
        self.jobs: list[dict[str, Any]] = []
        self.pipelines = [self._pipeline(1, "push", "success")]
        self.variables: dict[int, list[dict[str, str]]] = {}
        self.commits: list[dict[str, Any]] = []
        self.common = ""
        self.files: dict[tuple[str, str], bytes] = {}
        self.commit(SHA, "Add a thing")

    def commit(self, sha: str, message: str) -> None:
        """A commit on top of those before it."""
        url = f"{WEB}/{PROJECT}/-/commit/{sha}"
        title = message.partition("\n")[0]
        who = {"author_name": "Ann", "author_email": "ann@acme.test"}
        self.commits.append({"id": sha, "title": title, "message": message, "web_url": url, **who})

    def job(self, name: str, status: str, *, allow_failure: bool = False) -> None:
        """A job of the pipeline; one of that name that is there is an earlier attempt, which lists leave out."""
        self.jobs = [job for job in self.jobs if job["name"] != name]
        number = 1000 + len(self.requests) + len(self.jobs)
        url = f"{WEB}/{PROJECT}/-/jobs/{number}"
        self.jobs.append({"id": number, "name": name, "status": status, "allow_failure": allow_failure, "web_url": url})
        open_states = [job["status"] for job in self.jobs if job["status"] in ("running", "pending")]
        bad = [job["status"] for job in self.jobs if job["status"] in ("failed", "canceled") and not allow_failure]
        self.pipelines[0]["status"] = "running" if open_states else bad[0] if bad else "success"

    def _pipeline(self, number: int, source: str, status: str) -> dict[str, Any]:
        url = f"{WEB}/{PROJECT}/-/pipelines/{number}"
        return {"id": number, "sha": SHA, "ref": "main", "source": source, "status": status, "web_url": url}

    async def handle_async_request(self, request: httpx.Request) -> Answer:
        """Answer one request."""
        self.requests.append(request)
        await request.aread()
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(401, json={"message": "401 Unauthorized"})
        path = request.url.raw_path.decode().partition("?")[0]
        if not path.startswith(HOME):
            return Answer(404, json={"message": "404 Project Not Found"})
        for pattern, route in ROUTES.items():
            method, _, wanted = pattern.partition(" ")
            found = re.fullmatch(wanted, path.removeprefix(HOME))
            if found and method == request.method:
                return route(self, request, *found.groups())
        return Answer(404, json={"error": "404 Not Found"})


def _paged(request: httpx.Request, found: list[dict[str, Any]]) -> Answer:
    size, page = int(request.url.params.get("per_page", 20)), int(request.url.params.get("page", 1))
    return Answer(200, json=found[(page - 1) * size : page * size])


def _pipelines(server: GitLabServer, request: httpx.Request) -> Answer:
    asked = request.url.params
    found = [
        one for one in server.pipelines if all(one[key] == asked[key] for key in ("sha", "source") if key in asked)
    ]
    return _paged(request, found)


def _jobs(server: GitLabServer, request: httpx.Request, number: str) -> Answer:
    return _paged(request, server.jobs if number == "1" else [])


def _bridges(server: GitLabServer, request: httpx.Request, number: str) -> Answer:
    del server, number
    return _paged(request, [])


def _variables(server: GitLabServer, request: httpx.Request, number: str) -> Answer:
    return _paged(request, server.variables.get(int(number), []))


def _pipeline(server: GitLabServer, request: httpx.Request, number: str) -> Answer:
    del request
    found = [one for one in server.pipelines if one["id"] == int(number)]
    return Answer(200, json=found[0]) if found else Answer(404, json={"message": "404 Not found"})


def _start(server: GitLabServer, request: httpx.Request) -> Answer:
    asked = json.loads(request.content)
    number = len(server.pipelines) + 1
    server.variables[number] = asked["variables"]
    server.pipelines.append({**server._pipeline(number, "api", "created"), "ref": asked["ref"]})
    return Answer(201, json=server.pipelines[-1])


def _cancel(server: GitLabServer, request: httpx.Request, number: str) -> Answer:
    found = next(one for one in server.pipelines if one["id"] == int(number))
    if found["status"] in ("created", "running"):
        found["status"] = "canceled"
    return _pipeline(server, request, number)


def _commit(server: GitLabServer, request: httpx.Request, ref: str) -> Answer:
    del request
    found = [one for one in server.commits if one["id"].startswith(ref)]
    return Answer(200, json=found[0]) if found else Answer(404, json={"message": "404 Commit Not Found"})


def _file(server: GitLabServer, request: httpx.Request, path: str) -> Answer:
    found = server.files.get((request.url.params["ref"], unquote(path)))
    return Answer(404, json={"message": "404 File Not Found"}) if found is None else Answer(200, content=found)


def _merge_base(server: GitLabServer, request: httpx.Request) -> Answer:
    known = [one["id"] for one in server.commits]
    both = request.url.params.get_list("refs[]")
    return Answer(200, json={"id": server.common or min(both, key=known.index)})


def _compare(server: GitLabServer, request: httpx.Request) -> Answer:
    known = [one["id"] for one in server.commits]
    begin, end = known.index(request.url.params["from"]), known.index(request.url.params["to"])
    return Answer(200, json={"commits": server.commits[begin + 1 : end + 1], "web_url": f"{WEB}/{PROJECT}/-/compare/x"})


def _project(server: GitLabServer, request: httpx.Request) -> Answer:
    del server, request
    return Answer(200, json={"default_branch": "main"})


ROUTES: dict[str, Callable[..., Answer]] = {
    "GET ": _project,
    "GET /pipelines": _pipelines,
    r"GET /pipelines/(\d+)/jobs": _jobs,
    r"GET /pipelines/(\d+)/bridges": _bridges,
    r"GET /pipelines/(\d+)/variables": _variables,
    r"GET /pipelines/(\d+)": _pipeline,
    "POST /pipeline": _start,
    r"POST /pipelines/(\d+)/cancel": _cancel,
    r"GET /repository/commits/(\w+)": _commit,
    r"GET /repository/files/([^/]+)/raw": _file,
    "GET /repository/merge_base": _merge_base,
    "GET /repository/compare": _compare,
}
