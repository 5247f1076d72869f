"""Opening a database: migrated, claimed, or refused with what to do."""

import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from bot.domain.errors import SetupError, UnreachableError
from bot.store.database import Database
from tests.builders import NOW
from tests.store.stored import added, heard, stored


def file_url(path: Path) -> str:
    """The URL of an SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def written(path: Path, content: bytes) -> Path:
    """A file with that content."""
    path.write_bytes(content)
    return path


def read(path: Path) -> bytes:
    """A file's content."""
    return path.read_bytes()


def tables(path: Path) -> set[str]:
    """The names of the tables in a file."""
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def columns(connection: Connection) -> dict[str, dict[str, bool]]:
    """Whether each column may be empty, by its table."""
    found = inspect(connection)
    return {
        name: {column["name"]: bool(column["nullable"]) for column in found.get_columns(name)}
        for name in found.get_table_names()
    }


async def test_a_fresh_file_gets_all_tables(tmp_path: Path) -> None:
    """And can be used at once."""
    path = tmp_path / "fresh.db"
    async with Database(file_url(path)) as database:
        await database.migrate()
        assert await database.hear(heard())
    assert {"runs", "targets", "releases", "events", "journal", "letters", "invocations"} <= tables(path)


async def test_migrating_again_keeps_what_is_there(store: Database) -> None:
    """Every start migrates; only the first one does anything."""
    async with store:
        async with store.transaction() as tx:
            run = await added(tx)
        await store.migrate()
        await store.migrate()
        assert await stored(store) == run


async def test_the_migrations_make_the_tables_that_the_code_expects(store: Database) -> None:
    """The last revision and the rows of today are the same columns, under the same names."""
    async with store, store.reading() as tx:
        found = await tx._connection.run_sync(columns)
    for name, table in SQLModel.metadata.tables.items():
        assert found[name] == {column.name: bool(column.nullable) for column in table.columns}, name


async def test_a_newer_database_is_refused(store: Database) -> None:
    """An older program must not guess what a newer one wrote."""
    async with store:
        async with store.transaction() as tx:
            await tx._execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SetupError, match=r"revision 9999.*written by a newer one. Start that version, or restore"):
            await store.migrate()


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """With the variable that names it."""
    with pytest.raises(SetupError, match=r"nowhere of the database does not exist; .*SLUICE_DATABASE_URL"):
        async with Database(file_url(tmp_path / "nowhere" / "sluice.db")):
            pytest.fail("it should not open")


async def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """Another sort of file in the database's place is named, and left as it is."""
    path = written(tmp_path / "sluice.db", b"an old holiday picture" * 500)
    async with Database(file_url(path)) as database:
        with pytest.raises(SetupError, match=r"sluice\.db cannot be opened: file is not a database"):
            await database.migrate()
    assert read(path).startswith(b"an old holiday picture")


async def test_a_server_that_is_away_is_temporary() -> None:
    """PostgreSQL is being restarted: the engine waits; a start says so, without the password."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with Database(f"postgresql+asyncpg://sluice:hunter2@127.0.0.1:{port}/sluice") as database:
        with pytest.raises(UnreachableError, match="the database does not answer"):
            await database.hear(heard())
        with pytest.raises(SetupError, match="cannot be opened") as caught:
            await database.migrate()
    assert "hunter2" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
async def test_a_read_only_file_is_refused(tmp_path: Path, template: Path) -> None:
    """Before anything is started that could not be written down."""
    path = written(tmp_path / "sluice.db", read(template))
    path.chmod(0o444)
    async with Database(file_url(path)) as database:
        with pytest.raises(SetupError, match="read-only for this user; make file and folder writable"):
            await database.migrate()


async def test_a_second_server_is_refused(file: str) -> None:
    """Two workers on one SQLite file would both believe to be alone."""
    async with Database(file) as first, Database(file) as second:
        first.claim()
        assert first.sole
        with pytest.raises(SetupError, match=r"another `sluice serve` uses .*sluice\.db"):
            second.claim()
        assert not second.sole


async def test_the_claim_ends_with_its_process(file: str) -> None:
    """A stopped server leaves the file to the next one."""
    async with Database(file) as first:
        first.claim()
    async with Database(file) as second:
        second.claim()
        assert second.sole


async def test_a_database_in_memory_needs_no_claim() -> None:
    """Nobody else can reach it."""
    async with Database("sqlite+aiosqlite:///:memory:") as database:
        database.claim()
        assert not database.sole
        await database.migrate()
        assert await database.hear(heard())


async def test_an_unopened_database_is_a_fault_of_ours(store: Database) -> None:
    """It says how to open it."""
    with pytest.raises(RuntimeError, match="async with Database"):
        await store.hear(heard())


async def test_a_database_that_went_away_is_temporary(tmp_path: Path) -> None:
    """No tables, a full disk, a lost file: the engine waits and tries again."""
    async with Database(file_url(tmp_path / "empty.db")) as database:
        with pytest.raises(UnreachableError, match="the database does not answer: no such table"):
            async with database.transaction() as tx:
                await tx.next_due(NOW)


async def test_a_broken_promise_of_ours_is_not_called_an_outage(file: str) -> None:
    """The same run stored twice is a fault of the program, where nobody else can have stored it meanwhile."""
    async with Database(file) as store, store.transaction() as tx:
        await added(tx)
        with pytest.raises(IntegrityError, match="UNIQUE"):
            await added(tx)


async def test_commits_reach_the_disk_before_they_return(file: str) -> None:
    """An acknowledged command is never lost, not even to a power cut."""
    async with Database(file) as store, store.transaction() as tx:
        assert (await tx._rows(text("PRAGMA synchronous")))[0][0] == 2
        assert (await tx._rows(text("PRAGMA journal_mode")))[0][0] == "wal"


async def test_two_processes_write_in_turn(store: Database, url: str) -> None:
    """What one has committed, the other sees."""
    async with store, Database(url) as second:
        await store.hear(heard("k1"))
        assert not await second.hear(heard("k1"))
        assert await second.hear(heard("k2"))
