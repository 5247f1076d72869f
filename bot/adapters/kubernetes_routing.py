"""What a router's object says of a canary, and the three things we do to it. One file a router says how."""

from dataclasses import dataclass, field
from typing import Protocol

from bot.adapters.kubernetes_calls import Raw
from bot.adapters.kubernetes_canary_marks import Entry
from bot.domain.traffic import Route
from bot.ports.cluster import Fence

NO_TRACES = ("argo-rollouts.argoproj.io/", "rollouts.argoproj.io/")
"""How keys begin that Argo Rollouts leaves on objects whose weights it manages."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A router's object as it was read. `weights`: the canary's share in per cent, one for each rule that leads to the
    service; empty where none names the canary. `problems` forbid a canary, `risks` do not. `owner`: who else manages
    what we would write to. `raw` is the object, empty where there is none."""

    weights: tuple[int, ...] = ()
    entry: Entry | None = None
    problems: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    owner: str = ""
    raw: Raw = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """The canary's share; where rules differ, the greatest."""
        return max(self.weights, default=0)


class Routing(Protocol):
    """One kind of router. Each write is one request, bound to what was read."""

    async def read(self, route: Route) -> Standing:
        """Look at the router's object. Raises NotFoundError when it is gone."""
        ...

    async def remains(self, route: Route) -> Standing:
        """What is left of a canary there; nothing where the router's object is gone."""
        ...

    async def write(self, route: Route, standing: Standing, weight: int, fence: Fence) -> None:
        """Give the canary `weight` per cent; adds its entry where it is missing."""
        ...

    async def leave(self, route: Route, standing: Standing) -> None:
        """Take the canary's entry out, and what is noted about it."""
        ...
