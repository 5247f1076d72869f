"""The composition root: the only module that knows every class. `assemble` wires, `serving` opens the real servers."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot import logs
from bot.domain.invocation import Invocation
from bot.engine.ballots import Ballots
from bot.engine.bells import Bells
from bot.engine.hints import Hints
from bot.engine.inbox import Inbox
from bot.engine.reconciler import Needs, Reconciler
from bot.engine.relay import Relay
from bot.engine.runs import Runs
from bot.engine.worker import Parts, Worker
from bot.ports.canaries import CanaryClusters
from bot.ports.chat import Chat
from bot.ports.clock import Clock
from bot.ports.cluster import Clusters
from bot.ports.commits import Commits
from bot.ports.directory import Directory
from bot.ports.image_registry import ImageRegistry
from bot.ports.metrics import MetricsProviders
from bot.ports.narrator import Narrator
from bot.ports.pipelines import CiServers
from bot.ports.planning import Planning
from bot.ports.probe import Prober
from bot.ports.scans import ScannedClusters
from bot.ports.signatures import Signatures
from bot.ports.source_files import SourceFiles
from bot.ports.store import Store
from bot.slack.forms import FormChoices
from bot.slack.narrator import SlackNarrator
from commands.dispatch import Dispatcher
from runbooks.catalogue import Catalogue
from runbooks.configuration import Configuration, load
from runbooks.executing import LookedUp
from runbooks.newsroom import Newsroom
from runbooks.planning import Gatherer
from runbooks.registry import Reach, executors
from runbooks.source import Faults
from runbooks.spec import Runbook
from runbooks.surveying import Surveyor

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as this process reaches it: real servers, stand-ins, or the fakes of the tests."""

    clock: Clock
    store: Store
    clusters: Clusters
    canaries: CanaryClusters
    metrics: MetricsProviders
    registry: ImageRegistry
    scans: ScannedClusters
    signatures: Signatures
    ci: CiServers
    files: SourceFiles
    prober: Prober
    chat: Chat
    directory: Directory
    commits: Commits | None = None


class Configured:
    """The configuration that holds now. It can be read anew; a run keeps the sealed values it started with."""

    def __init__(self, configuration: Configuration, path: Path | None = None) -> None:
        self._configuration = configuration
        self._path = path

    def __call__(self) -> Configuration:
        return self._configuration

    def catalogue(self) -> Catalogue:
        """The catalogue that holds now."""
        return self._configuration.catalogue

    def runbooks(self) -> Mapping[str, Runbook]:
        """The runbooks that hold now, by name."""
        return self._configuration.runbooks

    def choices(self) -> FormChoices:
        """What a form offers."""
        return FormChoices(tuple(self.catalogue().services), tuple(self.catalogue().environments))

    def replace(self, configuration: Configuration) -> None:
        """From now on this one holds."""
        self._configuration = configuration

    def reload(self) -> None:
        """Read the files anew; with a fault in them the old configuration stays, and the log says why."""
        if self._path is None:
            return
        try:
            self.replace(load(self._path))
        except Faults as exc:
            log.warning("configuration not reloaded, the former one holds", faults=str(exc))
        else:
            log.info("configuration reloaded", path=str(self._path))


class Bot:
    """The whole bot over some ports: hears, works, stops."""

    def __init__(self, worker: Worker, bells: Bells, store: Store) -> None:
        self.worker = worker
        self.bells = bells
        self._store = store

    async def hear(self, invocation: Invocation) -> bool:
        """Keep an invocation and let the worker look; False when it is known already."""
        new = await self._store.hear(invocation)
        self.bells.inbox.set()
        return new


def assemble(ports: Ports, configured: Configured, *, owner: str) -> Bot:
    """Wire the bot. Nothing is opened and nothing happens yet."""
    bells = Bells()
    hints = Hints(bells.runs.set)
    narrator = SlackNarrator()
    planning = Gatherer(
        configuration=configured,
        clusters=ports.clusters,
        registry=ports.registry,
        store=ports.store,
        newsroom=Newsroom(ports.registry, ports.commits),
        surveyor=Surveyor(canaries=ports.canaries, providers=ports.metrics, clock=ports.clock),
    )
    runs = Runs(clock=ports.clock, narrator=narrator)
    dispatcher = Dispatcher(
        store=ports.store,
        clock=ports.clock,
        directory=ports.directory,
        catalogue=configured.catalogue,
        runbooks=configured.runbooks,
        runs=runs,
        planning=planning,
    )
    ballots = Ballots(chat=ports.chat, directory=ports.directory, planning=planning, store=ports.store)
    parts = Parts(
        store=ports.store,
        clock=ports.clock,
        reconciler=_reconciler(ports, configured, narrator, planning, ballots=ballots, hints=hints),
        inbox=Inbox(
            store=ports.store,
            clock=ports.clock,
            narrator=narrator,
            handle=dispatcher.handle,
            may_vote=ballots.may_vote,
        ),
        relay=Relay(store=ports.store, chat=ports.chat, clock=ports.clock, owner=owner),
        runs=runs,
        hints=hints,
        bells=bells,
    )
    return Bot(Worker(parts, owner=owner), bells, ports.store)


def _reconciler(
    ports: Ports, configured: Configured, narrator: Narrator, planning: Planning, *, ballots: Ballots, hints: Hints
) -> Reconciler:
    reach = Reach(
        clusters=ports.clusters,
        canaries=ports.canaries,
        metrics=ports.metrics,
        registry=ports.registry,
        ci=ports.ci,
        files=ports.files,
        prober=ports.prober,
        store=ports.store,
        hint=hints.changed,
        workload_of=lambda service, environment: configured.catalogue().workload(service, environment),
        scans=ports.scans,
        signatures=ports.signatures,
        workloads_of=lambda service: configured.catalogue().workloads(service),
        commits=ports.commits,
        repository_of=lambda service: configured.catalogue().service(service).repository,
        windows_of=lambda environment: configured.catalogue().windows(environment),
    )
    needs = Needs(
        clock=ports.clock,
        store=ports.store,
        narrator=narrator,
        planning=planning,
        executors=LookedUp(executors(reach)),
        ballots=ballots,
        hints=hints,
    )
    return Reconciler(needs)


def owner_name() -> str:
    """How this process is named in leases."""
    return f"{socket.gethostname()}:{os.getpid()}"
