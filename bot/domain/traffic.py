"""How traffic reaches a workload, and how many pods a share of it needs. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

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
    `rule` names the only rule whose weights may change (empty: every rule that leads to `service`).
    """

    router: Router
    workload: WorkloadRef
    service: str
    name: str = ""
    rule: str = ""

    @property
    def canary(self) -> WorkloadRef:
        """The Deployment of the canary's pods, beside the stable one."""
        place = self.workload
        return WorkloadRef(place.cluster, place.namespace, place.kind, f"{place.name}-canary", place.container)

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


def canary_pods_by_ratio(stable: int, weight: int) -> int:
    """The same where pods alone divide the requests and stable keeps its own: canary / (canary + stable) is the share.

    Raises ValueError for a share that no number of pods beside stable ones gives.
    """
    if weight <= 0 or stable <= 0:
        return 0
    if weight >= WHOLE:
        raise ValueError("a share of 100 % needs a router: stable pods always take theirs")
    return max(1, round(stable * weight / (WHOLE - weight)))


def share_of(canary: int, stable: int) -> int:
    """The canary's share of all pods, in per cent, to the nearest whole."""
    return round(WHOLE * canary / (canary + stable)) if canary else 0


def stable_pods_needed(desired: int, weight: int) -> int:
    """How many ready pods the stable set needs for what the canary leaves it."""
    return ceil(desired * (WHOLE - weight) / WHOLE)
