"""The CI servers of a rehearsal: whatever pipeline is started, it runs for a while and ends well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import NotFoundError
from bot.ports.clock import Clock
from bot.ports.pipelines import CheckState, CommitChecks, Conclusion, Order, PipelineRun

TAKES = timedelta(seconds=30)
PAGES = "https://ci.example"


@dataclass(frozen=True, slots=True)
class _Started:
    order: Order
    at: datetime
    cancelled: datetime | None = None


class RehearsedCi:
    """`CiServers` and each of its `Pipelines` in one: all servers are alike. It outlives the bot, as a server does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: list[_Started] = []

    def get(self, _name: str) -> "RehearsedCi":
        """See `CiServers`."""
        return self

    async def checks(self, _project: str, _commit: str) -> CommitChecks:
        """None: the gate that asks is left out of a rehearsal."""
        return CommitChecks(())

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
