"""Asking a database that is not there: a clear word, and nothing is made by asking."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

ASKED = (["release", "status"], ["deploy", "api", "v1", "staging"], ["audit", "verify"])


@pytest.mark.parametrize("words", ASKED)
def test_no_database_is_made_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """A wrong folder or variable is told, instead of waiting for an answer that nobody will give."""
    monkeypatch.setenv("SLUICE_DATABASE_URL", f"sqlite:///{tmp_path}/sluice.db")
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"sluice: there is no database {tmp_path}/sluice.db yet")
    assert "run `sluice migrate` or `sluice serve` first" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ASKED)
def test_a_database_without_tables_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """An empty file is no database of ours."""
    (tmp_path / "sluice.db").touch()
    monkeypatch.setenv("SLUICE_DATABASE_URL", f"sqlite:///{tmp_path}/sluice.db")
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "has no tables yet; run `sluice migrate` or `sluice serve` first" in result.stderr
