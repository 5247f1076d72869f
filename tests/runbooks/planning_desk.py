"""A planner's desk: a catalogue, a cluster, a registry and our own records, all imagined but the last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.plan import Plan, Request, Verb
from bot.domain.release import ReleaseRecord
from bot.store.database import Database
from runbooks.configuration import Configuration
from runbooks.loader import load_library
from runbooks.newsroom import Newsroom
from runbooks.planning import Gatherer
from runbooks.surveying import Surveyor
from tests.builders import a_request
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.fakes.commits import FakeCommits
from tests.fakes.image_registry import FakeRegistry
from tests.fakes.metrics import FakeMetrics, FakeProviders
from tests.fakes.people import ANN
from tests.runbooks.catalogues import a_catalogue

REPOSITORY = "ghcr.io/acme/api"
CATALOGUE = a_catalogue()
PROD = CATALOGUE.workload("api", "prod")
BACK = a_request(verb=Verb.ROLLBACK, ref="")


class Desk:
    """A gatherer over a cluster where api runs v1 in prod, and a registry with v0 to v3."""

    def __init__(self, store: Database) -> None:
        self.store = store
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.registry = FakeRegistry()
        self.commits = FakeCommits()
        self.configuration = Configuration(CATALOGUE, load_library())
        self.images = {tag: f"{REPOSITORY}:{tag}@{self.registry.push(REPOSITORY, tag)}" for tag in ("v0", "v1", "v2")}
        self.cluster.add(PROD, self.images["v1"])
        self.metrics = FakeMetrics()
        clusters = FakeClusters(self.cluster)
        self.gatherer = Gatherer(
            configuration=lambda: self.configuration,
            clusters=clusters,
            registry=self.registry,
            store=store,
            newsroom=Newsroom(self.registry, self.commits),
            surveyor=Surveyor(canaries=clusters, providers=FakeProviders(main=self.metrics), clock=self.clock),
        )

    async def released(self, tag: str, *, healthy: bool = True, ref: str = "") -> None:
        """A record: prod began to run a tag at this hour."""
        record = ReleaseRecord(
            BACK.target, self.images[tag], ref or tag, RunId("api-prod-9"), ANN, self.clock.now(), healthy=healthy
        )
        async with self.store.transaction() as tx:
            await tx.add_release(record)
        self.clock.advance(timedelta(hours=1))

    async def plans(self, request: Request | None = None) -> Plan:
        """The plan of a request."""
        return await self.gatherer.plan(request or a_request())

    async def drift(self, plan: Plan, **request: Any) -> str | None:
        """What has changed since."""
        return await self.gatherer.drift(a_request(**request), plan)


@asynccontextmanager
async def a_desk(template: Path, folder: Path) -> AsyncIterator[Desk]:
    """A desk over an empty database."""
    path = folder / "sluice.db"
    async with Database(f"sqlite+aiosqlite:///{copied(template, path)}") as store:
        yield Desk(store)


def copied(template: Path, path: Path) -> Path:
    """A copy of the empty database."""
    path.write_bytes(template.read_bytes())
    return path


async def refused(desk: Desk, request: Request, error: type[Exception] = UsageError) -> str:
    """Why a request cannot be planned."""
    with pytest.raises(error) as caught:
        await desk.plans(request)
    return str(caught.value)
