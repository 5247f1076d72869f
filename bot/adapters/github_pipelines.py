"""`Pipelines` over GitHub: checks of commits, and workflow runs of Actions started by `workflow_dispatch`.

A dispatch answers 204 without the run's id; newer servers tell it when asked (`return_run_details`, GitHub's changelog
of 2026-02-19). Both are handled. After an answer that was lost only the key finds the run: it is sent as the input
`sluice_key`, which the workflow must declare and put into its `run-name`, because a run does not show its inputs
(docs.github.com/en/actions, "Workflow syntax", `run-name`):

    run-name: Integration ${{ inputs.sluice_key }}
    on: {workflow_dispatch: {inputs: {sluice_key: {type: string}}}}
"""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from bot.adapters.github_api import GitHubApi, at, repo
from bot.adapters.github_checks import commit_checks, conclusion_of, state_of
from bot.adapters.metrics_http import Told
from bot.adapters.rest import message
from bot.domain.errors import RefusedError, UnreadableError
from bot.ports.pipelines import CheckState, CommitChecks, Order, PipelineRun

KEY_INPUT = "sluice_key"
CLOCKS = timedelta(hours=1)
"""How much the clocks of GitHub and ours may differ."""


class GitHubPipelines:
    """One GitHub, opened by whoever owns `api`."""

    def __init__(self, api: GitHubApi) -> None:
        self._api, self._rest = api, api.rest

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        return await commit_checks(self._api, project, commit)

    async def look(self, project: str) -> None:
        """See `Lookable`. The newest commit of the default branch stands for all: the rights are the same."""
        about = f"repository {project}"
        branch = at((await self._rest.mapping(repo(project), about)).get("default_branch"))
        for what in ("check-runs", "status"):
            path = f"{repo(project)}/commits/{quote(branch, safe='')}/{what}"
            await self._rest.mapping(path, f"{what} of {project}", per_page="1")

    async def start(self, order: Order) -> PipelineRun | None:
        """See `Pipelines`."""
        about = f"workflow {order.name} of {order.project}"
        ref = order.ref or await self._default_branch(order.project)
        body: dict[str, Any] = {"ref": ref, "inputs": {**order.inputs, KEY_INPUT: order.key}}
        told = await self._dispatch(order, about, {**body, "return_run_details": True})
        if told.status == httpx.codes.UNPROCESSABLE_ENTITY and "return_run_details" in told.text:
            # An older server does not know that member, and has started nothing.
            told = await self._dispatch(order, about, body)
        if told.status == httpx.codes.UNPROCESSABLE_ENTITY:
            raise RefusedError(
                f"{self._api.called} does not start {about} on {ref} ({message(told)}); it must have the trigger "
                f"'workflow_dispatch' there, and declare its inputs and '{KEY_INPUT}'"
            )
        self._rest.taken(told, about)
        if told.status == httpx.codes.NO_CONTENT or not told.body:
            return None
        found = self._rest.is_mapping(told.json(self._api.called, about), about)
        number = found.get("workflow_run_id")
        if not isinstance(number, int):
            return None
        return PipelineRun(str(number), CheckState.QUEUED, url=at(found.get("html_url")))

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """See `Pipelines`."""
        about = f"runs of workflow {order.name} of {order.project}"
        path = f"{_workflow(order)}/runs"
        after = f">={since - CLOCKS:%Y-%m-%dT%H:%M:%SZ}"
        _, found = await self._api.counted(path, about, "workflow_runs", event="workflow_dispatch", created=after)
        key = re.compile(rf"(?<![\w.-]){re.escape(order.key)}(?![\w.-])")
        ours = [run for run in found if key.search(at(run.get("display_title"))) or key.search(at(run.get("name")))]
        return min((self._run(run, about) for run in ours), key=lambda run: int(run.id), default=None)

    async def follow(self, order: Order, run_id: str) -> PipelineRun:
        """See `Pipelines`."""
        about = f"run {run_id} of workflow {order.name} of {order.project}"
        found = await self._rest.mapping(f"{repo(order.project)}/actions/runs/{quote(run_id, safe='')}", about)
        run = self._run(found, about)
        if run.id != run_id:
            raise UnreadableError(f"{self._api.called} sent run {run.id}; asked for {about}")
        return run

    async def cancel(self, order: Order, run_id: str) -> None:
        """See `Pipelines`."""
        about = f"run {run_id} of workflow {order.name} of {order.project}"
        told = await self._rest.post(f"{repo(order.project)}/actions/runs/{quote(run_id, safe='')}/cancel", about)
        if told.status != httpx.codes.CONFLICT:  # 409: it has ended already
            self._rest.taken(told, about)

    async def _dispatch(self, order: Order, about: str, body: dict[str, Any]) -> Told:
        return await self._rest.post(f"{_workflow(order)}/dispatches", about, body)

    async def _default_branch(self, project: str) -> str:
        about = f"repository {project}"
        branch = at((await self._rest.mapping(repo(project), about)).get("default_branch"))
        if not branch:
            raise UnreadableError(f"{self._api.called} names no default branch; asked for {about}")
        return branch

    def _run(self, found: dict[str, Any], about: str) -> PipelineRun:
        number, status = found.get("id"), found.get("status")
        if not isinstance(number, int) or not at(status):
            raise UnreadableError(f"{self._api.called} sent a run without id or status; asked for {about}")
        state = state_of(status)
        ended = conclusion_of(found.get("conclusion")) if state is CheckState.CONCLUDED else None
        return PipelineRun(str(number), state, ended, at(found.get("html_url")))


def _workflow(order: Order) -> str:
    return f"{repo(order.project)}/actions/workflows/{quote(order.name, safe='')}"
