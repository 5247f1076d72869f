"""The command line: each command says what it found, and its exit status tells scripts."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.adapters.system_clock import SystemClock
from bot.cli import app
from bot.domain.journal import AuditEntry
from bot.store.database import Database
from tests.builders import NOW
from tests.fakes.people import ANN
from tests.runbooks.catalogues import CATALOGUE
from tests.scenarios.world import World, workload

Sluice = Callable[..., Result]


@pytest.fixture
def sluice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sluice:
    """Run a command in a folder with a catalogue, on a database of its own."""
    monkeypatch.setenv("SLUICE_CONFIG", str(tmp_path / "sluice.yaml"))
    monkeypatch.setenv("SLUICE_DATABASE_URL", f"sqlite:///{tmp_path}/sluice.db")
    monkeypatch.setenv("SLUICE_AS", "U0ANN")
    (tmp_path / "sluice.yaml").write_text(CATALOGUE)
    return lambda *words: CliRunner().invoke(app, words)


def test_without_a_word_it_says_what_there_is(sluice: Sluice) -> None:
    """Every command, in a line."""
    said = sluice().output
    assert all(word in said for word in ("serve", "migrate", "check", "lint", "explain", "audit", "deploy", "rollback"))


def test_migrate_makes_the_tables(sluice: Sluice, tmp_path: Path) -> None:
    """And may be run again."""
    for _ in range(2):
        result = sluice("migrate")
        assert (result.exit_code, result.output) == (0, "The database is up to date.\n")
    with closing(sqlite3.connect(tmp_path / "sluice.db")) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_what_a_person_can_mend_is_one_line(sluice: Sluice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No trace of Python; the exit status says that it failed."""
    monkeypatch.setenv("SLUICE_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/sluice.db")
    result = sluice("migrate")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"sluice: the folder {tmp_path}/nowhere of the database does not exist")


