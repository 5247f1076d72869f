"""A whole bot over fakes, and a few people who talk to it. Time moves only when a test says so."""

import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.app import Bot, Configured, Ports, assemble
from bot.domain.ids import ChannelId, RunId, UserId
from bot.domain.invocation import Invocation, Origin
from bot.domain.run import Run
from bot.domain.target import Target, WorkloadKind, WorkloadRef
from bot.ports.chat import Place
from bot.store.database import Database
from runbooks.configuration import Configuration, load
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, FakeClusters
from tests.fakes.commits import FakeCommits
from tests.fakes.image_registry import FakeRegistry
from tests.fakes.metrics import FakeMetrics, FakeProviders
from tests.fakes.people import BOT
from tests.fakes.pipelines import FakeCiServers, FakePipelines
from tests.fakes.prober import FakeProber
from tests.fakes.source_files import FakeSourceFiles
from tests.fakes.workspace import APPROVERS, DEPLOYS, FakeWorkspace, Message

REPOSITORY = "registry.example/acme/api"
HEALTH = "https://staging.example/healthz"
PROD_HEALTH = "https://prod.example/healthz"

CATALOGUE = f"""
clusters:
  main: {{}}
environments:
  staging: {{cluster: main, namespace: staging}}
  prod:
    cluster: main
    namespace: prod
    protected: true
    approval:
      from: "{APPROVERS}"
      count: 2
      within: 30m
      use_within: 30m
      on_call: "@on-call"
      break_glass: "@on-call"
services:
  api:
    image: {REPOSITORY}
    workload: deployment/api
    channel: "#deploys"
    smoke: [{{get: "https://{{environment}}.example/healthz"}}]
  web:
    image: registry.example/acme/web
    workload: deployment/web
    channel: "#deploys"
"""


def workload(environment: str, name: str = "api") -> WorkloadRef:
    """A workload of the catalogue."""
    return WorkloadRef("main", environment, WorkloadKind.DEPLOYMENT, name)


