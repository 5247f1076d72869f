"""`sluice serve`: opens the real servers around the bot, and closes them in the right order."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.adapters.http_probe import HttpProber
from bot.adapters.kubernetes_cluster import KubernetesClusters
from bot.adapters.kubernetes_login import Connection
from bot.adapters.oci_auth import docker_logins
from bot.adapters.oci_registry import OciRegistry
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.adapters.system_clock import SystemClock
from bot.app import Bot, Configured, Ports, assemble, owner_name
from bot.building import ci_servers
from bot.domain.errors import UnreachableError
from bot.measuring import providers
from bot.ports.clock import Clock
from bot.ports.image_registry import ImageRegistry
from bot.ports.store import Store
from bot.schedule import Schedule
from bot.settings import Settings
from bot.slack.bolt import make_app, slack_handler
from bot.slack.chat import SlackChat
from bot.slack.directory import SlackDirectory
from bot.slack.groups import Groups
from bot.slack.signature import SignedOnly
from bot.slack.socket_mode import SocketMode
from bot.slack.web_api import Identity, identify, open_client
from bot.store.database import Database
from bot.web import Handler, Server
from commands.locking import remind
from runbooks.catalogue import Catalogue
from runbooks.configuration import load

SLACK_AGAIN_S = 5
LATE = timedelta(seconds=60)
"""A due run that nobody has looked at for so long is named by the watchdog."""

MANY = 1000

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Slack:
    """The workspace as this process reaches it."""

    client: AsyncWebClient
    me: Identity
    chat: SlackChat
    directory: SlackDirectory


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then finish the passes under way and flush the outbox.

    Raises SetupError when something that only a person can mend is wrong.
    """
    clock = SystemClock()
    settings.require_slack()
    configured = Configured(load(settings.config), settings.config)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(settings))
        slack = await stack.enter_async_context(_slack(settings, clock))
        ports = await _ports(settings, configured.catalogue(), store, slack, stack=stack)
        bot = assemble(ports, configured, owner=owner_name())
        handler, connected = await _hearing(
            settings, slack, bot, configured=configured, clock=clock, store=store, stack=stack
        )
        schedule = await stack.enter_async_context(
            Schedule(ring=bot.bells.ring, watchdog=lambda: _rounds(store, clock, configured))
        )
        bot.bells.set_alarm = schedule.set_alarm
        server = Server(store=store, clock=clock, ready=connected, slack=handler)
        port = await stack.enter_async_context(server.listening(settings.host, settings.port))
        _on_signals(bot, configured)
        _settle_memory()
        log.info("serving", port=port, mode="http" if handler else "socket", database=str(store.sole))
        await bot.worker.serve()
    log.info("stopped")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, migrated; this process alone serves it if it is a file. Leases of a dead process are released."""
    async with Database(settings.database_url) as database:
        database.claim()
        await database.migrate()
        if database.sole:
            async with database.transaction() as tx:
                freed = await tx.release_leases(None)
            log.info("recovered", leases=freed)
        yield database


async def _rounds(store: Store, clock: Clock, configured: Configured) -> None:
    """What is looked after each minute: late runs, and locks that their owners forgot."""
    await watch(store, clock)
    await remind(store, clock, configured.catalogue())


async def watch(store: Store, clock: Clock) -> None:
    """The watchdog: name every run that should have been looked at and was not."""
    async with store.reading() as tx:
        backlog = await tx.backlog(clock.now())
    if backlog.late > LATE:
        log.warning("runs are late", late_s=backlog.late.total_seconds(), runs=dict(backlog.runs_by_phase))


async def wake_ballots(store: Store, clock: Clock) -> None:
    """After a silence of Slack: every open ballot is read anew, because votes may have been missed."""
    async with store.transaction() as tx:
        for run in await tx.runs(active=True, limit=MANY):
            if run.ballot and not run.ballot.closed:
                await tx.wake(run.id, at=clock.now())


@asynccontextmanager
async def _slack(settings: Settings, clock: Clock) -> AsyncIterator[Slack]:
    token = settings.require_slack().get_secret_value()
    async with open_client(token, base_url=settings.slack_api_url) as client:
        me = await _patiently(lambda: identify(client))
        groups = Groups(client, clock=clock)
        chat = SlackChat(client, me=me, groups=groups, clock=clock)
        yield Slack(client, me, chat, SlackDirectory(client, me=me, groups=groups))


async def _patiently(ask: Callable[[], Awaitable[Identity]]) -> Identity:
    while True:
        try:
            return await ask()
        except UnreachableError as exc:
            log.warning("slack does not answer, trying again", error=str(exc))
            await asyncio.sleep(SLACK_AGAIN_S)


async def _ports(
    settings: Settings, catalogue: Catalogue, store: Store, slack: Slack, *, stack: AsyncExitStack
) -> Ports:
    clock = SystemClock()
    connections = {name: Connection(each.kubeconfig, each.context) for name, each in catalogue.clusters.items()}
    clusters = await stack.enter_async_context(KubernetesClusters(connections, clock))
    ci = await stack.enter_async_context(ci_servers(catalogue.ci, clock=clock))
    return Ports(
        clock=clock,
        store=store,
        clusters=clusters,
        canaries=clusters,
        metrics=await stack.enter_async_context(providers(catalogue.metrics, clusters=connections, clock=clock)),
        registry=await stack.enter_async_context(_registry(settings, catalogue)),
        scans=clusters,
        signatures=SigstoreSignatures(),
        ci=ci,
        commits=ci if ci.keeps_repositories else None,
        files=ci,
        prober=await stack.enter_async_context(HttpProber()),
        chat=slack.chat,
        directory=slack.directory,
    )


@asynccontextmanager
async def _registry(settings: Settings, catalogue: Catalogue) -> AsyncIterator[ImageRegistry]:
    logins = docker_logins(settings.registry_config) if settings.registry_config else {}
    insecure = frozenset(host for host, entry in catalogue.registries.items() if entry.insecure)
    async with OciRegistry(logins=logins, insecure=insecure) as registry:
        yield registry


async def _hearing(
    settings: Settings,
    slack: Slack,
    bot: Bot,
    *,
    configured: Configured,
    clock: Clock,
    store: Store,
    stack: AsyncExitStack,
) -> tuple[Handler | None, Callable[[], str | None]]:
    """How Slack reaches us: a handler for its requests, or a socket of ours; and why we are not ready, if so."""
    secret = settings.slack_signing_secret
    app = make_app(
        client=slack.client,
        hear=bot.hear,
        forms=configured.choices,
        clock=clock,
        bot_user=slack.me.user,
    )
    if settings.slack_app_token is None:
        door = SignedOnly(secret.get_secret_value() if secret else None, clock=clock)
        return slack_handler(app, door), lambda: None
    mode = SocketMode(
        app,
        settings.slack_app_token.get_secret_value(),
        slack.client,
        clock=clock,
        on_reconnect=lambda: wake_ballots(store, clock),
    )
    connection = await stack.enter_async_context(mode)
    return None, lambda: None if connection.connected else "the socket to Slack is not connected"


def _settle_memory() -> None:
    """Take what was loaded for good out of the garbage collector's sight.

    The Kubernetes client alone brings so many objects that each full collection stopped the process for 75 ms, and with
    it every acknowledgement.
    """
    gc.collect()
    gc.freeze()


def _on_signals(bot: Bot, configured: Configured) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bot.worker.stop)
    loop.add_signal_handler(signal.SIGHUP, configured.reload)
