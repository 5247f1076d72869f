"""What the table modules share: the connection, and a few one-line queries."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.ext.asyncio import AsyncConnection


class Tables:
    """The connection of a transaction. Core statements on purpose: no identity map can hide what the database says."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def _insert(self, table: Table) -> "postgresql.Insert | sqlite.Insert":
        """An insert that can pass over what is there: both databases can, each by a construct of its own."""
        return (postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert)(table)

    # `values` are those of a statement that was built once: what each pass and each turn asks costs more to build than
    # to answer.

    async def _execute(self, statement: Executable, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        return await self._connection.execute(statement, values)

    async def _rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> list[Row[Any]]:
        return list((await self._connection.execute(statement, values)).all())

    async def _row(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        return (await self._connection.execute(statement, values)).first()
