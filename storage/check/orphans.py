"""Rows of tunefront's tables that belong to no study, or to no trial."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tunefront.storage import studies
from tunefront.storage.check.defect import Defect
from tunefront.storage.database import optuna_tables, schema
from tunefront.storage.database.connection import Store


def find_orphans(store: Store) -> list[Defect]:
    """Find rows of deleted studies, and of trials that do not exist. The caller holds the lock of the whole store."""
    found = []
    alive = studies.list_all(store)
    with store.engine.connect() as connection:
        present = set(sa.inspect(connection).get_table_names())  # an older store lacks some
        tables = [table for table in schema.metadata.tables.values() if table.name in present and "study_id" in table.c]
        ids = [study.study_id for study in alive]
        of_deleted = _describe(
            {table.name: _count(connection, table, table.c.study_id.not_in(ids)) for table in tables}
        )
        if of_deleted:
            what = f"rows of studies that were deleted elsewhere, as in optuna-dashboard, are left: {of_deleted}"
            found.append(Defect("", what, "nothing reads them, and the next new study in this storage removes them"))
        for study in alive:
            counts = {
                table.name: _count(connection, table, (table.c.study_id == study.study_id) & _is_without_trial(table))
                for table in tables
                if "number" in table.c
            }
            without_trial = _describe(counts)
            if without_trial:
                remedy = (
                    "another program has changed the storage, or a restore was cut off: restore the last backup. No "
                    "report shows these rows"
                )
                found.append(Defect(study.name, f"rows of trials that are not there: {without_trial}", remedy))
    return found


def _is_without_trial(table: sa.Table) -> sa.ColumnElement[bool]:
    trials = optuna_tables.trials
    is_same = (trials.c.study_id == table.c.study_id) & (trials.c.number == table.c.number)
    return ~sa.exists(sa.select(trials.c.trial_id).where(is_same))


def _count(connection: Connection, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(condition)).scalar_one()


def _describe(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} in {table}" for table, n in sorted(counts.items()) if n)
