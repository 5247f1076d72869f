"""A CI server in memory: checks that tests report, and runs that end when their time has come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.errors import NotFoundError, UnreachableError
from bot.ports.pipelines import Check, CheckState, CommitChecks, Conclusion, Order, PipelineRun, Pipelines
from tests.fakes.clock import FakeClock

URL = "https://ci.test"


@dataclass(slots=True)
class StartedRun:
    """A run as the server keeps it."""

    id: str
    order: Order
    started: datetime
    ends: Conclusion
    cancelled: bool = False


class FakePipelines:
    """`Pipelines` without a server. `down`: every call is unreachable; `loses_answers`: what is started starts, and
    nobody hears of it; `tells_ids`: a start says which run it became; `shows_after`: how long a new run stays hidden
    from lists; `takes` and `ends`: how long runs take and how they end; `on_write` is called around each write."""

    def __init__(self, clock: FakeClock) -> None:
        self.down = False
        self.loses_answers = False
        self.tells_ids = True
        self.shows_after = timedelta(0)
        self.takes = timedelta(seconds=30)
        self.ends = Conclusion.SUCCESS
        self.projects = {"acme/api"}
        self.runs: list[StartedRun] = []
        self.on_write: Callable[[str, str], None] | None = None
        self._clock = clock
        self._checks: dict[tuple[str, str], list[Check]] = {}

    def report(
        self, project: str, commit: str, name: str, conclusion: Conclusion | None, *, source: str = "", said: str = ""
    ) -> None:
        """A new attempt of a check; `None`: it still runs."""
        known = self._checks.setdefault((project, commit), [])
        state = CheckState.RUNNING if conclusion is None else CheckState.CONCLUDED
        known.append(
            Check(name, state, conclusion, f"{URL}/checks/{len(known)}", source, len(known), self._clock.now(), said)
        )

    async def checks(self, project: str, commit: str) -> CommitChecks:
        """See `Pipelines`."""
        self._answering(project)
        found = [
            check
            for (place, sha), known in self._checks.items()
            for check in known
            if place == project and sha.startswith(commit)
        ]
        return CommitChecks(tuple(found), f"{URL}/{project}/commit/{commit}/checks")

    async def start(self, order: Order) -> PipelineRun | None:
        """See `Pipelines`."""
        self._answering(order.project)
        self._written("before")
        run = StartedRun(str(len(self.runs) + 1), order, self._clock.now(), self.ends)
        self.runs.append(run)
        self._written("after")
        if self.loses_answers:
            raise UnreachableError("the CI server main did not answer within 10 s")
        return replace(self._shown(run), state=CheckState.QUEUED, conclusion=None) if self.tells_ids else None

    async def find(self, order: Order, since: datetime) -> PipelineRun | None:
        """See `Pipelines`."""
        self._answering(order.project)
        now = self._clock.now()
        shown = [run for run in self.runs if run.started >= since and now - run.started >= self.shows_after]
        return next((self._shown(run) for run in shown if run.order.key == order.key), None)

    async def follow(self, order: Order, run_id: str) -> PipelineRun:
        """See `Pipelines`."""
        return self._shown(self._run(order, run_id))

    async def cancel(self, order: Order, run_id: str) -> None:
        """See `Pipelines`."""
        run = self._run(order, run_id)
        if self._shown(run).state is not CheckState.CONCLUDED:
            run.cancelled = True

    def _run(self, order: Order, run_id: str) -> StartedRun:
        self._answering(order.project)
        for run in self.runs:
            if run.id == run_id:
                return run
        raise NotFoundError(f"the CI server main has no run {run_id} of {order.name}")

    def _shown(self, run: StartedRun) -> PipelineRun:
        over = self._clock.now() - run.started >= self.takes
        ended = Conclusion.CANCELLED if run.cancelled else run.ends if over else None
        return PipelineRun(run.id, CheckState.CONCLUDED if ended else CheckState.RUNNING, ended, f"{URL}/runs/{run.id}")

    def _answering(self, project: str) -> None:
        if self.down:
            raise UnreachableError("the CI server main cannot be reached: it is down")
        if project not in self.projects:
            raise NotFoundError(f"the CI server main has no {project}")

    def _written(self, when: str) -> None:
        if self.on_write is not None:
            self.on_write(when, "start of a pipeline")


class FakeCiServers:
    """`CiServers` of servers in memory."""

    def __init__(self, servers: Mapping[str, Pipelines] | None = None, **named: Pipelines) -> None:
        self._servers = {**(servers or {}), **named}

    def get(self, name: str) -> Pipelines:
        """See `CiServers`."""
        if name not in self._servers:
            raise NotFoundError(f"there is no CI server '{name}' in the catalogue")
        return self._servers[name]
