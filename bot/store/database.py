"""Opening, migrating and using the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.domain.errors import ConflictError, SetupError, UnreachableError
from bot.domain.invocation import Invocation
from bot.store import address, sqlite
from bot.store.invocation_table import heard
from bot.store.transaction import SqlTransaction

POSTGRES_CONNECTIONS = 10
RACES = frozenset({"40001", "40P01", "23505"})
"""PostgreSQL's codes for what another replica got in the way of: serialization failure, deadlock, unique violation."""


class Database:
    """The store. Open it with `async with`; `transaction()`, `reading()` and `hear()` are its whole use."""

    def __init__(self, url: str) -> None:
        self._url = address.read(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._path = sqlite.path_of(self._url) if self._is_sqlite else None
        self._line = sqlite.Line()
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None
        self._quick: Engine | None = None
        self._sole: IO[str] | None = None

    @property
    def sole(self) -> bool:
        """Whether this process is the only one that may serve this database (an SQLite file that it locked)."""
        return self._sole is not None

    async def __aenter__(self) -> "Database":
        if not self._is_sqlite:
            self._writer = create_async_engine(self._url, pool_size=POSTGRES_CONNECTIONS, pool_pre_ping=True)
            # Of the same connections: what only reads sees one moment, as it does in SQLite.
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return self
        if self._path:
            sqlite.require_writable(self._path)
            # One in memory belongs to its connection: it has no readers beside the writer.
            self._reader, self._quick = sqlite.reader(self._url), sqlite.quick_writer(self._url)
        self._writer = sqlite.writer(self._url)
        return self

    async def __aexit__(self, *_: object) -> None:
        for engine in (self._writer, self._reader):
            if engine:
                await engine.dispose()
        if self._quick:
            self._quick.dispose()
        if self._sole:
            self._sole.close()

    def claim(self) -> None:
        """Be the only server of an SQLite file. Raises SetupError when somebody else is."""
        if self._path:
            self._sole = sqlite.claim(self._path)

    async def migrate(self) -> None:
        """Bring the tables to this program's version. Raises SetupError when they are newer or cannot be written."""
        try:
            async with self._opened(self._writer).begin() as connection:
                await connection.run_sync(_upgrade)
        except (DBAPIError, OSError) as exc:
            raise SetupError(f"the database {address.shown(self._url)} cannot be opened: {_cause(exc)}") from exc

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqlTransaction]:
        """A read-write transaction; commits at the end of the block."""
        async with _translated():
            if not self._is_sqlite:
                async with self._opened(self._writer).begin() as connection:
                    yield (tx := SqlTransaction(connection))
                    await tx.link_audits()
                return
            async with self._line.turn(), sqlite.writing(self._opened(self._writer)) as connection:
                yield (tx := SqlTransaction(connection))
                await tx.link_audits()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlTransaction]:
        """A transaction that only reads, sees one moment, and hinders nobody who writes."""
        if self._is_sqlite and self._reader is None:
            async with self.transaction() as tx:
                yield tx
            return
        async with _translated(), self._opened(self._reader).connect() as connection:
            yield SqlTransaction(connection)

    async def hear(self, invocation: Invocation) -> bool:
        """Remember an invocation; before everything else that waits to be written."""
        if self._quick is None:
            async with self.transaction() as tx:
                return await tx.hear(invocation)
        async with _translated(), self._line.turn(hurry=True):
            return await sqlite.to_its_end(asyncio.to_thread(_hear, self._quick, invocation))

    @staticmethod
    def _opened(engine: AsyncEngine | None) -> AsyncEngine:
        if engine is None:
            raise RuntimeError("the database is not open; use `async with Database(url)`")
        return engine


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, PoolTimeoutError, OSError) as exc:  # asyncpg lets the socket's own errors through
        raise UnreachableError(f"the database does not answer: {_cause(exc)}") from exc
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise UnreachableError(f"the connection to the database was lost: {_cause(exc)}") from exc
        if getattr(exc.orig, "sqlstate", None) in RACES:
            raise ConflictError(f"another transaction got in the way of this one: {_cause(exc)}") from exc
        raise


def _hear(engine: Engine, invocation: Invocation) -> bool:
    with engine.begin() as connection:
        return bool(connection.execute(heard(invocation, engine.dialect.name)).rowcount)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    try:
        if present:
            scripts.get_revision(present)
    except CommandError as exc:
        raise SetupError(
            f"the database is at revision {present}, which this version of Sluice does not know: it was written by a "
            "newer one. Start that version, or restore the copy made before the upgrade."
        ) from exc
    if present != scripts.get_current_head():
        command.upgrade(config, "head")


def _cause(exc: BaseException) -> str:
    original = getattr(exc, "orig", None) or exc
    return str(original).strip() or type(original).__name__
