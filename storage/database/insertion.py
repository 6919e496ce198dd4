"""The insertion of several rows as one statement.

SQLAlchemy hands several rows to the driver one by one, and psycopg sends those in its pipeline. After that PostgreSQL
no longer ends a session that falls silent within its transaction, so that its locks stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_MOST_PARAMETERS = 30_000  # SQLite takes 32 766 of them in a statement, PostgreSQL 65 535


def insert_rows(connection: Connection, table: sa.TableClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns, in as few statements as there is room in."""
    n_at_once = max(1, _MOST_PARAMETERS // len(rows[0])) if rows else 1
    for start in range(0, len(rows), n_at_once):
        connection.execute(sa.insert(table).values([dict(row) for row in rows[start : start + n_at_once]]))
