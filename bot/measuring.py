"""The metrics servers of the catalogue, opened: which entry becomes which adapter."""

from collections.abc import Mapping
from pathlib import Path

from bot.adapters.datadog import DatadogMetrics, DatadogServer
from bot.adapters.grafana import GrafanaMetrics
from bot.adapters.kubernetes_login import Connection
from bot.adapters.kubernetes_usage import KubernetesUsage
from bot.adapters.metrics_providers import OpenableMetrics, OpenProviders
from bot.adapters.newrelic import NewRelicMetrics, NewRelicServer
from bot.adapters.pod_usage_metrics import PodUsageMetrics
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.adapters.secret_source import HttpLogin
from bot.adapters.system_clock import SystemClock
from bot.ports.clock import Clock
from runbooks.metrics_providers import DatadogEntry, GrafanaEntry, NewRelicEntry, PrometheusEntry, ProviderEntry


def providers(
    entries: Mapping[str, ProviderEntry],
    *,
    clusters: Mapping[str, Connection] | None = None,
    clock: Clock | None = None,
) -> OpenProviders:
    """All of them by name, to be used inside `async with`. `clusters` are those whose pods services may have measured
    (`cpu: kubernetes`). Raises SetupError for certificates that cannot be read."""
    usage = KubernetesUsage(clusters or {}, clock or SystemClock())
    servers = {name: PodUsageMetrics(_adapter(name, entry), usage) for name, entry in entries.items()}
    return OpenProviders(servers, beside=usage)


def _adapter(name: str, entry: ProviderEntry) -> OpenableMetrics:
    if entry.grafana:
        return _grafana(name, entry.grafana)
    if entry.prometheus:
        return _prometheus(name, entry.prometheus)
    if entry.datadog:
        return _datadog(name, entry.datadog)
    if entry.newrelic:
        return _newrelic(name, entry.newrelic)
    raise RuntimeError(f"the metrics provider '{name}' is of no kind")


def _prometheus(name: str, entry: PrometheusEntry) -> PrometheusMetrics:
    login = HttpLogin(token=_path(entry.token_file), user=entry.username or "", password=_path(entry.password_file))
    return PrometheusMetrics(Server(f"Prometheus {name}", entry.url, login, _path(entry.ca_file)))


def _grafana(name: str, entry: GrafanaEntry) -> GrafanaMetrics:
    login = HttpLogin(token=Path(entry.token_file))
    return GrafanaMetrics(Server(f"Grafana {name}", entry.url, login, _path(entry.ca_file)), entry.uid)


def _datadog(name: str, entry: DatadogEntry) -> DatadogMetrics:
    keys = Path(entry.api_key_file), Path(entry.application_key_file)
    return DatadogMetrics(DatadogServer(f"Datadog {name}", entry.address, *keys, delay=entry.delay))


def _newrelic(name: str, entry: NewRelicEntry) -> NewRelicMetrics:
    key = Path(entry.api_key_file)
    return NewRelicMetrics(NewRelicServer(f"New Relic {name}", entry.address, entry.account, key, delay=entry.delay))


def _path(written: str | None) -> Path | None:
    return Path(written) if written else None
