"""Area `clock`: this machine's clock against those that its decisions meet: of Slack, whose signatures have a time; of
clusters, which say since when something fails; of metrics servers, which are asked for moments."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta

import httpx

from bot.adapters.kubernetes_access import KubernetesAccess
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_login import Connection
from bot.doctor.case import Case, connections
from bot.doctor.finding import Area, Tell
from bot.doctor.skew import Skew, by_header, clock_finding
from bot.domain.errors import SluiceError
from bot.ports.clock import Clock
from runbooks.metrics_providers import ProviderEntry

AREA = Area.CLOCK
DEADLINE = timedelta(seconds=5)

Headers = Callable[[], Awaitable[Mapping[str, str] | None]]
"""Asks a server for anything; the headers of its answer, `None` where there is none."""


async def examine(case: Case, tell: Tell) -> None:
    """By the header `Date` of each server. One that does not answer is told in its own area."""
    asked = list(_servers(case))
    skews = await asyncio.gather(*(_skew(case.clock, headers) for _, headers in asked))
    found = {name: skew for (name, _), skew in zip(asked, skews, strict=True) if skew is not None}
    if not found:
        fix = "mend what the other areas name, then `sluice doctor clock`"
        tell(AREA.unknown("this machine", "no server answered with its time", fix))
    # Where most others agree, it is ours that is wrong.
    is_ours = 2 * sum(skew.is_noticed for skew in found.values()) > len(found)
    for name, skew in found.items():
        tell(clock_finding(AREA, name, skew, whose="this machine" if is_ours else name))


def _servers(case: Case) -> Iterator[tuple[str, Headers]]:
    """Whom to ask, and how."""
    yield "Slack", _over_http(f"{case.settings.slack_api_url}api.test")
    if case.configuration is None:
        return
    for name, connection in connections(case.configuration).items():
        yield f"cluster {name}", _of_cluster(case.clock, name, connection)
    for name, entry in case.configuration.catalogue.metrics.items():
        yield f"metrics server {name}", _over_http(_address(entry))


def _address(entry: ProviderEntry) -> str:
    kept = entry.prometheus or entry.grafana
    if kept is not None:
        return kept.url
    service = entry.datadog or entry.newrelic
    return service.address if service is not None else ""


async def _skew(clock: Clock, headers: Headers) -> Skew | None:
    asked = clock.now()
    told = await headers()
    return None if told is None else by_header(told, asked=asked, answered=clock.now())


def _over_http(url: str) -> Headers:
    async def ask() -> Mapping[str, str] | None:
        # Nothing is sent, and nothing but the time is read: whose certificate it is does not matter.
        async with httpx.AsyncClient(timeout=DEADLINE.total_seconds(), verify=False) as http:
            try:
                async with asyncio.timeout(DEADLINE.total_seconds()), http.stream("GET", url) as answer:
                    return answer.headers  # its body may never end
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
                return None

    return ask


def _of_cluster(clock: Clock, name: str, connection: Connection) -> Headers:
    async def ask() -> Mapping[str, str] | None:
        client = KubernetesClient(name, connection, clock, deadline=DEADLINE)
        try:
            await client.open()
            return await KubernetesAccess(client).headers()
        except SluiceError:
            return None
        finally:
            await client.close()

    return ask
