"""The databases that the store's tests run against: another one is one more entry in `DATABASES`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.store.database import Database


def sqlite(folder: Path, template: Path) -> str:
    """The URL of an SQLite file with all tables and nothing in them."""
    shutil.copy(template, folder / "sluice.db")
    return f"sqlite+aiosqlite:///{folder}/sluice.db"


DATABASES: dict[str, Callable[[Path, Path], str]] = {"sqlite": sqlite}


@pytest.fixture(params=sorted(DATABASES))
def url(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> str:
    """Where an empty, migrated database is; a second `Database(url)` is a second process."""
    return DATABASES[request.param](tmp_path, template)


@pytest.fixture
def store(url: str) -> Database:
    """A store, to be entered with `async with`."""
    return Database(url)
