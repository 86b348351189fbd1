"""Run by Alembic: applies the migrations on the connection that `database` passes."""

from alembic import context

from cxr_app.worklist.database import VERSION_TABLE
from cxr_app.worklist.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
