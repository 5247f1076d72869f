"""The real servers around the bot, opened: the database, the workspace, and everything that the catalogue names."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot import logs
from bot.adapters.http_probe import HttpProber
from bot.adapters.kubernetes_cluster import KubernetesClusters
from bot.adapters.kubernetes_login import Connection
from bot.adapters.oci_auth import docker_logins
from bot.adapters.oci_registry import OciRegistry
from bot.adapters.sigstore_signatures import SigstoreSignatures
from bot.app import Ports
from bot.building import ci_servers
from bot.domain.errors import UnreachableError
from bot.measuring import providers
from bot.ports.clock import Clock
from bot.ports.store import Store
from bot.settings import Settings
from bot.slack.chat import SlackChat
from bot.slack.directory import SlackDirectory
from bot.slack.groups import Groups
from bot.slack.web_api import Identity, identify, open_client
from bot.store.database import Database
from runbooks.catalogue import Catalogue

SLACK_AGAIN_S = 5

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Slack:
    """The workspace as this process reaches it."""

    client: AsyncWebClient
    me: Identity
    chat: SlackChat
    directory: SlackDirectory


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


@asynccontextmanager
async def opened_slack(settings: Settings, clock: Clock) -> AsyncIterator[Slack]:
    """The workspace, once it says who we are; waits for a Slack that does not answer. Raises RefusedError for a token
    that is not good."""
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


@asynccontextmanager
async def opened_ports(
    settings: Settings, catalogue: Catalogue, store: Store, slack: Slack, *, clock: Clock
) -> AsyncIterator[Ports]:
    """Every server of the catalogue, closed with the block."""
    connections = {name: Connection(each.kubeconfig, each.context) for name, each in catalogue.clusters.items()}
    async with AsyncExitStack() as stack:
        clusters = await stack.enter_async_context(KubernetesClusters(connections, clock))
        ci = await stack.enter_async_context(ci_servers(catalogue.ci, clock=clock))
        yield Ports(
            clock=clock,
            store=store,
            clusters=clusters,
            canaries=clusters,
            metrics=await stack.enter_async_context(providers(catalogue.metrics, clusters=connections, clock=clock)),
            registry=await stack.enter_async_context(opened_registry(settings, catalogue)),
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
async def opened_registry(settings: Settings, catalogue: Catalogue) -> AsyncIterator[OciRegistry]:
    """The registries of all images, as the catalogue says how to speak with them. Raises SetupError for logins that
    cannot be read."""
    logins = docker_logins(settings.registry_config) if settings.registry_config else {}
    insecure = frozenset(host for host, entry in catalogue.registries.items() if entry.insecure)
    mirrors = {host: entry.mirror for host, entry in catalogue.registries.items() if entry.mirror}
    async with OciRegistry(logins=logins, insecure=insecure, mirrors=mirrors) as registry:
        yield registry
