"""The tour in compressed time: the same story on the same stand-ins."""

from io import StringIO
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner

from bot.cli import app
from bot.sandbox import cli
from bot.sandbox.fast_tour import fast_tour

CHAPTERS = 7


async def test_everything_happens_as_it_is_told(tmp_path: Path) -> None:
    """Deploy, votes, a bot that dies, a canary promoted and one that is caught, the way back, the journal."""
    said = StringIO()
    assert await fast_tour(tmp_path, Console(file=said, width=100)), said.getvalue()
    assert all(f"\n{number} · " in said.getvalue() for number in range(1, CHAPTERS + 1))
    assert "chain intact" in said.getvalue()


def test_fast_is_a_way_to_play_the_tour() -> None:
    """The page is for people: it has no other pace."""
    cli.add(app)
    asked = CliRunner().invoke(app, ["sandbox", "--fast"])
    assert asked.exit_code == 1
    assert "sluice sandbox --tour --fast" in asked.stderr
