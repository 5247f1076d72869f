"""The CI servers of a rehearsal: whatever pipeline is started runs for a while and ends well; commits, their checks and
their files are those of the sandbox's GitHub, whatever server the catalogue names."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.adapters.ci_servers import CiServer, OpenCiServers
from bot.adapters.github_api import GitHubApi, GitHubServer
from bot.adapters.github_commits import GitHubCommits
from bot.adapters.github_files import GitHubFiles
from bot.adapters.github_pipelines import GitHubPipelines
from bot.domain.errors import NotFoundError
from bot.ports.clock import Clock
from bot.ports.commits import Comparison
from bot.ports.pipelines import CheckState, CommitChecks, Conclusion, Order, PipelineRun
from bot.sandbox.github.server import TOKEN
from runbooks.ci_servers import CiEntry

TAKES = timedelta(seconds=30)
PAGES = "https://ci.example"
TOKEN_FILE = "github-token"
NO_NAME = re.compile(r"[^\w.-]+")
"""What GitHub's names of repositories do not have, and those of other servers may."""


def project_of(project: str) -> str:
    """Where the sandbox's GitHub keeps what another server calls `project`, such as a group within groups, or a folder
    of Jenkins."""
    owner, _, name = project.rpartition("/")
    return f"{NO_NAME.sub('-', owner) or 'projects'}/{NO_NAME.sub('-', name)}"


class Hub:
    """The sandbox's GitHub, read by the real adapters; `project` is as the catalogue's own server calls it. Outlives
    the bot, as a server does."""

    def __init__(self, api: GitHubApi) -> None:
        self._pipelines, self._commits, self._files = GitHubPipelines(api), GitHubCommits(api), GitHubFiles(api)

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        return await self._pipelines.checks(project_of(project), commit)

    async def look(self, project: str) -> None:
        """See `Lookable`."""
        await self._pipelines.look(project_of(project))

    async def compare(self, project: str, base: str, head: str) -> Comparison:
        """See `HostCommits`."""
        return await self._commits.compare(project_of(project), base, head)

    async def read(self, project: str, path: str, commit: str) -> bytes:
        """See `HostFiles`."""
        return await self._files.read(project_of(project), path, commit)


@asynccontextmanager
async def servers(entries: Mapping[str, CiEntry], at: str, folder: Path, clock: Clock) -> AsyncIterator[OpenCiServers]:
    """The servers of a catalogue, each played by the GitHub at `at` (a host with its port); its token is written into
    the folder."""
    (folder / TOKEN_FILE).write_text(TOKEN, encoding="utf-8")
    async with GitHubApi(GitHubServer("the CI server", f"http://{at}", folder / TOKEN_FILE), clock=clock) as api:
        hub = Hub(api)
        pipelines = RehearsedCi(clock, hub)
        yield OpenCiServers(
            {
                name: CiServer(pipelines, (), entry.host, *((hub, hub) if entry.host else ()))
                for name, entry in entries.items()
            }
        )


@dataclass(frozen=True, slots=True)
class _Started:
    order: Order
    at: datetime
    cancelled: datetime | None = None


class RehearsedCi:
    """The `Pipelines` of every server: they are alike. It outlives the bot, as a server does."""

    def __init__(self, clock: Clock, hub: Hub) -> None:
        self._clock, self._hub = clock, hub
        self._runs: list[_Started] = []

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        return await self._hub.checks(project, commit)

    async def look(self, project: str) -> None:
        """See `Lookable`."""
        await self._hub.look(project)

    async def start(self, order: Order) -> PipelineRun | None:
        """See `Pipelines`."""
        self._runs.append(_Started(order, self._clock.now()))
        return self._shown(len(self._runs) - 1)

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """See `Pipelines`."""
        numbers = (n for n, run in enumerate(self._runs) if run.order.key == order.key and run.at >= since)
        return next((self._shown(number) for number in numbers), None)

    async def follow(self, _order: Order, run_id: str) -> PipelineRun:
        """See `Pipelines`."""
        return self._shown(self._number(run_id))

    async def cancel(self, _order: Order, run_id: str) -> None:
        """See `Pipelines`."""
        number = self._number(run_id)
        if self._shown(number).state is not CheckState.CONCLUDED:
            run = self._runs[number]
            self._runs[number] = _Started(run.order, run.at, self._clock.now())

    def _number(self, run_id: str) -> int:
        number = int(run_id) - 1
        if not 0 <= number < len(self._runs):
            raise NotFoundError(f"there is no run {run_id}")
        return number

    def _shown(self, number: int) -> PipelineRun:
        run, url = self._runs[number], f"{PAGES}/{self._runs[number].order.project}/runs/{number + 1}"
        if run.cancelled:
            return PipelineRun(str(number + 1), CheckState.CONCLUDED, Conclusion.CANCELLED, url)
        if self._clock.now() - run.at >= TAKES:
            return PipelineRun(str(number + 1), CheckState.CONCLUDED, Conclusion.SUCCESS, url)
        return PipelineRun(str(number + 1), CheckState.RUNNING, url=url)
