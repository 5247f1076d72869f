"""A repository of the sandbox's GitHub: what happens there, and the rows that its API shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.ports.clock import Clock
from bot.sandbox.github.history import Author, Commit, History

Row = dict[str, Any]

FIRST_RUN = 100
QUEUED = timedelta(seconds=2)
"""So long a run waits for a runner."""

KEY = "sluice_key"
ANN = Author()


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that may be dispatched. `inputs` are those it declares, `None`: any. Its runs end after `takes` with
    `conclusion`; without `takes` they run until somebody ends them. `title` begins the names of its runs, which end
    with the input `sluice_key`."""

    file: str
    title: str = "Integration"
    inputs: frozenset[str] | None = None
    takes: timedelta | None = None
    conclusion: str = "success"


class Repository:
    """`project` is `owner/name`, `web` where people would see it. Rows are as the REST API shows them."""

    def __init__(self, clock: Clock, project: str, web: str = "https://github.com") -> None:
        self._clock, self.project, self.pages = clock, project, f"{web}/{project}"
        self.history = History()
        self.workflows: dict[str, Workflow] = {}
        self.check_runs: list[Row] = []
        self.statuses: list[Row] = []
        self.runs: list[Row] = []

    def commit(
        self,
        message: str,
        *,
        sha: str = "",
        author: Author = ANN,
        files: Mapping[str, bytes] | None = None,
        branch: str = "",
        tag: str = "",
    ) -> str:
        """A commit on top of a branch (without one: the default branch; a new branch begins at its tip), with these
        files new or changed; its id, which may be given. Raises KeyError for nothing."""
        history = self.history
        branch = branch or history.default_branch
        parent = history.branches.get(branch, history.branches.get(history.default_branch))
        made = sha or history.next_sha(message, parent)
        tree = {**history.files_of(parent), **(files or {})}
        history.add(Commit(made, message, author, self._clock.now(), parent, tree), branch)
        if tag:
            history.tags[tag] = made
        return made

    def check(self, sha: str, name: str, conclusion: str | None, *, suite: int = 1) -> None:
        """A new attempt of a check of Actions, in a workflow run of that number; `None`: it is in progress."""
        number, now = self._next_report(), _written(self._clock.now())
        self.check_runs.append(
            {
                "id": number,
                "name": name,
                "head_sha": sha,
                "status": "completed" if conclusion else "in_progress",
                "conclusion": conclusion,
                "started_at": now,
                "completed_at": now if conclusion else None,
                "html_url": f"{self.pages}/runs/{number}",
                "check_suite": {"id": suite},
            }
        )

    def status(self, sha: str, context: str, state: str, *, url: str = "https://ci.test/1") -> None:
        """A new commit status."""
        written = {"context": context, "state": state, "target_url": url, "created_at": _written(self._clock.now())}
        self.statuses.append({"id": self._next_report(), "sha": sha, **written})

    def workflow(self, workflow: Workflow) -> None:
        """A workflow that may be dispatched from now on."""
        self.workflows[workflow.file] = workflow

    def dispatch(self, workflow: Workflow, ref: str, inputs: Mapping[str, str]) -> Row:
        """A new run."""
        number = FIRST_RUN + len(self.runs)
        run = {
            "id": number,
            "path": f".github/workflows/{workflow.file}",
            "event": "workflow_dispatch",
            "status": "queued",
            "conclusion": None,
            "created_at": _written(self._clock.now()),
            "html_url": f"{self.pages}/actions/runs/{number}",
            "name": workflow.title,
            "display_title": f"{workflow.title} {inputs.get(KEY, '')}".strip(),
            "inputs": dict(inputs),
            "head_branch": ref,
            "ref": ref,
        }
        self.runs.append(run)
        return run

    def end(self, run: Row, conclusion: str) -> None:
        """A run ends now."""
        run.update(status="completed", conclusion=conclusion)

    def progress(self) -> None:
        """Every run is as far as its time says."""
        for run in self.runs:
            workflow = self.workflows.get(run["path"].rpartition("/")[2])
            if run["status"] == "completed" or workflow is None or workflow.takes is None:
                continue
            since = self._clock.now() - datetime.fromisoformat(run["created_at"])
            if since >= workflow.takes:
                self.end(run, workflow.conclusion)
            elif since >= min(QUEUED, workflow.takes):
                run["status"] = "in_progress"

    def row(self, commit: Commit) -> Row:
        """A commit as the API shows it."""
        author = {"name": commit.author.name, "email": commit.author.email, "date": _written(commit.at)}
        return {
            "sha": commit.sha,
            "html_url": f"{self.pages}/commit/{commit.sha}",
            "commit": {"message": commit.message, "author": author, "committer": author},
            "author": {"login": commit.author.login} if commit.author.login else None,
            "parents": [{"sha": commit.parent}] if commit.parent else [],
        }

    def _next_report(self) -> int:
        return len(self.check_runs) + len(self.statuses) + 1


def _written(moment: datetime) -> str:
    """A time as GitHub writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
