"""Whether a database is there to be asked, before it is opened: asking must not make one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.domain.errors import SetupError, UnreachableError
from bot.store.address import read, shown
from bot.store.sqlite import path_of, require_writable

Answer = TypeVar("Answer")

FIRST = "run `sluice migrate` or `sluice serve` first"


async def require_tables(address: str) -> None:
    """Raise SetupError unless the database has our tables; no file is made by looking. Raises UnreachableError."""
    url = read(address)
    path = path_of(url) if url.get_backend_name() == "sqlite" else None
    if path:
        require_writable(path)
        if not path.exists():
            raise SetupError(f"there is no database {path} yet; {FIRST}, or set SLUICE_DATABASE_URL")
    if not await revision(address):
        raise SetupError(f"the database {shown(url)} has no tables yet; {FIRST}")


async def revision(address: str) -> str | None:
    """Which tables it has; `None`: none of ours. Raises SetupError for an address that is none, UnreachableError."""
    return await asked(address, _revision)


async def asked(address: str, ask: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
    """One question on a connection of its own. Raises as `revision` does."""
    url = read(address)
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await ask(connection)
    except (DBAPIError, OSError) as exc:
        raise UnreachableError(
            f"the database {shown(url)} does not answer: {getattr(exc, 'orig', None) or exc}"
        ) from exc
    finally:
        await engine.dispose()


async def _revision(connection: AsyncConnection) -> str | None:
    return await connection.run_sync(_current)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
