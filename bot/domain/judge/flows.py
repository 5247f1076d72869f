"""A family of counters that belong together, and the signals that are read from them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.judge.bets import log_ratios
from bot.domain.judge.blocks import Gathering, Moment
from bot.domain.judge.errors import CountsJudge
from bot.domain.judge.latency import LatencyJudge
from bot.domain.judge.samples import Observation, Sample
from bot.domain.judge.settings import CountsSignal, JudgeSettings

TRAFFIC = "traffic"

Rows = Mapping[str, Sequence[float]]


class Flow:
    """Counters of one family on both arms, gathered into blocks, and the judges of its signals.

    Requests, their errors and their histogram are one flow (`traffic`), as they count the same requests; every further
    signal of bad ones out of all is a flow of its own.
    """

    def __init__(
        self,
        name: str,
        judges: Sequence[CountsJudge | LatencyJudge],
        read: Callable[[Mapping[str, Sample]], Rows],
        buckets: int = 0,
    ) -> None:
        self.name, self.judges = name, judges
        self._read = read
        self.gathering = Gathering(buckets)

    def see(self, moment: Moment, observation: Observation) -> tuple[bool, bool]:
        """Judge one scrape, and only then learn from it. Says whether canary and baseline counted anything."""
        canary, baseline = self._read(observation.canary), self._read(observation.baseline)
        gathered = self.gathering.see(moment, canary, baseline)
        answers = log_ratios([judge.ask(moment, gathered.block) for judge in self.judges])
        for judge, answer in zip(self.judges, answers, strict=True):
            judge.judge(moment, gathered.block, answer)
            judge.learn(moment.at, gathered.baseline)
        return gathered.heard

    def state(self) -> dict[str, Any]:
        """Everything that must outlive the process."""
        return {
            "gathering": self.gathering.state(),
            "signals": {judge.signal.name: judge.state() for judge in self.judges},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.gathering.restore(state["gathering"])
        for judge in self.judges:
            judge.restore(state["signals"][judge.signal.name])


def flows_of(settings: JudgeSettings) -> list[Flow]:
    """The flows of these settings, in the order of their signals."""
    found = []
    judges: list[CountsJudge | LatencyJudge] = []
    if settings.errors is not None:
        judges.append(CountsJudge(settings.errors, settings))
    if settings.latency is not None:
        judges.append(LatencyJudge(settings.latency, settings))
    if judges:
        buckets = len(settings.latency.bounds) if settings.latency is not None else 0
        found.append(Flow(TRAFFIC, judges, _with_buckets if buckets else _requests, buckets))
    return [*found, *(_counts_flow(signal, settings) for signal in settings.counts)]


def _counts_flow(signal: CountsSignal, settings: JudgeSettings) -> Flow:
    def read(pods: Mapping[str, Sample]) -> Rows:
        return {pod: sample.counts[signal.name] for pod, sample in pods.items() if signal.name in sample.counts}

    return Flow(signal.name, [CountsJudge(signal, settings)], read)


def _requests(pods: Mapping[str, Sample]) -> Rows:
    return {pod: (sample.requests, sample.errors) for pod, sample in pods.items()}


def _with_buckets(pods: Mapping[str, Sample]) -> Rows:
    return {pod: (sample.requests, sample.errors, *sample.buckets) for pod, sample in pods.items()}
