"""A world in which api can have a canary: a router, a metrics server, and traffic that follows the pods."""

from datetime import timedelta
from pathlib import Path

from bot.domain.traffic import Route, Router
from tests.contracts.canaries import pod
from tests.fakes.metrics import FakeMetrics
from tests.scenarios.world import CATALOGUE, World, workload

SIGNALS = """
    signals:
      interval: 5s
      labels: {namespace: null}
      guards: ["error_rate < 5%"]
    traffic: {router: gateway-api, route: api}
  web:
"""
METRICS = "metrics: {main: {prometheus: {url: http://prometheus.example}}}\n"
WITH_TRAFFIC = METRICS + CATALOGUE.replace("\n  web:\n", SIGNALS)
PROD = workload("prod")
ROUTE = Route(Router.GATEWAY_API, PROD, "api", "api")
STABLE = tuple(pod("api", number) for number in range(3))
CANARY = pod("api", 0, suffix="-canary")


class CanaryWorld(World):
    """The stable pods have served for a while; the canary's pod will serve from the moment that it is there."""

    def __init__(self, folder: Path, template: Path, *, catalogue: str = WITH_TRAFFIC) -> None:
        super().__init__(folder, template, catalogue=catalogue)
        for name in STABLE:
            self.metrics.load(name, self.clock.now() - timedelta(minutes=20))
        self.metrics.load(CANARY, self.clock.now())

    def turns_bad(self, error_rate: float = 0.2) -> None:
        """From now on so many of the canary's answers are errors."""
        self.metrics.load(CANARY, self.clock.now(), error_rate=error_rate)

    def recovers(self) -> None:
        """The canary's pod answers well again, or is gone."""
        self.metrics.load(CANARY, self.clock.now())

    @property
    def weights(self) -> tuple[int, int]:
        """What stable and canary are given, in per cent."""
        return self.cluster.traffic.weights(ROUTE)

    def verbs(self) -> list[str]:
        """What was written to the cluster, in order."""
        return [write.verb for write in self.cluster.writes]

    async def approved(self, line: str) -> None:
        """ann asks, and two people say yes."""
        from tests.fakes.workspace import ANN, BOB, CID

        await self.says(ANN, line)
        await self.reacts(BOB, "white_check_mark")
        await self.reacts(CID, "white_check_mark")


def quiet(metrics: FakeMetrics, world: World) -> None:
    """Nobody calls the canary."""
    metrics.load(CANARY, world.clock.now(), rate=0.0)
