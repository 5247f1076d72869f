"""What is found out before a plan with a canary is made: whether there can be one, and whether it can be judged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.errors import NotFoundError, UsageError
from bot.domain.target import Target
from bot.domain.traffic import Router
from runbooks.catalogue import Catalogue
from runbooks.judging import unsealed
from runbooks.loader import load_library
from runbooks.spec import Entry, Runbook
from runbooks.surveying import Surveyor, TrafficFacts
from tests.contracts.canaries import pod
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.fakes.metrics import FakeMetrics, FakeProviders
from tests.runbooks.catalogues import a_catalogue

TARGET = Target("api", "prod")
LIBRARY = load_library()
WRITTEN = """
clusters: {main: {}}
environments: {prod: {cluster: main, namespace: prod}}
metrics: {main: {prometheus: {url: http://prometheus.example}}}
services:
  api:
    image: ghcr.io/acme/api
    workload: deployment/api
    channel: "#deploys"
    signals: {interval: 5s, labels: {namespace: null}, guards: ["error_rate < 5%"]}
    traffic: {router: gateway-api}
"""


class Field:
    """api runs in three pods that have served for a while."""

    def __init__(self, written: str = WRITTEN) -> None:
        self.catalogue: Catalogue = a_catalogue(written)
        self.clock = FakeClock()
        self.cluster, self.metrics = FakeCluster(self.clock), FakeMetrics()
        self.workload = self.catalogue.workload("api", "prod")
        self.cluster.add(self.workload, "ghcr.io/acme/api:v1")
        for number in range(3):
            self.metrics.load(pod("api", number), self.clock.now() - timedelta(minutes=20))

    async def surveyed(self, runbook: str | Runbook = "canary") -> TrafficFacts:
        """What a runbook needs there."""
        surveyor = Surveyor(
            canaries=FakeClusters(self.cluster), providers=FakeProviders(main=self.metrics), clock=self.clock
        )
        state = await self.cluster.observe(self.workload)
        found = runbook if isinstance(runbook, Runbook) else LIBRARY[runbook]
        return await surveyor.facts(self.catalogue, TARGET, found, state)

    async def refused(self) -> str:
        """Why there can be no canary."""
        with pytest.raises(UsageError) as caught:
            await self.surveyed()
        return str(caught.value)


def shares(*weights: str) -> Runbook:
    """A runbook with these shares, one after another."""
    steps = tuple(Entry(f"steps.canary-{n}", "canary", {"weight": weight}, None, n) for n, weight in enumerate(weights))
    return replace(LIBRARY["canary"], steps=steps)


async def test_what_is_found_is_sealed() -> None:
    """The route, and the queries as they will be asked."""
    facts = await Field().surveyed()
    assert facts.route is not None
    assert (facts.route.router, facts.route.name) == (Router.GATEWAY_API, "api")
    known = unsealed(facts.signals)
    assert (known.queries.provider, [str(guard) for guard in known.guards]) == ("main", ["error_rate < 5%"])
    assert facts.notes == ()


async def test_a_plain_deploy_asks_nobody() -> None:
    """Neither the router nor the metrics server."""
    field = Field()
    field.metrics.down = True
    field.cluster.traffic.survey(field.catalogue.route("api", "prod"), problems=("all is lost",))
    assert await field.surveyed("deploy") == TrafficFacts()


@pytest.mark.parametrize("signals", [True, False])
async def test_who_only_watches_needs_no_router(signals: bool) -> None:
    """Its guard rails are proven where there are any; without signals there is nothing to watch."""
    lines = [line for line in WRITTEN.splitlines() if "traffic:" not in line and (signals or "signals:" not in line)]
    facts = await Field("\n".join(lines)).surveyed("promote")
    assert facts.route is None
    assert bool(facts.signals) is signals


async def test_all_that_stands_in_the_way_is_told_at_once() -> None:
    """So that nobody has to ask again for each."""
    field = Field()
    problems = ("the Service is headless", "an HPA would undo it")
    field.cluster.traffic.survey(field.catalogue.route("api", "prod"), problems=problems)
    said = await field.refused()
    assert said == "There can be no canary of api in prod: the Service is headless; an HPA would undo it."


async def test_risks_are_told_with_the_plan() -> None:
    """They do not forbid anything."""
    field = Field()
    field.cluster.traffic.survey(field.catalogue.route("api", "prod"), risks=("requests stick to pods",))
    assert (await field.surveyed()).notes == ("requests stick to pods",)


async def test_every_query_that_finds_nothing_is_named() -> None:
    """With what was asked and what came back."""
    field = Field()
    signals = field.catalogue.queries("api", "prod").signals
    field.metrics.hidden = set(signals)
    said = await field.refused()
    assert said.startswith("The metrics of api in prod cannot judge a canary: ")
    assert said.count("(asked `") == len(signals)


async def test_a_provider_that_is_not_there_is_for_the_caller() -> None:
    """The catalogue names one that was not opened."""
    field = Field()
    surveyor = Surveyor(canaries=FakeClusters(field.cluster), providers=FakeProviders(), clock=field.clock)
    state = await field.cluster.observe(field.workload)
    with pytest.raises(NotFoundError):
        await surveyor.facts(field.catalogue, TARGET, LIBRARY["canary"], state)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (("25%",), ()),
        (("5%",), ("without a router 5 % cannot be had beside 3 pods: the canary gets about 25 %",)),
        (("5%", "50%"), ("without a router 5 % cannot be had beside 3 pods: the canary gets about 25 %",)),
    ],
)
async def test_shares_that_pods_cannot_give_are_told(weights: Sequence[str], told: Sequence[str]) -> None:
    """One canary pod beside three is a quarter, whatever was asked for."""
    field = Field(WRITTEN.replace("gateway-api", "replicas"))
    assert (await field.surveyed(shares(*weights))).notes == told
    assert (await Field().surveyed(shares(*weights))).notes == ()
