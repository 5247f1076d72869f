"""Which entry of the catalogue becomes which metrics server."""

from pathlib import Path

import pytest

from bot.domain.errors import NotFoundError, RefusedError, SetupError
from bot.measuring import providers
from runbooks.metrics_providers import ProviderEntry
from tests.contracts.canaries import queries_of
from tests.fakes.clock import START


def entries(folder: Path) -> dict[str, ProviderEntry]:
    """One entry of every kind; no file is there."""
    secret = str(folder / "none")
    written = {
        "main": {"prometheus": {"url": "http://prometheus.test", "token_file": secret}},
        "login": {"prometheus": {"url": "http://prometheus.test", "username": "ann", "password_file": secret}},
        "grafana": {"grafana": {"url": "http://grafana.test", "uid": "p", "token_file": secret}},
        "datadog": {"datadog": {"api_key_file": secret, "application_key_file": secret}},
        "newrelic": {"newrelic": {"account": 7, "api_key_file": secret, "region": "eu"}},
    }
    return {name: ProviderEntry.model_validate(entry) for name, entry in written.items()}


async def test_every_kind_is_opened(tmp_path: Path) -> None:
    """Opening asks nobody anything; secrets are read when somebody asks."""
    async with providers(entries(tmp_path)) as opened:
        for name in entries(tmp_path):
            with pytest.raises(RefusedError, match=r"the secret in .*/none cannot be read"):
                await opened.get(name).prove(queries_of("api"), START)
        with pytest.raises(NotFoundError, match="known: datadog, grafana, login, main, newrelic"):
            opened.get("prom")


async def test_no_entry_is_no_fault() -> None:
    """A catalogue without canaries."""
    async with providers({}) as opened:
        with pytest.raises(NotFoundError):
            opened.get("main")


@pytest.mark.parametrize("kind", ["prometheus", "grafana"])
async def test_certificates_that_cannot_be_read_are_found_at_the_start(tmp_path: Path, kind: str) -> None:
    """Not in the middle of a release."""
    own = {"uid": "p1", "token_file": "/run/secrets/token"} if kind == "grafana" else {}
    written = {kind: {"url": "https://metrics.test", "ca_file": str(tmp_path / "gone.pem"), **own}}
    with pytest.raises(SetupError):
        async with providers({"main": ProviderEntry.model_validate(written)}):
            pass
