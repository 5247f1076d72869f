"""`Pipelines` over GitLab: the pipelines of a commit with their jobs, and pipelines that Sluice starts
(docs.gitlab.com/api/pipelines and docs.gitlab.com/api/jobs).

A project has one definition of its pipelines: which one is wanted is told to it by the variable `SLUICE_PIPELINE`, for
its rules to look at. The variable `SLUICE_KEY` finds a run again: the variables of a pipeline can be read.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.adapters.rest import Rest
from bot.domain.errors import UnreadableError
from bot.ports.pipelines import Check, CheckState, CommitChecks, Conclusion, Order, PipelineRun

A_PAGE = 100
MOST_PAGES = 30
MOST_PIPELINES = 30
CLOCKS = timedelta(hours=1)
"""How much the clocks of GitLab and ours may differ."""

KEY_VARIABLE, NAME_VARIABLE = "SLUICE_KEY", "SLUICE_PIPELINE"
PIPELINE = "pipeline"
"""What the pipeline itself is called among its jobs: one that ends before it has jobs has failed too."""

STATES = {
    "created": CheckState.QUEUED,
    "waiting_for_resource": CheckState.QUEUED,
    "waiting_for_callback": CheckState.QUEUED,
    "preparing": CheckState.QUEUED,
    "pending": CheckState.QUEUED,
    "scheduled": CheckState.QUEUED,
    "running": CheckState.RUNNING,
    "canceling": CheckState.RUNNING,
}
ENDS = {
    "success": Conclusion.SUCCESS,
    "failed": Conclusion.FAILURE,
    "canceled": Conclusion.CANCELLED,
    "skipped": Conclusion.CANCELLED,  # a job is skipped because one before it failed; GitHub's word means another thing
    "manual": Conclusion.ACTION_REQUIRED,
}
ALLOWED = {"failed": Conclusion.NEUTRAL, "manual": Conclusion.SKIPPED}
"""The same of a job that is allowed to fail (`allow_failure`): nobody waits for it."""


class GitLabPipelines:
    """One GitLab, opened by whoever owns `rest`, whose address ends before `/projects`."""

    def __init__(self, rest: Rest) -> None:
        self._rest, self._called = rest, rest.called

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        about = f"checks of commit {commit[:12]} in {project}"
        sha, page = await full_commit(self._rest, project, commit)
        found: list[Check] = []
        pipelines = await rows(self._rest, f"{at(project)}/pipelines", about, sha=sha)
        if len(pipelines) > MOST_PIPELINES:
            raise UnreadableError(f"{self._called} has more than {MOST_PIPELINES} pipelines; asked for {about}")
        for pipeline in pipelines:
            if pipeline.get("sha") != sha:
                raise UnreadableError(f"{self._called} sent a pipeline of another commit; asked for {about}")
            ref = str(pipeline.get("ref"))
            found.append(self._check({**pipeline, "name": PIPELINE}, ref, about))
            for kind in ("jobs", "bridges"):
                jobs = await rows(self._rest, f"{at(project)}/pipelines/{pipeline['id']}/{kind}", about)
                found += [self._check(job, ref, about) for job in jobs]
        return CommitChecks(tuple(found), f"{page}/pipelines" if page else "")

    async def look(self, project: str) -> None:
        """See `Lookable`."""
        about = f"pipelines of {project}"
        self._rest.rows(await self._rest.get(f"{at(project)}/pipelines", about, per_page="1"), about)

    async def start(self, order: Order) -> PipelineRun | None:
        """See `Pipelines`."""
        about = f"a pipeline of {order.project}"
        ref = order.ref or await self._default_branch(order.project)
        variables = {**order.inputs, NAME_VARIABLE: order.name, KEY_VARIABLE: order.key}
        body = {"ref": ref, "variables": [{"key": key, "value": value} for key, value in variables.items()]}
        told = self._rest.taken(await self._rest.post(f"{at(order.project)}/pipeline", about, body), about)
        return self._run(self._rest.is_mapping(told.json(self._called, about), about), about)

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """See `Pipelines`."""
        about = f"pipelines of {order.project} that were started by Sluice"
        after = f"{since - CLOCKS:%Y-%m-%dT%H:%M:%SZ}"
        path = f"{at(order.project)}/pipelines"
        for pipeline in await rows(self._rest, path, about, source="api", updated_after=after, sort="asc"):
            run = self._run(pipeline, about)
            variables = await rows(self._rest, f"{path}/{run.id}/variables", about)
            if any((one.get("key"), one.get("value")) == (KEY_VARIABLE, order.key) for one in variables):
                return run
        return None

    async def follow(self, order: Order, run_id: str) -> PipelineRun:
        """See `Pipelines`."""
        about = f"pipeline {run_id} of {order.project}"
        found = await self._rest.mapping(f"{at(order.project)}/pipelines/{quote(run_id, safe='')}", about)
        run = self._run(found, about)
        if run.id != run_id:
            raise UnreadableError(f"{self._called} sent pipeline {run.id}; asked for {about}")
        return run

    async def cancel(self, order: Order, run_id: str) -> None:
        """See `Pipelines`."""
        about = f"pipeline {run_id} of {order.project}"
        path = f"{at(order.project)}/pipelines/{quote(run_id, safe='')}/cancel"
        self._rest.taken(await self._rest.post(path, about), about)

    async def _default_branch(self, project: str) -> str:
        about = f"project {project}"
        branch = (await self._rest.mapping(at(project), about)).get("default_branch")
        if not isinstance(branch, str) or not branch:
            raise UnreadableError(f"{self._called} names no default branch; asked for {about}")
        return branch

    def _check(self, job: Mapping[str, Any], ref: str, about: str) -> Check:
        number, name = job.get("id"), job.get("name")
        if not isinstance(number, int) or not isinstance(name, str) or not isinstance(job.get("status"), str):
            raise UnreadableError(f"{self._called} sent a job without id, name or status; asked for {about}")
        state, ended = meaning(job["status"], allowed=job.get("allow_failure") is True)
        return Check(name, state, ended, str(job.get("web_url") or ""), ref, number, said=job["status"])

    def _run(self, pipeline: Mapping[str, Any], about: str) -> PipelineRun:
        number, status = pipeline.get("id"), pipeline.get("status")
        if not isinstance(number, int) or not isinstance(status, str):
            raise UnreadableError(f"{self._called} sent a pipeline without id or status; asked for {about}")
        return PipelineRun(str(number), *meaning(status), str(pipeline.get("web_url") or ""))


def meaning(status: str, *, allowed: bool = False) -> tuple[CheckState, Conclusion | None]:
    """What a word of GitLab means; one that is new here is never good."""
    state = STATES.get(status, CheckState.CONCLUDED)
    if state is not CheckState.CONCLUDED:
        return state, None
    return state, (ALLOWED if allowed else {}).get(status) or ENDS.get(status, Conclusion.UNKNOWN)


def at(project: str) -> str:
    """The path of a project in the API."""
    return f"/projects/{quote(project, safe='')}"


async def full_commit(rest: Rest, project: str, commit: str) -> tuple[str, str]:
    """The full id of a commit, and its page. The address takes names of branches too: they are refused."""
    about = f"commit {commit[:12]} in {project}"
    found = await rest.mapping(f"{at(project)}/repository/commits/{quote(commit, safe='')}", about)
    sha = found.get("id")
    if not isinstance(sha, str) or not sha.lower().startswith(commit.lower()):
        raise UnreadableError(f"{rest.called} sent commit {str(sha)[:12]}; asked for {about}")
    return sha, str(found.get("web_url") or "")


async def rows(rest: Rest, path: str, about: str, **params: str) -> list[dict[str, Any]]:
    """All items of a list: a page that is not full is the last one."""
    found: list[dict[str, Any]] = []
    for page in range(1, MOST_PAGES + 1):
        new = rest.rows(await rest.get(path, about, **params, per_page=str(A_PAGE), page=str(page)), about)
        found += new
        if len(new) < A_PAGE:
            return found
    raise UnreadableError(f"{rest.called} lists more than {MOST_PAGES * A_PAGE:,}; asked for {about}")
