"""What all tests share."""

import asyncio
import inspect
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from bot.store.database import Database
from tests.scenarios.world import World

# How fast an example runs says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests in a loop of their own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and nothing in them; copying it is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "empty.db"

    async def make() -> None:
        async with Database(f"sqlite+aiosqlite:///{path}") as database:
            await database.migrate()
            async with database.transaction() as tx:
                await tx.release_leases(None)

    asyncio.run(make())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file that can be copied, without its log beside it
    return path


@pytest.fixture
def world(tmp_path: Path, template: Path) -> World:
    """A bot over fakes, to be entered with `async with`."""
    return World(tmp_path, template)
