"""`Metrics` over a Prometheus data source of Grafana, for whoever may see Grafana only.

Grafana hands `/api/datasources/proxy/uid/<uid>/...` on to the data source, with its own login there; a service account
with the role Viewer may query. The token is that of the service account.
"""

from dataclasses import replace
from urllib.parse import quote

import httpx

from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server


class GrafanaMetrics(PrometheusMetrics):
    """Used inside `async with`. `server.url` is Grafana's own address; `uid` that of the data source, as in its
    settings page's address."""

    def __init__(self, server: Server, uid: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        proxy = f"{server.url.rstrip('/')}/api/datasources/proxy/uid/{quote(uid, safe='')}"
        super().__init__(replace(server, url=proxy), transport=transport)
