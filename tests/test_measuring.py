"""Which entry of the catalogue becomes which metrics server."""

from pathlib import Path

import pytest

from bot.adapters.grafana import GrafanaMetrics
from bot.adapters.prometheus import PrometheusMetrics
from bot.domain.errors import NotFoundError, SetupError
from bot.measuring import providers
from runbooks.metrics_providers import ProviderEntry

URL = "https://metrics.example"


def entry(kind: str, **written: str) -> ProviderEntry:
    """What the catalogue says."""
    return ProviderEntry.model_validate({kind: {"url": URL, **written}})


async def test_each_entry_is_opened_by_its_name() -> None:
    """Prometheus alone, and Prometheus behind Grafana."""
    entries = {"plain": entry("prometheus"), "boards": entry("grafana", uid="p1", token_file="/run/secrets/token")}
    async with providers(entries) as opened:
        assert isinstance(opened.get("plain"), PrometheusMetrics)
        assert isinstance(opened.get("boards"), GrafanaMetrics)
        with pytest.raises(NotFoundError, match="'other'"):
            opened.get("other")


async def test_no_entry_is_no_fault() -> None:
    """A catalogue without canaries."""
    async with providers({}) as opened:
        with pytest.raises(NotFoundError):
            opened.get("main")


@pytest.mark.parametrize("kind", ["prometheus", "grafana"])
async def test_certificates_that_cannot_be_read_are_found_at_the_start(tmp_path: Path, kind: str) -> None:
    """Not in the middle of a release."""
    own = {"uid": "p1", "token_file": "/run/secrets/token"} if kind == "grafana" else {}
    with pytest.raises(SetupError):
        async with providers({"main": entry(kind, ca_file=str(tmp_path / "gone.pem"), **own)}):
            pass
