"""Alembic's environment, run for every command: migrations on the connection that `migration.py` passes on.

This command writes the migration of a new version, with the store's URL in place of URL:

    python -m tunefront.storage.database.migration URL "what changes"
"""

from alembic import context

from tunefront.storage.database.migration import VERSION_TABLE, is_ours
from tunefront.storage.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_object=is_ours,
    render_as_batch=True,  # SQLite can alter a table only by making it anew
)
with context.begin_transaction():
    context.run_migrations()
