"""What is peculiar to SQLite, the embedded default: one writer at a time, readers beside it, one file, one server.

Writers wait in a line of our own instead of colliding in SQLite's (which sleeps and tries again); what must be kept
before an acknowledgement goes to its head. Commits reach the disk before they return (synchronous=FULL): an
acknowledged command is never lost.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.domain.errors import SetupError

BUSY_TIMEOUT = timedelta(seconds=30)
"""How long SQLite itself waits for another process, such as a terminal's."""

READERS = 4
BEGIN_WRITING = "BEGIN IMMEDIATE"
"""A deferred transaction that turns into a writer can fail at once with SQLITE_BUSY; an immediate one waits."""

WAITING_CALLS = frozenset({"commit", "close", "close_and_stop"})
ROWS_AT_ONCE = 64

T = TypeVar("T")


def path_of(url: URL) -> Path | None:
    """The database's file; `None` for one in memory."""
    return Path(url.database) if url.database and url.database != ":memory:" else None


def require_writable(path: Path) -> None:
    """Raise SetupError when the file could not be made or written."""
    if not path.parent.is_dir():
        raise SetupError(
            f"the folder {path.parent} of the database does not exist; make it, or change SLUICE_DATABASE_URL"
        )
    if path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise SetupError(f"the database {path} is read-only for this user; make file and folder writable")


def claim(path: Path) -> IO[str]:
    """Be the only server of a file; ends with the process, even with kill -9. Raises SetupError."""
    handle = path.with_name(f"{path.name}.lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        handle.close()
        raise SetupError(f"another `sluice serve` uses {path}; stop it, or use PostgreSQL for several") from exc
    return handle


def writer(url: URL) -> AsyncEngine:
    """One connection; its transactions take SQLite's write lock when they begin."""
    engine = _engine(url, size=1)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def reader(url: URL) -> AsyncEngine:
    """A few connections that cannot write; each transaction sees one moment and hinders nobody."""
    engine = _engine(url, size=READERS)
    event.listen(engine.sync_engine, "connect", _read_only)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def quick_writer(url: URL) -> Engine:
    """A connection without asyncio, for one short transaction in a thread: a single switch there and back."""
    engine = create_engine(url.set(drivername="sqlite"), pool_size=1, max_overflow=0, connect_args=_ANY_THREAD)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediate)
    return engine


class QuickConnection(aiosqlite.Connection):
    """A connection that goes to its thread only for what may wait: the write lock, and the disk.

    SQLite answers anything else in microseconds, and a switch to another thread and back costs a hundred times that.
    Four switches a statement made every writer wait in the line several times as long.
    """

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if getattr(fn, "__name__", "") in WAITING_CALLS or args[:1] == (BEGIN_WRITING,):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # the library has no types here
        return fn(*args, **kwargs)


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction of the writer; commits at the end of the block.

    A cancelled writer leaves it only when the connection is back: BEGIN and COMMIT run in a thread that knows nothing
    of the cancellation, and would leave the write lock with nobody.
    """
    connection = engine.connect()
    try:
        await to_its_end(_begun(connection))
        yield connection
        await to_its_end(connection.commit())
    finally:
        if connection.sync_connection is not None:
            await to_its_end(connection.close())


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """What must not be left half done: a cancellation meanwhile takes effect when it has ended."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled:
        raise cancelled from task.exception()
    return task.result()


class Line:
    """The line of writers in this process. First come, first served; those who `hurry` go before the others."""

    def __init__(self) -> None:
        self._busy = False
        self._hurried: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, hurry: bool = False) -> AsyncIterator[None]:
        """Write inside the block."""
        await self._wait(self._hurried if hurry else self._patient)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, line: "deque[asyncio.Future[None]]") -> None:
        if not self._busy:
            self._busy = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._next()  # the turn had come just when this writer was cancelled: pass it on
            else:
                line.remove(mine)
            raise

    def _next(self) -> None:
        for line in (self._hurried, self._patient):
            while line:
                waiting = line.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._busy = False


_ANY_THREAD: dict[str, Any] = {"check_same_thread": False}  # one task at a time uses a connection, in whatever thread


def _engine(url: URL, *, size: int) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        return await QuickConnection(partial(sqlite3.connect, url.database or ":memory:", **_ANY_THREAD), ROWS_AT_ONCE)

    engine = create_async_engine(
        url,
        async_creator=connect,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT.total_seconds(),
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # We begin transactions ourselves: the driver would begin them late, after the first read.
    connection.isolation_level = None
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
    _run(connection, *pragmas, f"busy_timeout={int(BUSY_TIMEOUT.total_seconds() * 1000)}")


def _read_only(connection: Any, _record: object) -> None:
    _run(connection, "query_only=ON")


def _run(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql(BEGIN_WRITING)


async def _begun(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()
