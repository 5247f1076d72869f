"""Freezes and locks, as they are remembered."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

import bot.store
from bot.domain.hold import EVERYTHING, Freeze, Lock
from bot.domain.target import Target
from bot.store.database import Database
from tests.builders import NOW
from tests.fakes.people import ANN, BOB

HOUR = timedelta(hours=1)
PROD, STAGING = Target("api", "prod"), Target("api", "staging")
FREEZE = Freeze("prod", ANN, NOW, NOW + HOUR, "moving the database")
LOCK = Lock(PROD, ANN, NOW, "trying something")


async def test_a_freeze_is_kept_until_it_is_over(store: Database) -> None:
    """What is over is nobody's hindrance, cleared away or not."""
    async with store, store.transaction() as tx:
        await tx.freeze(FREEZE)
        assert list(await tx.freezes(NOW)) == [FREEZE]
        assert list(await tx.freezes(NOW + HOUR)) == []


async def test_one_of_the_same_scope_gives_way(store: Database) -> None:
    """There is one freeze a scope."""
    longer = replace(FREEZE, until=None, reason="longer")
    async with store, store.transaction() as tx:
        await tx.freeze(FREEZE)
        await tx.freeze(longer)
        assert list(await tx.freezes(NOW)) == [longer]


async def test_freezes_stand_in_order_of_beginning(store: Database) -> None:
    """Those of an environment beside the one of everything."""
    everything = Freeze(EVERYTHING, BOB, NOW - HOUR, None, "stop the line")
    async with store, store.transaction() as tx:
        await tx.freeze(FREEZE)
        await tx.freeze(everything)
        assert list(await tx.freezes(NOW)) == [everything, FREEZE]


async def test_lifting_tells_what_was_lifted(store: Database) -> None:
    """And nothing the second time."""
    async with store, store.transaction() as tx:
        await tx.freeze(FREEZE)
        assert await tx.unfreeze("prod") == FREEZE
        assert await tx.unfreeze("prod") is None


async def test_a_target_is_locked_once(store: Database) -> None:
    """Whoever comes second changes nothing."""
    async with store, store.transaction() as tx:
        assert await tx.lock(LOCK)
        assert not await tx.lock(replace(LOCK, owner=BOB))
        assert await tx.locked(PROD) == LOCK
        assert await tx.locked(STAGING) is None


async def test_unlocking_tells_whose_it_was(store: Database) -> None:
    """And leaves other locks alone."""
    other = replace(LOCK, target=STAGING, since=NOW - HOUR)
    async with store, store.transaction() as tx:
        await tx.lock(LOCK)
        await tx.lock(other)
        assert list(await tx.locks()) == [other, LOCK]
        assert await tx.unlock(PROD) == LOCK
        assert await tx.unlock(PROD) is None
        assert list(await tx.locks()) == [other]


async def test_a_reminder_is_remembered(store: Database) -> None:
    """So that nobody is reminded twice of the same day."""
    async with store, store.transaction() as tx:
        await tx.lock(LOCK)
        await tx.reminded(PROD, at=NOW + HOUR)
        assert await tx.locked(PROD) == replace(LOCK, reminded_at=NOW + HOUR)


async def test_what_was_not_committed_holds_nothing_back(store: Database) -> None:
    """All or nothing, as for everything else."""

    async def dies() -> None:
        async with store.transaction() as tx:
            await tx.freeze(FREEZE)
            await tx.freeze(replace(FREEZE, reason=None))  # type: ignore[arg-type]  # the database refuses it

    async with store:
        with pytest.raises(IntegrityError):
            await dies()
        async with store.reading() as tx:
            assert list(await tx.freezes(NOW)) == []


def test_a_database_of_the_first_revision_gets_the_tables_and_keeps_its_rows(tmp_path: Path) -> None:
    """Up from 0001, and down again."""
    path = tmp_path / "old.db"
    config = Config()
    config.set_main_option("script_location", str(Path(bot.store.__path__[0]) / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO targets (service, environment, counter) VALUES ('api', 'prod', 7)")
        command.upgrade(config, "0002")
        assert connection.exec_driver_sql("SELECT counter FROM targets").scalar() == 7
        assert connection.exec_driver_sql("SELECT count(*) FROM locks").scalar() == 0
        command.downgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "targets" in tables
    assert not {"freezes", "locks"} & tables
