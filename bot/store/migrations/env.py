"""Runs the revisions on the connection that `bot.store.database` hands over."""

from alembic import context
from sqlmodel import SQLModel

from bot.store import rows

TABLES = (rows.InvocationRow, rows.RunRow)  # naming them is what registers them

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
