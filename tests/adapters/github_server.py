"""A GitHub in memory that speaks the parts of its REST API that Sluice asks, as an httpx transport."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx

TOKEN = "ghp_test"
PROJECT = "acme/api"
SHA = "9f2c1e7aa01b4c5d6e7f8091a2b3c4d5e6f70819"
API = "https://api.github.com"
STARTED = "2026-03-02T09:00:00Z"

Answer = httpx.Response
Route = Callable[["GitHubServer", httpx.Request, Mapping[str, str]], Answer]


class GitHubServer(httpx.AsyncBaseTransport):
    """`check` and `status` report on commits. `faults` are answers given once each before anything else; `rewrite`
    changes every answer; `tells_runs`: the server knows `return_run_details`; `app_tokens` were given to the App."""

    def __init__(self) -> None:
        self.faults: list[Answer | Exception] = []
        self.rewrite: Callable[[httpx.Request, Answer], Answer] | None = None
        self.tells_runs: bool | None = True
        self.tokens = {TOKEN}
        self.app_tokens: list[str] = []
        self.token_ends = "2026-03-02T10:00:00Z"
        self.requests: list[httpx.Request] = []
        self.check_runs: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.commits: list[dict[str, Any]] = []
        self.files: dict[tuple[str, str], bytes] = {}
        self.commit(SHA, "Add a thing")

    # --- what happens there ---

    def commit(self, sha: str, message: str, *, login: str | None = "ann") -> None:
        """A commit on top of those before it."""
        author = {"name": "Ann", "email": "ann@acme.test"}
        self.commits.append(
            {
                "sha": sha,
                "html_url": f"https://github.com/{PROJECT}/commit/{sha}",
                "commit": {"message": message, "author": author},
                "author": {"login": login} if login else None,
            }
        )

    def check(self, name: str, conclusion: str | None, *, sha: str = SHA, suite: int = 1) -> None:
        """A new attempt of a check of Actions; `None`: it is in progress."""
        number = len(self.check_runs) + len(self.statuses) + 1
        self.check_runs.append(
            {
                "id": number,
                "name": name,
                "head_sha": sha,
                "status": "completed" if conclusion else "in_progress",
                "conclusion": conclusion,
                "started_at": STARTED,
                "html_url": f"https://github.com/{PROJECT}/runs/{number}",
                "check_suite": {"id": suite},
            }
        )

    def status(self, context: str, state: str, *, sha: str = SHA) -> None:
        """A new commit status."""
        number = len(self.check_runs) + len(self.statuses) + 1
        self.statuses.append(
            {"id": number, "context": context, "state": state, "target_url": "https://ci.test/1", "sha": sha}
        )

    def end(self, run: int, conclusion: str) -> None:
        """A workflow run ends."""
        self.runs[run].update(status="completed", conclusion=conclusion)

    # --- its API ---

    async def handle_async_request(self, request: httpx.Request) -> Answer:
        """Answer one request."""
        self.requests.append(request)
        await request.aread()
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answer(request)
        return self.rewrite(request, answer) if self.rewrite else answer

    def _answer(self, request: httpx.Request) -> Answer:
        path = request.url.path.removeprefix("/api/v3")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if path.startswith("/app/"):
            return self._installation(token)
        if token not in self.tokens:
            return Answer(401, json={"message": "Bad credentials"})
        for pattern, route in ROUTES.items():
            method, _, wanted = pattern.partition(" ")
            found = re.fullmatch(f"/repos/{PROJECT}{wanted}", path)
            if found and method == request.method:
                return route(self, request, found.groupdict())
        return Answer(404, json={"message": "Not Found"})

    def _installation(self, jwt: str) -> Answer:
        _, claims, _ = jwt.split(".")
        read = json.loads(base64.urlsafe_b64decode(claims + "=="))
        if read["exp"] - read["iat"] > 600:
            return Answer(401, json={"message": "'Expiration time' claim ('exp') is too far in the future"})
        token = f"ghs_{len(self.app_tokens) + 1}"
        self.app_tokens.append(token)
        self.tokens.add(token)
        return Answer(201, json={"token": token, "expires_at": self.token_ends})

    def _known(self, ref: str) -> str | None:
        return next((one["sha"] for one in self.commits if one["sha"].startswith(ref)), None)


def _page(request: httpx.Request, key: str, found: list[dict[str, Any]], **more: Any) -> Answer:
    size, page = int(request.url.params.get("per_page", 30)), int(request.url.params.get("page", 1))
    return Answer(200, json={"total_count": len(found), key: found[(page - 1) * size : page * size], **more})


def _check_runs(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    sha = server._known(at["ref"])
    if sha is None:
        return Answer(422, json={"message": f"No commit found for SHA: {at['ref']}"})
    newest = {(run["name"], run["check_suite"]["id"]): run for run in server.check_runs if run["head_sha"] == sha}
    return _page(request, "check_runs", [*newest.values()])


def _combined(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    sha = server._known(at["ref"])
    newest = {status["context"]: status for status in server.statuses if status["sha"] == sha}
    return _page(request, "statuses", [*newest.values()], sha=sha, state="pending")


def _repository(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    del server, request, at
    return Answer(200, json={"full_name": PROJECT, "default_branch": "main"})


def _dispatch(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    asked = json.loads(request.content)
    if at["workflow"] != "integration.yml":
        return Answer(404, json={"message": "Not Found"})
    if "undeclared" in asked["inputs"]:
        return Answer(422, json={"message": 'Unexpected inputs provided: ["undeclared"]'})
    if server.tells_runs is None and "return_run_details" in asked:
        return Answer(422, json={"message": '"return_run_details" is not a permitted key.'})
    number = 100 + len(server.runs)
    url = f"https://github.com/{PROJECT}/actions/runs/{number}"
    server.runs.append(
        {
            "id": number,
            "status": "queued",
            "conclusion": None,
            "html_url": url,
            "name": "Integration",
            "display_title": f"Integration {asked['inputs']['sluice_key']}",
            "inputs": asked["inputs"],
            "ref": asked["ref"],
        }
    )
    if server.tells_runs:
        return Answer(200, json={"workflow_run_id": number, "run_url": f"{API}/x", "html_url": url})
    return Answer(204)


def _runs(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    del at
    return _page(request, "workflow_runs", server.runs)


def _run(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    found = [run for run in server.runs if str(run["id"]) == at["run"]]
    if not found:
        return Answer(404, json={"message": "Not Found"})
    if request.method == "POST":
        if found[0]["status"] == "completed":
            return Answer(409, json={"message": "Cannot cancel a workflow run that is completed."})
        found[0].update(status="completed", conclusion="cancelled")
        return Answer(202, json={})
    return Answer(200, json=found[0])


def _commit(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    del request
    sha = server._known(at["ref"])
    found = [one for one in server.commits if one["sha"] == sha]
    return (
        Answer(200, json=found[0]) if found else Answer(422, json={"message": f"No commit found for SHA: {at['ref']}"})
    )


def _contents(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    ref, path = request.url.params["ref"], at["path"]
    if (ref, path) in server.files:
        return Answer(200, content=server.files[ref, path], headers={"Content-Type": request.headers["Accept"]})
    inside = [name for sha, name in server.files if sha == ref and name.startswith(f"{path}/")]
    if inside:
        return Answer(200, json=[{"type": "file", "path": name} for name in inside])
    return Answer(404, json={"message": "Not Found" if server._known(ref) else f"No commit found for the ref {ref}"})


def _compare(server: GitHubServer, request: httpx.Request, at: Mapping[str, str]) -> Answer:
    known = [one["sha"] for one in server.commits]
    base, head = server._known(at["base"]), server._known(at["head"])
    if base is None or head is None:
        return Answer(404, json={"message": "Not Found"})
    begin, end = known.index(base), known.index(head)
    status = "ahead" if end > begin else "behind" if end < begin else "identical"
    between = server.commits[begin + 1 : end + 1]
    size, page = int(request.url.params.get("per_page", 250)), int(request.url.params.get("page", 1))
    url = f"https://github.com/{PROJECT}/compare/{base}...{head}"
    shown = between[(page - 1) * size : page * size]
    return Answer(200, json={"status": status, "total_commits": len(between), "commits": shown, "html_url": url})


ROUTES: dict[str, Route] = {
    "GET ": _repository,
    r"GET /commits/(?P<ref>\w+)/check-runs": _check_runs,
    r"GET /commits/(?P<ref>\w+)/status": _combined,
    r"GET /commits/(?P<ref>\w+)": _commit,
    r"GET /contents/(?P<path>.+)": _contents,
    r"GET /compare/(?P<base>\w+)\.\.\.(?P<head>\w+)": _compare,
    r"POST /actions/workflows/(?P<workflow>[\w.-]+)/dispatches": _dispatch,
    r"GET /actions/workflows/(?P<workflow>[\w.-]+)/runs": _runs,
    r"GET /actions/runs/(?P<run>\d+)": _run,
    r"POST /actions/runs/(?P<run>\d+)/cancel": _run,
}
