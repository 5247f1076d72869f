"""`Pipelines` over Azure DevOps: the builds of a commit, and builds that Sluice starts
(learn.microsoft.com/rest/api/azure/devops/build/builds).

`project` is a project of the organization; the checks are its pipelines, by their names. A pipeline that Sluice starts
must have the runtime parameter `sluice_key`: it finds the build again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.adapters.rest import Rest
from bot.domain.errors import NotFoundError, UnreadableError
from bot.ports.pipelines import Check, CheckState, CommitChecks, Conclusion, Order, PipelineRun

VERSION = "7.1"
KEY_PARAMETER = "sluice_key"
A_PAGE = 200
MOST_PAGES = 10
"""Builds cannot be asked for by commit: the newest 2,000 of the project are looked at."""

CLOCKS = timedelta(hours=1)
STATES = {
    "completed": CheckState.CONCLUDED,
    "notStarted": CheckState.QUEUED,
    "postponed": CheckState.QUEUED,
    "none": CheckState.QUEUED,
}
ENDS = {
    "succeeded": Conclusion.SUCCESS,
    "partiallySucceeded": Conclusion.FAILURE,
    "failed": Conclusion.FAILURE,
    "canceled": Conclusion.CANCELLED,
}


class AzurePipelines:
    """One organization, opened by whoever owns `rest`."""

    def __init__(self, rest: Rest) -> None:
        self._rest, self._called = rest, rest.called

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        about = f"builds of commit {commit[:12]} in {project}"
        found = await self._builds(project, about)
        ours = [one for one in found if str(one.get("sourceVersion") or "").lower().startswith(commit.lower())]
        return CommitChecks(tuple(self._check(one, about) for one in ours), _page(ours))

    async def look(self, project: str) -> None:
        """See `Lookable`."""
        about = f"builds of {project}"
        await self._rest.mapping(f"{at(project)}/builds", about, **{"api-version": VERSION, "$top": "1"})

    async def start(self, order: Order) -> PipelineRun | None:
        """See `Pipelines`. The branch is written as in `release` or `refs/tags/v1`."""
        about = f"pipeline {order.name} of {order.project}"
        body: dict[str, Any] = {
            "definition": {"id": await self._definition(order)},
            "templateParameters": {**order.inputs, KEY_PARAMETER: order.key},
        }
        if order.ref:
            body["sourceBranch"] = order.ref if order.ref.startswith("refs/") else f"refs/heads/{order.ref}"
        path = f"{at(order.project)}/builds?api-version={VERSION}"
        told = self._rest.taken(await self._rest.post(path, about, body), about)
        return self._run(self._rest.is_mapping(told.json(self._called, about), about), about)

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """See `Pipelines`."""
        about = f"builds of pipeline {order.name} of {order.project}"
        number, after = str(await self._definition(order)), f"{since - CLOCKS:%Y-%m-%dT%H:%M:%SZ}"
        found = await self._builds(order.project, about, definitions=number, minTime=after)
        ours = [one for one in found if (one.get("templateParameters") or {}).get(KEY_PARAMETER) == order.key]
        return min((self._run(one, about) for one in ours), key=lambda run: int(run.id), default=None)

    async def follow(self, order: Order, run_id: str) -> PipelineRun:
        """See `Pipelines`."""
        about = f"build {run_id} of {order.project}"
        path = f"{at(order.project)}/builds/{quote(run_id, safe='')}"
        run = self._run(await self._rest.mapping(path, about, **{"api-version": VERSION}), about)
        if run.id != run_id:
            raise UnreadableError(f"{self._called} sent build {run.id}; asked for {about}")
        return run

    async def cancel(self, order: Order, run_id: str) -> None:
        """See `Pipelines`."""
        about = f"build {run_id} of {order.project}"
        if (await self.follow(order, run_id)).state is CheckState.CONCLUDED:
            return
        path = f"{at(order.project)}/builds/{quote(run_id, safe='')}?api-version={VERSION}"
        self._rest.taken(await self._rest.send("PATCH", path, about, {"status": "cancelling"}), about)

    async def _definition(self, order: Order) -> int:
        about = f"pipeline {order.name} of {order.project}"
        asked = {"api-version": VERSION, "name": order.name}
        found = await self._rest.mapping(f"{at(order.project)}/definitions", about, **asked)
        for one in self._rest.rows(found.get("value"), about):
            if one.get("name") == order.name and isinstance(one.get("id"), int):
                return int(one["id"])
        raise NotFoundError(f"{self._called} has no {about}")

    async def _builds(self, project: str, about: str, **asked: str) -> list[dict[str, Any]]:
        """The newest builds, from all pages that there are."""
        found: list[dict[str, Any]] = []
        more = {"api-version": VERSION, "$top": str(A_PAGE), "queryOrder": "queueTimeDescending", **asked}
        for _ in range(MOST_PAGES):
            told = await self._rest.fetched(f"{at(project)}/builds", about, **more)
            envelope = self._rest.is_mapping(told.json(self._called, about), about)
            found += self._rest.rows(envelope.get("value"), about)
            token = told.headers.get("x-ms-continuationtoken")
            if not token:
                break
            more["continuationToken"] = token
        return found

    def _check(self, build: Mapping[str, Any], about: str) -> Check:
        definition = build.get("definition")
        if not isinstance(definition, Mapping) or not isinstance(definition.get("name"), str):
            raise UnreadableError(f"{self._called} sent a build without a pipeline; asked for {about}")
        run, said = self._run(build, about), str(build.get("result") or "")
        return Check(
            definition["name"], run.state, run.conclusion, run.url, str(definition.get("id")), int(run.id), said=said
        )

    def _run(self, build: Mapping[str, Any], about: str) -> PipelineRun:
        number, status = build.get("id"), build.get("status")
        if not isinstance(number, int) or not isinstance(status, str):
            raise UnreadableError(f"{self._called} sent a build without id or status; asked for {about}")
        state = STATES.get(status, CheckState.RUNNING)
        ended = ENDS.get(str(build.get("result")), Conclusion.UNKNOWN) if state is CheckState.CONCLUDED else None
        return PipelineRun(str(number), state, ended, _page([build]))


def at(project: str) -> str:
    """The path of a project's builds."""
    return f"/{quote(project, safe='')}/_apis/build"


def _page(builds: list[Any]) -> str:
    """Where a person sees the first of the builds."""
    found: object = builds[0] if builds else None
    for name in ("_links", "web", "href"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
