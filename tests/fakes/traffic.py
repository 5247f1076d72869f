"""What divides the requests in an imagined cluster."""

from dataclasses import dataclass, field

from bot.domain.traffic import WHOLE, Route, Router


@dataclass(slots=True)
class FakeRoute:
    """A router's object as one route sees it. `weight`: the canary's, in per cent; `None`: no rule names the canary.
    `service` are the annotations of the canary's Service; `None`: there is none."""

    weight: int | None = None
    service: dict[str, str] | None = None
    annotations: dict[str, str] = field(default_factory=dict)
    owner: str = ""
    missing: bool = False
    version: int = 1
    problems: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


class FakeTraffic:
    """Every router's object that is asked for is there, until it is lost; and what others than Sluice do to them."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str, str, str], FakeRoute] = {}

    def of(self, route: Route) -> FakeRoute:
        """The router's object."""
        key = (str(route.router), route.workload.namespace, route.name, route.service)
        return self._routes.setdefault(key, FakeRoute())

    def weights(self, route: Route) -> tuple[int, int]:
        """What the router gives stable and canary, in per cent."""
        weight = self.of(route).weight or 0
        return WHOLE - weight, weight

    def edit(self, route: Route, weight: int | None) -> None:
        """Somebody gives the canary another weight by hand; `None`: takes it out of the router's object.

        Raises ValueError without a router: there, scale the canary.
        """
        if route.router is Router.REPLICAS:
            raise ValueError(f"{route} has no router; scale {route.canary}")
        found = self.of(route)
        found.weight = weight
        found.version += 1

    def own(self, route: Route, owner: str) -> None:
        """`owner` (as in "Argo CD (application api)") manages the router's object from now on."""
        self.of(route).owner = owner

    def lose(self, route: Route) -> None:
        """Somebody deletes the router's object, and with it the canary's entry."""
        found = self.of(route)
        found.missing, found.weight, found.annotations = True, None, {}

    def survey(self, route: Route, *, problems: tuple[str, ...] = (), risks: tuple[str, ...] = ()) -> None:
        """What a survey finds from now on."""
        found = self.of(route)
        found.problems, found.risks = problems, risks
