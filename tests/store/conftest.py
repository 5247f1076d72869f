"""The databases that the store's tests run against: another one is one more entry in `DATABASES`."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from bot.store.database import Database
from tests import postgresql


def sqlite(folder: Path, template: Path) -> str:
    """The URL of an SQLite file with all tables and nothing in them."""
    shutil.copy(template, folder / "sluice.db")
    return f"sqlite+aiosqlite:///{folder}/sluice.db"


def in_a_file(request: pytest.FixtureRequest) -> Iterator[str]:
    """Such a file of the test's own."""
    yield sqlite(request.getfixturevalue("tmp_path"), request.getfixturevalue("template"))


def on_the_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of such a database on a PostgreSQL server."""
    made = postgresql.fresh()
    asyncio.run(postgresql.create(made, like=request.getfixturevalue("migrated")))
    yield postgresql.text(made)
    asyncio.run(postgresql.drop(made))


DATABASES: dict[str, Callable[[pytest.FixtureRequest], Iterator[str]]] = {
    "sqlite": in_a_file,
    "postgresql": on_the_server,
}
SERVERS = {"postgresql"}


@pytest.fixture(scope="session")
def migrated() -> Iterator[URL]:
    """A PostgreSQL database with all tables; copying it is faster than migrating for each test."""

    async def make() -> None:
        await postgresql.create(made)
        async with Database(postgresql.text(made)) as database:
            await database.migrate()

    made = postgresql.fresh()
    asyncio.run(make())
    yield made
    asyncio.run(postgresql.drop(made))


def each() -> list[object]:
    """Every database; those of servers are for `make test-real`."""
    return [pytest.param(name, marks=pytest.mark.real) if name in SERVERS else name for name in sorted(DATABASES)]


@pytest.fixture(params=each())
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an empty, migrated database is; a second `Database(url)` is a second process."""
    yield from DATABASES[request.param](request)


@pytest.fixture
def file(request: pytest.FixtureRequest) -> Iterator[str]:
    """An SQLite file, for what is promised of files alone."""
    yield from in_a_file(request)


@pytest.fixture
def store(url: str) -> Database:
    """A store, to be entered with `async with`."""
    return Database(url)