class World:
    """Everything around the bot. The bot may be killed and started again; the world stays."""

    def __init__(
        self,
        folder: Path,
        template: Path,
        *,
        catalogue: str = CATALOGUE,
        database: Callable[[str], Database] = Database,
    ) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.metrics = FakeMetrics()
        self.registry = FakeRegistry()
        self.commits = FakeCommits()
        self.ci = FakePipelines(self.clock)
        self.files = FakeSourceFiles()
        self.prober = FakeProber()
        self.workspace = FakeWorkspace(self.clock)
        self.folder = folder
        self.configuration = self._written(catalogue)
        self._database_file = folder / "sluice.db"
        self._database_file.write_bytes(template.read_bytes())
        self._database = database
        self._stack = AsyncExitStack()
        self._numbers = itertools.count(1)
        self._furnish()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # --- the bot's life ---

    async def start(self) -> None:
        """Start the bot on what the database holds; leases of the one before are released, as a sole process does."""
        url = f"sqlite+aiosqlite:///{self._database_file}"
        self.store = await self._stack.enter_async_context(self._database(url))
        async with self.store.transaction() as tx:
            await tx.release_leases(None)
        clusters = FakeClusters(self.cluster)
        ports = Ports(
            clock=self.clock,
            store=self.store,
            clusters=clusters,
            canaries=clusters,
            metrics=FakeProviders(main=self.metrics),
            registry=self.registry,
            scans=clusters,
            signatures=SigstoreSignatures(),
            ci=FakeCiServers(main=self.ci),
            commits=self.commits,
            files=self.files,
            prober=self.prober,
            chat=self.workspace,
            directory=self.workspace,
        )
        self.configured = Configured(self.configuration)
        self.bot: Bot = assemble(ports, self.configured, owner="test")

    async def kill(self) -> None:
        """The process is gone: nothing of it stays but the database file."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    def lose_database(self, template: Path) -> None:
        """The database is gone too; only the cluster remembers. The bot must be killed before."""
        self._database_file.write_bytes(template.read_bytes())

    # --- people ---

    async def says(
        self, user: UserId, line: str, *, channel: ChannelId = DEPLOYS, origin: Origin = Origin.SLASH
    ) -> None:
        """Somebody types a command; the bot works until it has to wait."""
        await self.hears(user, line, channel=channel, origin=origin)
        await self.settle()

    async def hears(
        self, user: UserId, line: str, *, channel: ChannelId = DEPLOYS, origin: Origin = Origin.SLASH, key: str = ""
    ) -> bool:
        """A command arrives and is kept; nothing else happens yet."""
        return await self.bot.hear(
            Invocation(
                dedupe_key=key or f"test-{next(self._numbers)}",
                origin=origin,
                user=user,
                text=line,
                channel=channel,
                received_at=self.clock.now(),
            )
        )

    async def reacts(self, user: UserId, emoji: str, *, on: Place | None = None) -> None:
        """Somebody reacts to the newest release message, and the event arrives."""
        place = on or self.ballot().place
        self.workspace.reacts(user, place, emoji)
        await self._reaction_event(user, f"+{emoji}", place)

    async def takes_back(self, user: UserId, emoji: str, *, on: Place | None = None) -> None:
        """Somebody removes a reaction, and the event arrives."""
        place = on or self.ballot().place
        self.workspace.takes_back(user, place, emoji)
        await self._reaction_event(user, f"-{emoji}", place)

    async def channel_event(self, kind: str) -> None:
        """A channel event arrives."""
        await self.hears(BOT, kind, origin=Origin.CHANNEL)
        await self.settle()

    # --- time ---

    async def settle(self) -> timedelta | None:
        """Let the bot work until nothing is due now; how long until messages that wait have room."""
        return await self.bot.worker.settle()

    async def passes(self, span: timedelta) -> None:
        """Time passes; the bot works whenever something falls due."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            await self.moment(end)
        await self.settle()

    async def moment(self, end: datetime) -> None:
        """Time passes until something falls due, at the latest until `end`."""
        room_in = await self.settle()
        async with self.store.reading() as tx:
            due = await tx.next_due(self.clock.now())
        room = None if room_in is None else self.clock.now() + room_in
        self.clock.advance_to(min(at for at in (due, room, end) if at))

    async def finishes(self, *, within: timedelta = timedelta(minutes=10)) -> Run:
        """Time passes until the newest run has ended, and the channel shows it."""
        end = self.clock.now() + within
        while not (await self.newest()).phase.final and self.clock.now() < end:
            await self.moment(end)
        await self.passes(timedelta(seconds=10))
        return await self.newest()

    # --- looking ---

    async def run(self, run_id: str) -> Run:
        """A run by its id."""
        async with self.store.transaction() as tx:
            run = await tx.run(RunId(run_id))
        assert run is not None, f"there is no run {run_id}"
        return run

    async def newest(self) -> Run:
        """The run that was asked for last."""
        async with self.store.transaction() as tx:
            runs = await tx.runs(limit=1)
        assert runs, "there is no run"
        return runs[0]

    def ballot(self) -> Message:
        """The newest release message."""
        return [message for message in self.workspace.messages if "/live/" in message.key][-1]

    def live(self) -> str:
        """What the newest release message says."""
        return self.ballot().text

    def thread(self) -> list[str]:
        """What the thread of the newest release message says."""
        return self.workspace.thread(self.ballot().place)

    def image(self, environment: str) -> str:
        """The tag that a workload runs."""
        return self.cluster.image(workload(environment)).rpartition("@")[0].rpartition(":")[2]

    def image_changes(self) -> int:
        """How often an image was written, over all workloads."""
        return sum(1 for write in self.cluster.writes if write.verb == "set_image")

    async def target(self, environment: str) -> Target:
        """A target of the service api."""
        return Target("api", environment)

    # --- inside ---

    async def _reaction_event(self, user: UserId, text: str, place: Place) -> None:
        await self.bot.hear(
            Invocation(
                dedupe_key=f"test-{next(self._numbers)}",
                origin=Origin.REACTION,
                user=user,
                text=text,
                channel=place.channel,
                received_at=self.clock.now(),
                message_ts=place.ts,
            )
        )
        await self.settle()

    def _furnish(self) -> None:
        for tag in ("v1", "v2", "v3"):
            self.registry.push(REPOSITORY, tag)
        for environment in ("staging", "prod"):
            digest = self.registry.push(REPOSITORY, "v1")
            self.cluster.add(workload(environment), f"{REPOSITORY}:v1@{digest}")
            self.cluster.add(workload(environment, "web"), "registry.example/acme/web:v1")
        for url in (HEALTH, PROD_HEALTH):
            self.prober.answer(url)

    def _written(self, catalogue: str) -> Configuration:
        path = self.folder / "sluice.yaml"
        path.write_text(catalogue)
        return load(path)
