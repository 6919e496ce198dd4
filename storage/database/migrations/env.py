"""What Alembic runs for every command: migrations on the connection that `migration.py` hands over.

A new version, with the store's URL in place of URL:

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
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