def test_serve_refuses_an_environment_that_is_not_right(sluice: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is opened."""
    monkeypatch.setenv("SLUICE_PORT", "many")
    result = sluice("serve")
    assert result.exit_code == 1
    assert "the environment is not right: SLUICE_PORT" in result.stderr


def test_check_counts_what_it_read(sluice: Sluice) -> None:
    """And finds no fault in a catalogue without one."""
    result = sluice("check")
    assert (result.exit_code, "2 services, 2 environments, 5 runbooks: no fault." in result.output) == (0, True)


def test_check_names_every_fault(sluice: Sluice, tmp_path: Path) -> None:
    """With file, line and column."""
    (tmp_path / "sluice.yaml").write_text(CATALOGUE.replace("cluster: main", "cluster: mian"))
    result = sluice("check")
    assert result.exit_code == 1
    assert result.stderr.count("there is no cluster 'mian'") == 2
    assert f"{tmp_path}/sluice.yaml:3:" in result.stderr


def test_lint_finds_faults_and_warnings(sluice: Sluice, tmp_path: Path) -> None:
    """Faults fail; warnings alone do not."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("name: good\nabout: Good.\nsteps: [smoke]\n")
    bad.write_text("name: bad\nabout: Bad.\nsteps: [smok]\n")
    result = sluice("lint", str(good))
    assert (result.exit_code, "0 faults" in result.stderr) == (0, True)
    result = sluice("lint", str(good), str(bad))
    assert result.exit_code == 1
    assert "bad.yaml:3:" in result.output
    assert "1 faults" in result.stderr


def test_explain_reads_a_runbook_aloud(sluice: Sluice) -> None:
    """As Markdown, where it is not read on a terminal."""
    result = sluice("explain", "deploy")
    assert result.exit_code == 0
    assert "Tell the workload to run the artifact, by digest." in result.output


def test_explain_needs_no_catalogue(sluice: Sluice, tmp_path: Path) -> None:
    """The library comes with the program; a name that is not in it is a slip."""
    (tmp_path / "sluice.yaml").unlink()
    assert sluice("explain", "rollback").exit_code == 0
    result = sluice("explain", "deplyo")
    assert result.exit_code == 1
    assert (
        result.stderr == "sluice: there is no runbook 'deplyo'; there are canary, deploy, hotfix, promote, rollback\n"
    )


def journalled(path: Path, entries: int) -> None:
    """A database with a journal."""

    async def write() -> None:
        async with Database(f"sqlite+aiosqlite:///{path}") as store:
            await store.migrate()
            async with store.transaction() as tx:
                for number in range(entries):
                    await tx.audit(AuditEntry(NOW, "U0ANN", "command", f"subject {number}"))

    asyncio.run(write())


def test_verify_proves_the_journal(sluice: Sluice, tmp_path: Path) -> None:
    """With its head, to be compared with one that was written down elsewhere."""
    journalled(tmp_path / "sluice.db", 1003)
    result = sluice("audit", "verify")
    assert result.exit_code == 0
    assert result.output.startswith("1003 entries, chain intact, head ")


def test_verify_finds_what_was_changed(sluice: Sluice, tmp_path: Path) -> None:
    """And says where."""
    journalled(tmp_path / "sluice.db", 3)
    with closing(sqlite3.connect(tmp_path / "sluice.db")) as connection:
        connection.execute("UPDATE journal SET entry = replace(entry, 'U0ANN', 'U0EVE') WHERE number = 2")
        connection.commit()
    result = sluice("audit", "verify")
    assert (result.exit_code, result.stderr) == (1, "sluice: The journal is broken at entry 2 of 3.\n")


def test_verify_of_an_empty_journal(sluice: Sluice, tmp_path: Path) -> None:
    """Nothing is intact, too."""
    journalled(tmp_path / "sluice.db", 0)
    assert sluice("audit", "verify").output == "0 entries, chain intact, head empty.\n"


@pytest.mark.parametrize("words", [("release", "status"), ("audit", "verify")], ids=" ".join)
def test_asking_makes_no_database(sluice: Sluice, tmp_path: Path, words: tuple[str, ...]) -> None:
    """A wrong path is named instead of waited on, and nothing is left there."""
    result = sluice(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"sluice: there is no database {tmp_path}/sluice.db yet; run `sluice migrate`")
    assert not (tmp_path / "sluice.db").exists()


def test_asking_a_database_without_tables_says_what_to_run(sluice: Sluice, tmp_path: Path) -> None:
    """Nobody has migrated it."""
    (tmp_path / "sluice.db").touch()
    assert "has no tables yet; run `sluice migrate`" in sluice("release", "status").stderr


def test_evidence_is_written_once_and_found_as_it_was_written(world: World, sluice: Sluice) -> None:
    """A file that is there is never written over."""

    async def release() -> None:
        async with world:
            await world.says(ANN, "deploy api v2 staging")
            await world.finishes()

    asyncio.run(release())
    file = world.folder / "evidence.json"
    assert sluice("audit", "export", "api-staging-1").output.startswith("{")
    assert sluice("audit", "export", "api-staging-1", "--out", str(file)).exit_code == 0
    again = sluice("audit", "export", "api-staging-1", "--out", str(file))
    assert (again.exit_code, f"{file} is there already" in again.stderr) == (1, True)
    found = sluice("audit", "verify", str(file))
    assert (found.exit_code, "The evidence of api-staging-1 is as it was written" in found.output) == (0, True)
    file.write_text(file.read_text().replace("succeeded", "failed"))
    assert "was changed" in sluice("audit", "verify", str(file)).stderr
    assert "cannot be read" in sluice("audit", "verify", str(file.with_name("nowhere"))).stderr


# --- verbs that are asked through the database ---


async def asked(world: World, *words: str) -> Result:
    """A command is typed in another process while the bot serves."""
    world.clock.advance_to(SystemClock().now())
    environment = {"SLUICE_DATABASE_URL": f"sqlite:///{world.folder}/sluice.db", "SLUICE_AS": "U0ANN"}
    typed = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, list(words), env=environment))
    while not (await asyncio.wait({typed}, timeout=0.05))[0]:
        world.clock.advance_to(SystemClock().now())
        await world.settle()
    return typed.result()


async def test_a_release_is_asked_for_and_followed(world: World) -> None:
    """To its end, with its exit status."""
    world.cluster.find(workload("staging")).rollout_s = 0
    async with world:
        result = await asked(world, "deploy", "api", "v2", "staging", "--reason", "a small fix")
        assert "`v2` runs in staging" in result.output
        assert result.exit_code == 0
        assert (await world.newest()).request.reason == "a small fix"


async def test_everything_else_is_behind_release(world: World) -> None:
    """The words go on as they were typed."""
    async with world:
        result = await asked(world, "release", "status", "api")
        assert "Nothing is under way." in result.output


async def test_a_rollback_is_asked_for(world: World) -> None:
    """With the same answer as in Slack."""
    async with world:
        result = await asked(world, "rollback", "api", "staging")
        assert "Nothing healthy is known for api/staging" in result.output
        assert result.exit_code == 1
