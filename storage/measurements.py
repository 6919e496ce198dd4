"""The measurements of each trial, by their names with units."""

from __future__ import annotations

import sqlalchemy as sa

from tunefront.storage.database import schema
from tunefront.storage.open_study import OpenStudy


def load_measurements(study: OpenStudy) -> dict[int, dict[str, float]]:
    """Read the measurements of a study's trials: number -> name -> value; trials without any are left out."""
    table = schema.measurements
    with study.store.engine.connect() as connection:
        rows = connection.execute(sa.select(table).where(table.c.study_id == study.study_id)).all()
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row.number, {})[row.name] = row.value
    return found
