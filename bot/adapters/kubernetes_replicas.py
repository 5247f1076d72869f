"""No router: the Service of the stable pods takes in the canary's, and the numbers of pods divide the requests."""

from bot.adapters.kubernetes_routing import Standing
from bot.domain.traffic import Route
from bot.ports.cluster import Fence


class KubernetesReplicas:
    """`Routing` with nothing to read or to write: the weight is a matter of the two Deployments."""

    async def read(self, route: Route) -> Standing:
        """See `Routing`."""
        return Standing()

    async def remains(self, route: Route) -> Standing:
        """See `Routing`."""
        return Standing()

    async def write(self, route: Route, standing: Standing, weight: int, fence: Fence) -> None:
        """See `Routing`."""

    async def leave(self, route: Route, standing: Standing) -> None:
        """See `Routing`."""
