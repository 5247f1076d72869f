"""One transaction over all tables: the store's port, put together from one module a table group."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.history_tables import HistoryTables
from bot.store.hold_tables import HoldTables
from bot.store.invocation_table import InvocationTable
from bot.store.letter_table import LetterTable
from bot.store.run_table import RunTable
from bot.store.target_table import TargetTable


class SqlTransaction(InvocationTable, RunTable, TargetTable, HistoryTables, HoldTables, LetterTable):
    """`bot.ports.store.Transaction` over one connection; begin and commit belong to who made it."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
