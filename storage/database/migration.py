"""Upgrading tunefront's tables to this version, by the migrations in `migrations/`.

Alembic stores the state in a table of tunefront's own, because Optuna uses Alembic's usual one in the same database.
The number in ``tunefront_schema`` is read by older versions of tunefront: it lets them say "install a newer tunefront"
instead of failing in SQL.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

from tunefront.storage.database.schema import VERSION, check_version, schema_version

VERSION_TABLE = "tunefront_alembic"
_PREFIX = "tunefront_"
_FIRST = "0001"


def upgrade(connection: Connection) -> None:
    """Make missing tables and change those of an earlier version. The caller holds the store's lock.

    A database that has this version already is left as it is, after one query.

    Raises:
        ValueError: If the database was written by a newer tunefront.
    """
    tables = set(sa.inspect(connection).get_table_names())
    is_there = schema_version.name in tables
    if is_there:
        check_version(connection)
        if VERSION_TABLE in tables and _version(connection) == VERSION:
            return
    config = _config(connection)
    if is_there and VERSION_TABLE not in tables:  # made before there were migrations
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")
    connection.execute(schema_version.delete())
    connection.execute(schema_version.insert().values(version=VERSION))


def stored_versions(connection: Connection) -> tuple[int, int | None]:
    """Return the version that a store's tables are said to have, and that of the last migration; None without any."""
    said = _version(connection) or 0
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return said, None
    last = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return said, int(last) if last is not None else None


def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Return whether Alembic is to look at a table, or a part of one: it is to look at tunefront's alone."""
    table = name if kind == "table" else item.table.name
    return bool(table) and str(table).startswith(_PREFIX) and table != VERSION_TABLE


def _version(connection: Connection) -> int | None:
    return connection.execute(sa.select(schema_version.c.version)).scalar()


def _config(connection: Connection) -> Config:
    config = Config()
    # Alembic takes a percent sign for the start of a variable, so those in the path are doubled.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _write_migration(url: str, message: str) -> None:
    """Write a migration from the database at `url` to the tables of `schema.py`, for a person to correct."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{VERSION:04}")


if __name__ == "__main__":
    _write_migration(*sys.argv[1:])
