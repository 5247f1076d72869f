"""A Jenkins in memory that speaks the parts of its remote access API that Sluice asks, as an httpx transport: a folder
of jobs that check a commit, and the job `integration` in it."""

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx

USER, TOKEN = "sluice", "11aa"
URL = "https://ci.acme.test"
SHA = "9f2c1e7aa01b4c5d6e7f8091a2b3c4d5e6f70819"
FOLDER = "/job/acme/job/api"
PIPELINE = "integration"
BEGUN_MS = 1772442000000

Answer = httpx.Response


class JenkinsServer(httpx.AsyncBaseTransport):
    """`build` reports a build of a job. Items wait in the `queue` until `leave_queue`. `faults` are answers given once
    each before anything else."""

    def __init__(self) -> None:
        self.faults: list[Answer | Exception] = []
        self.requests: list[httpx.Request] = []
        self.jobs: dict[str, list[dict[str, Any]]] = {}
        self.queue: list[dict[str, Any]] = []
        self.left: dict[int, dict[str, Any]] = {}
        self.runs: list[dict[str, Any]] = []
        self.started = 0

    def build(self, job: str, result: str | None, *, sha: str = SHA) -> None:
        """The newest build of a job; `None`: it still runs."""
        builds = self.jobs.setdefault(job, [])
        revision = [{}, {"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": sha}}]
        builds.insert(0, _build(f"{FOLDER}/job/{job}", len(builds) + 1, result, revision))

    def leave_queue(self) -> None:
        """What waits becomes a build."""
        while self.queue:
            item = self.queue.pop(0)
            build = _build(f"{FOLDER}/job/{PIPELINE}", len(self.runs) + 1, None, item["actions"])
            self.runs.insert(0, build)
            self.left[item["id"]] = {"executable": {"number": build["number"], "url": build["url"]}}

    def end(self, result: str) -> None:
        """The newest run ends."""
        self.leave_queue()
        self.runs[0].update(result=result, building=False)

    async def handle_async_request(self, request: httpx.Request) -> Answer:
        """Answer one request."""
        self.requests.append(request)
        await request.aread()
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        login = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            return Answer(401, text="<html>Authentication required</html>")
        for pattern, route in ROUTES.items():
            method, _, wanted = pattern.partition(" ")
            found = re.fullmatch(wanted, request.url.path)
            if found and method == request.method:
                return route(self, request, *found.groups())
        return Answer(404, text="<html>Not Found</html>")


def _build(job: str, number: int, result: str | None, actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "number": number,
        "url": f"{URL}{job}/{number}/",
        "result": result,
        "building": result is None,
        "timestamp": BEGUN_MS,
        "actions": actions,
    }


def _folder(server: JenkinsServer, request: httpx.Request) -> Answer:
    del request
    jobs = [
        {"name": name, "url": f"{URL}{FOLDER}/job/{name}/", "builds": builds} for name, builds in server.jobs.items()
    ]
    return Answer(200, json={"name": "api", "url": f"{URL}{FOLDER}/", "jobs": jobs})


def _start(server: JenkinsServer, request: httpx.Request) -> Answer:
    given = [{"name": name, "value": value} for name, value in parse_qsl(request.content.decode())]
    server.started += 1
    server.queue.append({"id": server.started, "actions": [{}, {"parameters": given}]})
    return Answer(201, headers={"Location": f"{URL}/queue/item/{server.started}/"})


def _queue(server: JenkinsServer, request: httpx.Request) -> Answer:
    del request
    return Answer(200, json={"items": server.queue})


def _item(server: JenkinsServer, request: httpx.Request, number: str) -> Answer:
    del request
    waiting = {item["id"]: item for item in server.queue}
    found = {**server.left, **waiting}.get(int(number))
    return Answer(200, json=found) if found else Answer(404)


def _drop(server: JenkinsServer, request: httpx.Request) -> Answer:
    number = int(request.url.params["id"])
    server.queue = [item for item in server.queue if item["id"] != number]
    server.left[number] = {"cancelled": True}
    return Answer(302, headers={"Location": URL})


def _job(server: JenkinsServer, request: httpx.Request) -> Answer:
    del request
    return Answer(200, json={"builds": server.runs})


def _run(server: JenkinsServer, request: httpx.Request, number: str) -> Answer:
    del request
    found = [build for build in server.runs if build["number"] == int(number)]
    return Answer(200, json=found[0]) if found else Answer(404)


def _stop(server: JenkinsServer, request: httpx.Request, number: str) -> Answer:
    del request
    for build in server.runs:
        if build["number"] == int(number):
            build.update(result="ABORTED", building=False)
    return Answer(302, headers={"Location": URL})


ROUTES: dict[str, Callable[..., Answer]] = {
    f"GET {FOLDER}/api/json": _folder,
    f"POST {FOLDER}/job/{PIPELINE}/buildWithParameters": _start,
    f"GET {FOLDER}/job/{PIPELINE}/api/json": _job,
    rf"GET {FOLDER}/job/{PIPELINE}/(\d+)/api/json": _run,
    rf"POST {FOLDER}/job/{PIPELINE}/(\d+)/stop": _stop,
    "GET /queue/api/json": _queue,
    r"GET /queue/item/(\d+)/api/json": _item,
    "POST /queue/cancelItem": _drop,
}
