"""An agent that scrapes streams and sends how much each counter grew: what Datadog's and New Relic's agents do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.fakes import streams
from tests.fakes.streams import Streams

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Grown:
    """By how much a counter grew in the time that began at `begin_ms`. `of_cpu`: it counts seconds, in cores then."""

    metric: str
    labels: dict[str, str]
    begin_ms: int
    value: float
    of_cpu: bool


class CountingAgent:
    """What an agent knows between two scrapes. A counter that falls began anew. What it sees at its very first scrape
    may be old, so it counts for nothing; a counter that comes later began at 0. CPU needs two scrapes of a pod."""

    def __init__(self, shown: Streams) -> None:
        self._streams = shown
        self._seen: dict[tuple[str, Labels], float] = {}
        self._scraped: datetime | None = None

    def scrape(self, at: datetime) -> Iterator[Grown]:
        """What has grown since the scrape before."""
        if self._streams.stopped and at > self._streams.stopped:
            return
        before, self._scraped = self._scraped, at
        seen, self._seen = self._seen, {}
        for metric, labels, value in self._streams.shown(at):
            key = (metric, tuple(labels.items()))
            self._seen[key] = value
            if before is None or (metric == streams.CPU and key not in seen):
                continue
            grown = value - seen.get(key, 0.0)
            seconds = (at - before).total_seconds() if metric == streams.CPU else 1
            counted = (grown if grown >= 0 else value) / seconds
            yield Grown(metric, labels, round(before.timestamp() * 1000), counted, metric == streams.CPU)
