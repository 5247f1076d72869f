"""Canaries for tests: steady ones, scrape by scrape."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.judge.judge import Judge
from bot.domain.judge.samples import Observation, Sample
from bot.domain.judge.settings import JudgeSettings, LatencySignal
from bot.domain.judge.verdict import Verdict

BOUNDS = (0.1, 0.2, 0.5, 1.0, math.inf)
SHARES = (0.5, 0.8, 0.97, 0.99, 1.0)
INTERVAL = 15.0


def some_settings(**changed: object) -> JudgeSettings:
    """Presets, with a histogram, for an hour and 10 % of the traffic."""
    values = {"scrape_interval": INTERVAL, "horizon": 3600.0, "share": 0.1, "latency": LatencySignal(BOUNDS)}
    return JudgeSettings(**(values | changed))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Arm:
    """What each pod of an arm does every scrape."""

    pods: tuple[str, ...]
    requests: int = 100
    errors: int = 0
    shares: tuple[float, ...] = SHARES
    cpu: float | None = 0.5

    def at(self, scrapes: int) -> dict[str, Sample]:
        """Counters after so many scrapes; pods differ a little in CPU."""
        return {
            pod: Sample(
                self.requests * scrapes,
                self.errors * scrapes,
                tuple(round(share * self.requests) * scrapes for share in self.shares),
                {} if self.cpu is None else {"cpu": self.cpu * (1 + 0.01 * ((number + scrapes) % 3))},
            )
            for number, pod in enumerate(self.pods)
        }


BASELINE = Arm(tuple(f"stable-{number}" for number in range(6)), errors=1)
CANARY = Arm(("canary-0",), errors=1)


def observations(
    canary: Arm = CANARY, baseline: Arm = BASELINE, *, history: int = 20, live: int = 40
) -> list[Observation]:
    """`history` scrapes of the baseline alone, then `live` ones of both."""
    found = []
    for number in range(-history, live + 1):
        pods: Mapping[str, Sample] = canary.at(number) if number >= 0 else {}
        found.append(Observation(number * INTERVAL, pods, baseline.at(number + history)))
    return found


def judged(judge: Judge, seen: list[Observation]) -> Verdict:
    """The verdict that ends it, or the last one."""
    verdict = judge.verdict()
    for observation in seen:
        verdict = judge.see(observation)
        if verdict.call in {"pass", "fail"}:
            break
    return verdict
