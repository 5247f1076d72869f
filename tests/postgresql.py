"""Databases of their own on the PostgreSQL server at DATABASE_URL."""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import URL, make_url

NUMBERS = itertools.count(1)


def fresh() -> URL:
    """Where one could be made: a name that no other test has, in the form that the store takes."""
    name = f"sluice_{os.getpid()}_{next(NUMBERS)}"
    return make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg", database=name)


async def create(database: URL, *, like: URL | None = None) -> None:
    """Make it: empty, or as a copy."""
    await _administer(f"CREATE DATABASE {database.database}" + (f" TEMPLATE {like.database}" if like else ""))


async def drop(database: URL) -> None:
    """Remove it, whoever is still connected."""
    await _administer(f"DROP DATABASE {database.database} WITH (FORCE)")


@asynccontextmanager
async def database() -> AsyncIterator[str]:
    """The URL of an empty one, for the length of the block."""
    made = fresh()
    await create(made)
    try:
        yield text(made)
    finally:
        await drop(made)


def text(database: URL) -> str:
    """The URL, with its password."""
    return database.render_as_string(hide_password=False)


async def _administer(statement: str) -> None:
    # Beside the store: no transaction can do this.
    server = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql")
    connection = await asyncpg.connect(text(server))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
