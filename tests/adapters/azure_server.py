"""An Azure DevOps in memory that speaks the parts of its REST API that Sluice asks, as an httpx transport."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import httpx

TOKEN = "pat-test"
URL = "https://dev.azure.com/acme"
PROJECT = "api"
SHA = "9f2c1e7aa01b4c5d6e7f8091a2b3c4d5e6f70819"
PIPELINE = "integration"
HOME = f"/acme/{PROJECT}/_apis/build"

Answer = httpx.Response


class AzureServer(httpx.AsyncBaseTransport):
    """`build` reports a build of a pipeline. `faults` are answers given once each before anything else."""

    def __init__(self) -> None:
        self.faults: list[Answer | Exception] = []
        self.requests: list[httpx.Request] = []
        self.definitions = {PIPELINE: 7}
        self.builds: list[dict[str, Any]] = []

    def build(self, pipeline: str, result: str | None, *, sha: str = SHA, **more: Any) -> None:
        """The newest build of a pipeline; `None`: it still runs."""
        number = len(self.builds) + 1
        definition = {"name": pipeline, "id": self.definitions.setdefault(pipeline, 10 + number)}
        self.builds.insert(
            0,
            {
                "id": number,
                "status": "completed" if result else "inProgress",
                "result": result,
                "sourceVersion": sha,
                "definition": definition,
                "_links": {"web": {"href": f"{URL}/{PROJECT}/_build/results?buildId={number}"}},
                **more,
            },
        )

    def ours(self) -> list[dict[str, Any]]:
        """The builds that Sluice started."""
        return [build for build in self.builds if "templateParameters" in build]

    async def handle_async_request(self, request: httpx.Request) -> Answer:
        """Answer one request."""
        self.requests.append(request)
        await request.aread()
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        login = base64.b64encode(f":{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            return Answer(203, text="<html>Sign In</html>")
        for pattern, route in ROUTES.items():
            method, _, wanted = pattern.partition(" ")
            found = re.fullmatch(HOME + wanted, request.url.path)
            if found and method == request.method and request.url.params.get("api-version") == "7.1":
                return route(self, request, *found.groups())
        return Answer(404, json={"message": "TF200016: The following project does not exist"})


def _list(server: AzureServer, request: httpx.Request) -> Answer:
    asked = request.url.params
    wanted = asked.get("definitions")
    found = [one for one in server.builds if wanted in (None, str(one["definition"]["id"]))]
    begin, size = int(asked.get("continuationToken", 0)), int(asked["$top"])
    rest = {"x-ms-continuationtoken": str(begin + size)} if len(found) > begin + size else {}
    return Answer(200, json={"count": size, "value": found[begin : begin + size]}, headers=rest)


def _definitions(server: AzureServer, request: httpx.Request) -> Answer:
    found = [{"name": name, "id": number} for name, number in server.definitions.items()]
    return Answer(200, json={"value": [one for one in found if one["name"] == request.url.params["name"]]})


def _queue(server: AzureServer, request: httpx.Request) -> Answer:
    asked = json.loads(request.content)
    (name,) = (name for name, number in server.definitions.items() if number == asked["definition"]["id"])
    given = {"templateParameters": asked["templateParameters"], "sourceBranch": asked.get("sourceBranch")}
    server.build(name, None, sha="f" * 40, **given)
    server.builds[0]["status"] = "notStarted"
    return Answer(200, json=server.builds[0])


def _get(server: AzureServer, request: httpx.Request, number: str) -> Answer:
    found = [build for build in server.builds if build["id"] == int(number)]
    if found and request.method == "PATCH":
        found[0].update(status="completed", result="canceled")
    return Answer(200, json=found[0]) if found else Answer(404, json={"message": "no such build"})


ROUTES: dict[str, Callable[..., Answer]] = {
    "GET /builds": _list,
    "POST /builds": _queue,
    "GET /definitions": _definitions,
    r"GET /builds/(\d+)": _get,
    r"PATCH /builds/(\d+)": _get,
}
