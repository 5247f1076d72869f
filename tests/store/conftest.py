"""The databases that the store's tests run against: another one is one more entry in `DATABASES`."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy.engine import URL, make_url

from bot.store.database import Database

TEMPLATE = f"sluice_template_{os.getpid()}"


def sqlite(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an SQLite file with all tables and nothing in them."""
    folder = request.getfixturevalue("tmp_path")
    shutil.copy(request.getfixturevalue("template"), folder / "sluice.db")
    yield f"sqlite+aiosqlite:///{folder}/sluice.db"


def postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of such a database of its own on the server at DATABASE_URL."""
    server, name = request.getfixturevalue("server"), f"sluice_{os.getpid()}"
    asyncio.run(administered(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield named(server, name)
    asyncio.run(administered(server, f"DROP DATABASE {name} WITH (FORCE)"))


DATABASES: dict[str, Callable[[pytest.FixtureRequest], Iterator[str]]] = {"sqlite": sqlite, "postgresql": postgresql}
NEEDS_A_SERVER = {"postgresql"}


@pytest.fixture(scope="session")
def server() -> Iterator[URL]:
    """PostgreSQL, with an empty, migrated database to copy: that is faster than migrating for each test."""
    where = make_url(os.environ["DATABASE_URL"])
    asyncio.run(administered(where, f"CREATE DATABASE {TEMPLATE}"))
    asyncio.run(migrated(named(where, TEMPLATE)))
    yield where
    asyncio.run(administered(where, f"DROP DATABASE {TEMPLATE} WITH (FORCE)"))


async def migrated(url: str) -> None:
    """Make all tables."""
    async with Database(url) as database:
        await database.migrate()


async def administered(server: URL, statement: str) -> None:
    """Do something that no transaction can."""
    async with connected(server) as connection:
        await connection.execute(statement)


@asynccontextmanager
async def connected(server: URL) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection beside the store's own."""
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        yield connection
    finally:
        await connection.close()


def named(server: URL, database: str) -> str:
    """The store's URL of one of the server's databases."""
    there = server.set(drivername="postgresql+asyncpg", database=database)
    return there.render_as_string(hide_password=False)


def each() -> list[object]:
    """Every database; those of servers are for `make test-real`."""
    return [
        pytest.param(name, marks=pytest.mark.real) if name in NEEDS_A_SERVER else name for name in sorted(DATABASES)
    ]


@pytest.fixture(params=each())
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an empty, migrated database is; a second `Database(url)` is a second process."""
    yield from DATABASES[request.param](request)


@pytest.fixture
def file(request: pytest.FixtureRequest) -> Iterator[str]:
    """An SQLite file, for what is promised of files alone."""
    yield from sqlite(request)


@pytest.fixture
def store(url: str) -> Database:
    """A store, to be entered with `async with`."""
    return Database(url)
