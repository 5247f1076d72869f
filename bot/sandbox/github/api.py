"""The REST API of GitHub (docs.github.com/en/rest), as far as releases need it: a request gives an answer, without a
server. Who may ask is not looked at here."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from bot.sandbox.github.history import Commit
from bot.sandbox.github.repository import Repository, Row

RAW = "application/vnd.github.raw"
JSON = "application/json; charset=utf-8"
MOST_ON_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `path` is from `/repos` on, decoded; `tells_runs` is whether this GitHub knows `return_run_details`
    (`None`: it refuses it, as older ones do; `False`: it takes no notice)."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = JSON
    body: bytes = b""
    tells_runs: bool | None = True


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = JSON


Route = Callable[[Repository, Asked, Mapping[str, str]], Reply]


def answered(repositories: Mapping[str, Repository], asked: Asked) -> Reply:
    """The answer to a request; 404 for what is not there, and for what this GitHub does not know."""
    for (method, pattern), route in ROUTES.items():
        found = re.fullmatch(rf"/repos/(?P<project>[^/]+/[^/]+){pattern}", asked.path)
        if method == asked.method and found and found["project"] in repositories:
            repository = repositories[found["project"]]
            repository.progress()
            return route(repository, asked, found.groupdict())
    return _said(HTTPStatus.NOT_FOUND, "Not Found")


def _repository(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    del asked, at
    return _json({"full_name": repository.project, "default_branch": repository.history.default_branch})


def _check_runs(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    commit = repository.history.find(at["ref"])
    if commit is None:
        return _no_commit(at["ref"])
    of_commit = [run for run in repository.check_runs if run["head_sha"] == commit.sha]
    newest = {(run["name"], run["check_suite"]["id"]): run for run in of_commit}
    return _page(asked, "check_runs", of_commit if asked.query.get("filter") == "all" else [*newest.values()])


def _combined(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    commit = repository.history.find(at["ref"])
    if commit is None:
        return _no_commit(at["ref"])
    newest = {status["context"]: status for status in repository.statuses if status["sha"] == commit.sha}
    states = {status["state"] for status in newest.values()}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    return _page(asked, "statuses", [*newest.values()], sha=commit.sha, state=state)


def _commit(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    del asked
    commit = repository.history.find(at["ref"])
    return _json(repository.row(commit)) if commit else _no_commit(at["ref"])


def _contents(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    ref, path = asked.query.get("ref", repository.history.default_branch), at["path"]
    commit = repository.history.find(ref)
    if commit is None:
        return _said(HTTPStatus.NOT_FOUND, f"No commit found for the ref {ref}")
    if path not in commit.files:
        return _folder(commit, path)
    content = commit.files[path]
    if asked.accept.startswith(RAW):
        return Reply(HTTPStatus.OK, content, f"{RAW}+json; charset=utf-8")
    encoded = base64.encodebytes(content).decode()
    return _json({"type": "file", "path": path, "size": len(content), "encoding": "base64", "content": encoded})


def _folder(commit: Commit, path: str) -> Reply:
    """What is right inside a folder, whatever was accepted: a folder has no raw form."""
    inside = [name.removeprefix(f"{path}/") for name in commit.files if name.startswith(f"{path}/")]
    if not inside:
        return _said(HTTPStatus.NOT_FOUND, "Not Found")
    kinds = {name.partition("/")[0]: "dir" if "/" in name else "file" for name in sorted(inside)}
    return _json([{"type": kind, "name": name, "path": f"{path}/{name}"} for name, kind in kinds.items()])


def _compare(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    history = repository.history
    base, head = history.find(at["base"]), history.find(at["head"])
    if base is None or head is None:
        return _said(HTTPStatus.NOT_FOUND, "Not Found")
    ahead, behind = history.between(base, head), history.between(head, base)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    told = {
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [repository.row(one) for one in _of_page(asked, ahead)],
        "html_url": f"{repository.pages}/compare/{base.sha}...{head.sha}",
    }
    return _json(told)


def _dispatch(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    workflow = repository.workflows.get(at["workflow"])
    if workflow is None:
        return _said(HTTPStatus.NOT_FOUND, "Not Found")
    try:
        wanted = json.loads(asked.body)
        ref, inputs = wanted["ref"], dict(wanted.get("inputs") or {})
    except (ValueError, TypeError, KeyError):
        return _said(HTTPStatus.BAD_REQUEST, "Problems parsing JSON")
    if asked.tells_runs is None and "return_run_details" in wanted:
        return _said(HTTPStatus.UNPROCESSABLE_ENTITY, '"return_run_details" is not a permitted key.')
    if not repository.history.has_ref(ref):
        return _said(HTTPStatus.UNPROCESSABLE_ENTITY, f"No ref found for: {ref}")
    strange = [name for name in inputs if workflow.inputs is not None and name not in workflow.inputs]
    if strange:
        return _said(HTTPStatus.UNPROCESSABLE_ENTITY, f"Unexpected inputs provided: {json.dumps(strange)}")
    run = repository.dispatch(workflow, ref, inputs)
    if not (asked.tells_runs and wanted.get("return_run_details")):
        return Reply(HTTPStatus.NO_CONTENT)
    return _json({"workflow_run_id": run["id"], "run_url": run["html_url"], "html_url": run["html_url"]})


def _runs(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    """Newest first. Of the forms of `created`, only `>=TIME` is known here."""
    since = asked.query.get("created", "").removeprefix(">=")
    try:
        begin = datetime.fromisoformat(since) if since else None
    except ValueError:
        return _said(HTTPStatus.UNPROCESSABLE_ENTITY, f"'{since}' is not a time that this GitHub knows")
    found = [
        run
        for run in reversed(repository.runs)
        if run["path"].endswith(f"/{at['workflow']}")
        and run["event"] == asked.query.get("event", run["event"])
        and (begin is None or datetime.fromisoformat(run["created_at"]) >= begin)
    ]
    return _page(asked, "workflow_runs", found)


def _run(repository: Repository, asked: Asked, at: Mapping[str, str]) -> Reply:
    found = [run for run in repository.runs if str(run["id"]) == at["run"]]
    if not found:
        return _said(HTTPStatus.NOT_FOUND, "Not Found")
    if asked.method == "GET":
        return _json(found[0])
    if found[0]["status"] == "completed":
        return _said(HTTPStatus.CONFLICT, "Cannot cancel a workflow run that is completed.")
    repository.end(found[0], "cancelled")
    return Reply(HTTPStatus.ACCEPTED, b"{}")


def _of_page(asked: Asked, found: list[Any]) -> list[Any]:
    size, page = (int(written) if written.isdigit() and int(written) else usual for written, usual in _paging(asked))
    size = min(size, MOST_ON_A_PAGE)
    return found[(page - 1) * size : page * size]


def _paging(asked: Asked) -> tuple[tuple[str, int], tuple[str, int]]:
    return (asked.query.get("per_page", ""), 30), (asked.query.get("page", ""), 1)


def _page(asked: Asked, key: str, found: list[Row], **more: Any) -> Reply:
    return _json({"total_count": len(found), key: _of_page(asked, found), **more})


def _json(body: Any) -> Reply:
    return Reply(HTTPStatus.OK, json.dumps(body).encode())


def _said(status: HTTPStatus, message: str) -> Reply:
    return Reply(status, json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest"}).encode())


def _no_commit(ref: str) -> Reply:
    return _said(HTTPStatus.UNPROCESSABLE_ENTITY, f"No commit found for SHA: {ref}")


ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", ""): _repository,
    ("GET", r"/commits/(?P<ref>.+)/check-runs"): _check_runs,
    ("GET", r"/commits/(?P<ref>.+)/status"): _combined,
    ("GET", r"/commits/(?P<ref>.+)"): _commit,
    ("GET", r"/contents/(?P<path>.+)"): _contents,
    ("GET", r"/compare/(?P<base>.+)\.\.\.(?P<head>.+)"): _compare,
    ("POST", r"/actions/workflows/(?P<workflow>[\w.-]+)/dispatches"): _dispatch,
    ("GET", r"/actions/workflows/(?P<workflow>[\w.-]+)/runs"): _runs,
    ("GET", r"/actions/runs/(?P<run>\d+)"): _run,
    ("POST", r"/actions/runs/(?P<run>\d+)/cancel"): _run,
}
