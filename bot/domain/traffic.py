"""How traffic reaches a workload, and how many pods a share of it needs. Pure."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil

from bot.domain.json import LATER
from bot.domain.target import WorkloadRef

WHOLE = 100
"""All traffic, in per cent."""


class Router(StrEnum):
    """What divides requests between stable and canary."""

    GATEWAY_API = "gateway-api"
    ISTIO = "istio"
    NGINX = "nginx"
    REPLICAS = "replicas"


@dataclass(frozen=True, slots=True)
class Route:
    """The way of requests to a workload.

    `name` is the HTTPRoute, VirtualService or Ingress (empty for `replicas`); `service` the Service of the stable pods;
    `rule` names the only rule whose weights may change (empty: every rule that leads to `service`). `fresh_baseline`:
    a canary is compared with as many pods of its own age that run what stable runs and take part in stable's share.
    """

    router: Router
    workload: WorkloadRef
    service: str
    name: str = ""
    rule: str = ""
    fresh_baseline: bool = field(default=False, metadata=LATER)

    @property
    def canary(self) -> WorkloadRef:
        """The Deployment of the canary's pods, beside the stable one."""
        return self._beside("canary")

    @property
    def baseline(self) -> WorkloadRef:
        """The Deployment of the fresh baseline's pods, whether this route wants them or not."""
        return self._beside("baseline")

    def _beside(self, suffix: str) -> WorkloadRef:
        return replace(self.workload, name=f"{self.workload.name}-{suffix}")

    def __str__(self) -> str:
        through = f"{self.router} {self.name}" if self.name else str(self.router)
        return f"{self.workload} through {through}"


def canary_pods(stable: int, weight: int) -> int:
    """How many canary pods beside `stable` ones take `weight` per cent of the requests, at least one; none for 0.

    Each pod of either kind then carries about what a stable pod carried before. At 100 % as many as there were.
    """
    if weight <= 0 or stable <= 0:
        return 0
    return min(max(1, ceil(stable * weight / WHOLE)), stable)


def canary_pods_by_ratio(stable: int, weight: int, *, fresh_baseline: bool = False) -> int:
    """The same where pods alone divide the requests and stable keeps its own: canary / (canary + stable) is the share.

    With `fresh_baseline` as many further pods take part in stable's share: canary / (canary + canary + stable). So
    four stable pods take two canary pods for 25 % and, because the baseline's two also draw requests, four for 33 %.
    Raises ValueError for a share that no number of pods beside stable ones gives: with a fresh baseline 50 % and more.
    """
    if weight <= 0 or stable <= 0:
        return 0
    rest = WHOLE - weight * (2 if fresh_baseline else 1)
    if weight >= WHOLE:
        raise ValueError("a share of 100 % needs a router: stable pods always take theirs")
    if rest <= 0:
        raise ValueError(f"a share of {weight} % beside fresh baseline pods needs a router: without one, below 50 %")
    return max(1, round(stable * weight / rest))


def share_of(canary: int, stable: int) -> int:
    """The canary's share of all pods, in per cent, to the nearest whole. Fresh baseline pods count to `stable`."""
    return round(WHOLE * canary / (canary + stable)) if canary else 0


def stable_pods_needed(desired: int, weight: int) -> int:
    """How many ready pods the stable set needs for what the canary leaves it. It must do without fresh baseline pods:
    they go with the canary."""
    return ceil(desired * (WHOLE - weight) / WHOLE)
