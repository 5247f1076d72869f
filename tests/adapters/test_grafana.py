"""Prometheus behind Grafana's proxy, and the metrics servers of the catalogue together."""

from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr

from bot.adapters.grafana import GrafanaMetrics
from bot.adapters.metrics_providers import OpenProviders
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.adapters.secret_source import HttpLogin
from bot.domain.errors import NotFoundError, RefusedError, UnreadableError
from tests.adapters.prometheus_server import PrometheusServer
from tests.adapters.prometheus_world import QUERIES, URL, after, scraped

LOGIN = HttpLogin(token=SecretStr("glsa_1"))
GRAFANA = Server("Grafana main", "https://grafana.test/sub/", login=LOGIN)


def behind_grafana() -> PrometheusServer:
    """A server that is reached through the proxy alone, with a token of Grafana's."""
    server = scraped()
    server.prefix = "/sub/api/datasources/proxy/uid/prom-1"
    server.authorization = "Bearer glsa_1"
    return server


async def test_grafana_hands_queries_on() -> None:
    """By the data source's uid, below Grafana's own path, with the service account's token."""
    async with GrafanaMetrics(GRAFANA, "prom-1", transport=behind_grafana()) as metrics:
        readings = await metrics.read(QUERIES, after(3), after(5.5))
        proofs = await metrics.prove(QUERIES, after(15))
        totals = await metrics.totals(QUERIES, timedelta(seconds=10), after(15))
    assert [reading.whole for reading in readings] == [True, True]
    assert all(proof.usable for proof in proofs)
    assert (totals.requests, totals.lacks) == (pytest.approx(500, rel=0.01), ())


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (httpx.Response(401, json={"message": "Invalid API key"}), RefusedError, "HTTP 401: Invalid API key"),
        (httpx.Response(404, json={"message": "Data source not found"}), UnreadableError, "404: Data source not found"),
    ],
)
async def test_grafanas_own_words_are_told(fault: httpx.Response, kind: type[Exception], said: str) -> None:
    """They differ from Prometheus's."""
    server = behind_grafana()
    server.faults.append(fault)
    async with GrafanaMetrics(GRAFANA, "prom-1", transport=server) as metrics:
        with pytest.raises(kind, match=f"Grafana main .*{said}"):
            await metrics.read(QUERIES, after(3), after(5))


async def test_providers_are_found_by_name() -> None:
    """And an unknown name is told with those that are known."""
    main = PrometheusMetrics(Server("Prometheus main", URL), transport=scraped())
    grafana = GrafanaMetrics(GRAFANA, "prom-1", transport=behind_grafana())
    async with OpenProviders({"main": main, "hosted": grafana}) as providers:
        assert (providers.get("main"), providers.get("hosted")) == (main, grafana)
        assert len(await providers.get("main").read(QUERIES, after(3), after(5.5))) == 2
        with pytest.raises(NotFoundError, match="no metrics provider 'mian' in the catalogue; known: hosted, main"):
            providers.get("mian")


async def test_no_provider_at_all_is_told() -> None:
    """A catalogue may have none."""
    async with OpenProviders({}) as providers:
        with pytest.raises(NotFoundError, match="known: none"):
            providers.get("main")
