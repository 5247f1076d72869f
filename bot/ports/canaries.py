"""What we need from a cluster to run a canary beside a workload and to divide the traffic."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.traffic import Route
from bot.ports.cluster import Fault, Fence


@dataclass(frozen=True, slots=True)
class Pods:
    """One of the sets of pods at one moment. `image` is the released container's, empty where that cannot be told;
    `settled`: all desired pods run
    the newest template and are available, and none is left over."""

    image: str
    desired: int
    ready: int
    settled: bool
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class TrafficState:
    """How the traffic of a route is divided.

    `weight` is the canary's share in per cent as the router's object says it (`replicas`: of the desired pods).
    `canary` is `None` while there is none. `run` is the run that brought the canary (empty: none, or not ours).
    `edited` says, as a clause, what somebody else has changed by hand since our last write; empty: nothing. `baseline`
    are the fresh baseline's pods, `None` while there are none. They take requests as stable pods do, and go with the
    canary: `stable` does not count them, and must have enough ready pods without them. `stable_before` is how many
    stable pods were desired when the canary was made; `None`: there is no canary, or nobody noted it.
    """

    weight: int
    stable: Pods
    canary: Pods | None
    run: str = ""
    edited: str = ""
    baseline: Pods | None = None
    stable_before: int | None = None

    @property
    def shrunk(self) -> str:
        """As a clause, that stable has fewer pods than when it carried all requests, as an autoscaler makes of pods
        that a canary relieves: given back at once, the requests would overload them. Empty: it has not."""
        if self.stable_before is None or self.stable.desired >= self.stable_before:
            return ""
        return f"stable is scaled to {self.stable.desired}, and had {self.stable_before} when the canary was brought"


@dataclass(frozen=True, slots=True)
class Survey:
    """What a plan must know of a route. `problems` forbid a canary, each a sentence with its fix; `risks` are told to
    those who vote. `stable_pods` are desired now."""

    stable_pods: int
    problems: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


class Canaries(Protocol):
    """Canaries in one cluster. Writes are safe to repeat and carry a fence; all methods may raise UnreachableError,
    RefusedError (403: the text names verb and resource) and NotFoundError (the workload or the router's object is
    gone). Writes raise FencedError like `Cluster.set_image`, ConflictError when the object changed meanwhile, and
    RefusedError when another controller owns the router's object or a canary of that name is not ours."""

    async def survey(self, route: Route) -> Survey:
        """Look whether a canary can be run there; changes nothing."""
        ...

    async def observe(self, route: Route) -> TrafficState:
        """Look at all sets of pods and at the weights."""
        ...

    async def bring(self, route: Route, image: str, pods: int, fence: Fence) -> TrafficState:
        """Let `pods` canary pods run `image`, without traffic as long as nobody shifts some (`replicas`: they take
        their share as soon as they are ready). Makes what is missing: the Deployment, its Service, the route's entry of
        weight 0; scales what is there. A canary of another image of the same run is refused.

        Where the route wants a fresh baseline, as many pods beside run stable's template and take part in stable's
        share as soon as they are ready; one that no longer runs what stable runs is refused, too."""
        ...

    async def shift(self, route: Route, weight: int, fence: Fence) -> TrafficState:
        """Give the canary `weight` per cent of the requests in one write; 0 takes all away from it (`replicas`: scales
        the canary to none). Only the route's own rule changes; what else stands in the object stays, and so do fresh
        baseline pods (`replicas`: they count to stable's share, as many as there are)."""
        ...

    async def remove(self, route: Route, fence: Fence) -> bool:
        """Clean up, one write a call: the traffic first, then the route's entry, the Service, the canary's Deployment,
        the fresh baseline's (also one that a former plan wanted and this route does not). True when nothing of the
        canary is left; also when there never was one."""
        ...


class CanaryClusters(Protocol):
    """The clusters of the catalogue, as places for canaries."""

    def canaries(self, name: str) -> Canaries:
        """The cluster of that name. Raises NotFoundError."""
        ...
