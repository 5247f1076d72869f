"""How a version behaves under requests: what its tag says of it, and what somebody has said since. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

SPREAD = 0.5
"""Of the log-normal latencies, as real ones have it more or less."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
"""The usual edges of a latency histogram in seconds: those of the Prometheus client libraries."""


class Arm(StrEnum):
    """Which of the workloads beside each other a pod belongs to."""

    STABLE = "stable"
    CANARY = "canary"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The share of requests that fails, 0-1; their median duration in seconds; CPU of each pod in cores."""

    error_rate: float = 0.001
    latency_s: float = 0.04
    cpu: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate <= 1 or self.latency_s <= 0 or self.cpu < 0:
            raise ValueError(f"nobody can behave like {self}")


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody says of a version or an arm. `None`: nothing about that."""

    error_rate: float | None = None
    latency_s: float | None = None
    cpu: float | None = None

    def over(self, before: Behaviour) -> Behaviour:
        """A behaviour with this change. Raises ValueError for what nobody can do."""
        said = {"error_rate": self.error_rate, "latency_s": self.latency_s, "cpu": self.cpu}
        return replace(before, **{name: value for name, value in said.items() if value is not None})


WORDS: Mapping[str, Change] = MappingProxyType(
    {"errors": Change(error_rate=0.3), "latency": Change(latency_s=0.8), "cpu": Change(cpu=0.9)}
)
"""Words of a tag that make its version bad: the same as on the rig."""


def of_tag(tag: str, usual: Behaviour) -> Behaviour:
    """How a version behaves of itself: as `usual`, unless words of its tag (`v2-errors`) say otherwise."""
    for word in re.split(r"[^a-z]+", tag.lower()):
        usual = WORDS.get(word, Change()).over(usual)
    return usual


def tag_of(image: str) -> str:
    """The tag in the name of an image; of an image by digest alone, the digest."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return tag if colon else digest


def arm_of(pod: str) -> Arm:
    """The arm of a pod by its name, as Sluice names the Deployments beside stable."""
    if "-canary-" in pod:
        return Arm.CANARY
    return Arm.BASELINE if "-baseline-" in pod else Arm.STABLE
