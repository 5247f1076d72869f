"""A world in which api can have a canary: a router, a metrics server, and traffic that follows the pods."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.domain.traffic import Route, Router
from bot.store.database import Database
from tests.contracts.canaries import pod
from tests.fakes.canaries import FakeCanaries
from tests.fakes.people import ANN, BOB, CID
from tests.scenarios.world import CATALOGUE, World, workload

SIGNALS = """
    signals:
      interval: 15s
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

    def __init__(
        self,
        folder: Path,
        template: Path,
        *,
        catalogue: str = WITH_TRAFFIC,
        database: Callable[[str], Database] = Database,
    ) -> None:
        super().__init__(folder, template, catalogue=catalogue, database=database)
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

    def canary_left(self) -> list[str]:
        """What there is of a canary in prod."""
        return FakeCanaries(self.cluster).leftovers(ROUTE)

    def pictures(self) -> list[str]:
        """What the pictures in the channel say, oldest first."""
        return [message.picture.alt for message in self.workspace.messages if message.picture]

    async def approved(self, line: str) -> None:
        """ann asks, and two people say yes."""
        await self.says(ANN, line)
        await self.reacts(BOB, "white_check_mark")
        await self.reacts(CID, "white_check_mark")

    def nobody_calls(self) -> None:
        """The canary gets no request, whatever its share."""
        self.metrics.load(CANARY, self.clock.now(), rate=0.0)

    async def judging(self, *, after: timedelta = timedelta(seconds=30)) -> None:
        """A canary of v2 was approved in prod, and has had its first share for a while."""
        await self.approved("canary api v2 prod")
        await self.passes(after)

    async def until_weight(self, share: int, *, within: timedelta = timedelta(minutes=30)) -> timedelta:
        """Let time pass until the canary has this share; how long that took."""
        begun = self.clock.now()
        while self.weights[1] != share:
            assert self.clock.now() - begun < within, f"still {self.weights}"
            await self.moment(begun + within)
        return self.clock.now() - begun
