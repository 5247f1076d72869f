"""`Pipelines` over Jenkins: the builds of a commit in a job or in the jobs of a folder, and builds that Sluice starts
(www.jenkins.io/doc/book/using/remote-access-api).

`project` is the path of a job or of a folder, a multibranch project included; the checks are its jobs, by their names.
A job must have the parameter `SLUICE_KEY`: Jenkins drops what a job does not declare. `buildWithParameters` answers
with the address of an item in the queue, which becomes a build and is forgotten some minutes later; the key finds both.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

import httpx

from bot.adapters.rest import Rest
from bot.domain.errors import NotFoundError, UnreadableError
from bot.ports.pipelines import Check, CheckState, CommitChecks, Conclusion, Order, PipelineRun

KEY_PARAMETER = "SLUICE_KEY"
SEEN_BUILDS = 100
"""The newest builds of a job; older ones are not found."""

BUILDS = f"builds[number,url,result,building,timestamp,actions[lastBuiltRevision[SHA1]]]{{0,{SEEN_BUILDS}}}"
KEYED = f"builds[number,url,result,building,timestamp,actions[parameters[name,value]]]{{0,{SEEN_BUILDS}}}"
ENDS = {
    "SUCCESS": Conclusion.SUCCESS,
    "UNSTABLE": Conclusion.FAILURE,  # its tests failed
    "FAILURE": Conclusion.FAILURE,
    "ABORTED": Conclusion.CANCELLED,
    "NOT_BUILT": Conclusion.CANCELLED,  # an earlier stage kept it from being built
}
CLOCKS = timedelta(hours=1)
ITEM = re.compile(r"/queue/item/(\d+)/?$")
QUEUED, BUILT = "queue-", "build-"


class JenkinsPipelines:
    """One Jenkins, opened by whoever owns `rest`."""

    def __init__(self, rest: Rest) -> None:
        self._rest, self._called = rest, rest.called

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        about = f"builds of commit {commit[:12]} in {project}"
        tree = f"name,url,{BUILDS},jobs[name,url,{BUILDS}]"
        found = await self._rest.mapping(f"{at(project)}/api/json", about, tree=tree)
        jobs = [found, *self._rest.rows(found.get("jobs", []), about)]
        checks = [self._check(job, build, about) for job in jobs for build in self._of(job, commit, about)]
        return CommitChecks(tuple(checks), str(found.get("url") or ""))

    async def look(self, project: str) -> None:
        """See `Lookable`."""
        await self._rest.mapping(f"{at(project)}/api/json", f"job or folder {project}", tree="name,url")

    async def start(self, order: Order) -> PipelineRun | None:
        """See `Pipelines`. The branch goes along as the parameter `ref`."""
        about = f"job {order.name} in {order.project}"
        ref = {"ref": order.ref} if order.ref else {}
        form = {**order.inputs, **ref, KEY_PARAMETER: order.key}
        told = await self._rest.post(f"{_job(order)}/buildWithParameters", about, form=form)
        item = ITEM.search(self._rest.taken(told, about).headers.get("Location", ""))
        return PipelineRun(f"{QUEUED}{item[1]}", CheckState.QUEUED) if item else None

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """See `Pipelines`. The queue is read first: an item that leaves it meanwhile is a build then."""
        about = f"builds of job {order.name} in {order.project}"
        tree = "items[id,actions[parameters[name,value]]]"
        queue = await self._rest.mapping("/queue/api/json", "the build queue", tree=tree)
        items = [one for one in self._rest.rows(queue.get("items"), "the build queue") if _keyed(one, order.key)]
        job = await self._rest.mapping(f"{_job(order)}/api/json", about, tree=KEYED)
        after_ms = (since - CLOCKS).timestamp() * 1000
        builds = [one for one in self._rest.rows(job.get("builds"), about) if _keyed(one, order.key)]
        ours = [self._run(one, about) for one in builds if float(one.get("timestamp") or 0) >= after_ms]
        if ours:
            return ours[-1]
        return next((PipelineRun(f"{QUEUED}{one.get('id')}", CheckState.QUEUED) for one in items), None)

    async def follow(self, order: Order, run_id: str) -> PipelineRun:
        """See `Pipelines`."""
        about = f"{run_id} of job {order.name} in {order.project}"
        if run_id.startswith(QUEUED):
            return await self._of_queue(order, run_id)
        number = quote(run_id.removeprefix(BUILT), safe="")
        found = await self._rest.mapping(f"{_job(order)}/{number}/api/json", about, tree="number,url,result,building")
        run = self._run(found, about)
        if run.id != run_id:
            raise UnreadableError(f"{self._called} sent {run.id}; asked for {about}")
        return run

    async def cancel(self, order: Order, run_id: str) -> None:
        """See `Pipelines`. Jenkins answers with a redirect to a page, and for an item that is gone with 404."""
        about = f"{run_id} of job {order.name} in {order.project}"
        run = await self.follow(order, run_id)
        if run.state is CheckState.CONCLUDED:
            return
        number = quote(run.id.removeprefix(QUEUED).removeprefix(BUILT), safe="")
        waits = run.id.startswith(QUEUED)
        told = await self._rest.post(
            f"/queue/cancelItem?id={number}" if waits else f"{_job(order)}/{number}/stop", about
        )
        if not httpx.codes.is_redirect(told.status) and not (waits and told.status == httpx.codes.NOT_FOUND):
            self._rest.taken(told, about)

    async def _of_queue(self, order: Order, run_id: str) -> PipelineRun:
        about = f"{run_id} of job {order.name} in {order.project}"
        path = f"/queue/item/{quote(run_id.removeprefix(QUEUED), safe='')}/api/json"
        try:
            item = await self._rest.mapping(path, about, tree="cancelled,executable[number,url]")
        except NotFoundError:
            # Forgotten, as items are soon after they left the queue.
            found = await self.find(order, datetime.fromtimestamp(0, UTC) + CLOCKS)
            if found is None or found.id == run_id:
                raise
            return found
        built = item.get("executable")
        if isinstance(built, Mapping) and isinstance(built.get("number"), int):
            return await self.follow(order, f"{BUILT}{built['number']}")
        if item.get("cancelled") is True:
            return PipelineRun(run_id, CheckState.CONCLUDED, Conclusion.CANCELLED)
        return PipelineRun(run_id, CheckState.QUEUED)

    def _of(self, job: Mapping[str, Any], commit: str, about: str) -> Iterator[Mapping[str, Any]]:
        """The builds of a job that checked out the commit."""
        for build in self._rest.rows(job.get("builds") or [], about):
            revisions = [_member(action, "lastBuiltRevision", "SHA1") for action in build.get("actions") or ()]
            if any(isinstance(sha, str) and sha.lower().startswith(commit.lower()) for sha in revisions):
                yield build

    def _check(self, job: Mapping[str, Any], build: Mapping[str, Any], about: str) -> Check:
        name = job.get("name")
        if not isinstance(name, str) or not name:
            raise UnreadableError(f"{self._called} sent a job without a name; asked for {about}")
        run = self._run(build, about)
        said = str(build.get("result") or "")
        return Check(unquote(name), run.state, run.conclusion, run.url, "", int(build["number"]), said=said)

    def _run(self, build: Mapping[str, Any], about: str) -> PipelineRun:
        number, building, result = build.get("number"), build.get("building"), build.get("result")
        if not isinstance(number, int) or not isinstance(building, bool):
            raise UnreadableError(f"{self._called} sent a build without number or state; asked for {about}")
        # A build that is about to end has its result already.
        state = CheckState.RUNNING if building else CheckState.CONCLUDED
        ended = None if building else ENDS.get(str(result), Conclusion.UNKNOWN)
        return PipelineRun(f"{BUILT}{number}", state, ended, str(build.get("url") or ""))


def at(project: str) -> str:
    """The path of a job or a folder."""
    return "".join(f"/job/{quote(part, safe='')}" for part in project.split("/"))


def _job(order: Order) -> str:
    return at(f"{order.project}/{order.name}")


def _keyed(one: Mapping[str, Any], key: str) -> bool:
    given = [
        parameter
        for action in one.get("actions") or ()
        if isinstance(action, Mapping)
        for parameter in action.get("parameters") or ()
    ]
    return any((_member(one, "name"), _member(one, "value")) == (KEY_PARAMETER, key) for one in given)


def _member(found: object, *names: str) -> object:
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
