"""The measurements of each trial, by their names with units."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage.attempts import Lease, of_trial
from tunefront.storage.database import schema
from tunefront.storage.database.insertion import insert_rows
from tunefront.storage.open_study import OpenStudy

_MOST_NAMED = 500


def load_measurements(study: OpenStudy) -> dict[int, dict[str, float]]:
    """Read the measurements of a study's trials: number -> name -> value; trials without any are left out."""
    table = schema.measurements
    query = sa.select(table.c.number, table.c.name, table.c.value).where(table.c.study_id == study.study_id)
    found: dict[int, dict[str, float]] = {}
    with study.store.engine.connect() as connection:
        for number, name, value in connection.execute(query):
            found.setdefault(number, {})[name] = value
    return found


def load_named(study: OpenStudy, names: Collection[str], numbers: Collection[int]) -> dict[int, dict[str, float]]:
    """Read the measurements of these names of some trials: number -> name -> value; trials without any are left out."""
    table = schema.measurements
    wanted = (table.c.study_id == study.study_id) & table.c.name.in_(list(names))
    if len(numbers) <= _MOST_NAMED:  # a statement has room for so many; more are rare, and are all read
        wanted &= table.c.number.in_(list(numbers))
    with study.store.engine.connect() as connection:
        rows = connection.execute(sa.select(table).where(wanted)).all()
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row.number, {})[row.name] = row.value
    return found


def replace_measurements(connection: Connection, lease: Lease, measurements: Mapping[str, float]) -> None:
    """Write a trial's measurements in place of its earlier ones. The caller holds the trial's lease."""
    rows = [
        {"study_id": lease.study_id, "number": lease.number, "name": name, "value": value}
        for name, value in measurements.items()
    ]
    table = schema.measurements
    connection.execute(table.delete().where(of_trial(table, lease.study_id, lease.number)))
    insert_rows(connection, table, rows)
