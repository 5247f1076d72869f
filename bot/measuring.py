"""The metrics servers of the catalogue, opened: which entry becomes which adapter."""

from collections.abc import Mapping
from pathlib import Path

from bot.adapters.grafana import GrafanaMetrics
from bot.adapters.metrics_providers import OpenProviders
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.prometheus_client import Server
from bot.adapters.secret_source import HttpLogin
from runbooks.metrics_providers import GrafanaEntry, PrometheusEntry, ProviderEntry


def providers(entries: Mapping[str, ProviderEntry]) -> OpenProviders:
    """All of them by name, to be used inside `async with`. Raises SetupError for certificates that cannot be read."""
    return OpenProviders({name: _adapter(name, entry) for name, entry in entries.items()})


def _adapter(name: str, entry: ProviderEntry) -> PrometheusMetrics:
    if entry.grafana:
        return _grafana(name, entry.grafana)
    if entry.prometheus:
        return _prometheus(name, entry.prometheus)
    raise RuntimeError(f"the metrics provider '{name}' is of no kind")


def _prometheus(name: str, entry: PrometheusEntry) -> PrometheusMetrics:
    login = HttpLogin(token=_path(entry.token_file), user=entry.username or "", password=_path(entry.password_file))
    return PrometheusMetrics(Server(f"Prometheus {name}", entry.url, login, _path(entry.ca_file)))


def _grafana(name: str, entry: GrafanaEntry) -> GrafanaMetrics:
    login = HttpLogin(token=Path(entry.token_file))
    return GrafanaMetrics(Server(f"Grafana {name}", entry.url, login, _path(entry.ca_file)), entry.uid)


def _path(written: str | None) -> Path | None:
    return Path(written) if written else None
