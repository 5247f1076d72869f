"""What the engine's tests share."""

import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.engine.stage import Stage, stage


@pytest.fixture
def url(tmp_path: Path, template: Path) -> str:
    """Where an empty database is."""
    shutil.copy(template, tmp_path / "sluice.db")
    return f"sqlite+aiosqlite:///{tmp_path}/sluice.db"


@pytest.fixture
def engine(url: str) -> AbstractAsyncContextManager[Stage]:
    """The engine with everything beside it scripted, to be entered with `async with`."""
    return stage(Database(url))
