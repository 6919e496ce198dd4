"""In which order the trials of a study finished, on the database's clock."""

from __future__ import annotations

import sqlalchemy as sa

from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store
from tunefront.storage.queue import Outcome


def finished_numbers(store: Store, study_id: int) -> list[int]:
    """Numbers of the trials that were completed or pruned, the first one to finish first."""
    table = schema.attempts
    query = (
        sa.select(table.c.number)
        .where((table.c.study_id == study_id) & table.c.ending.in_([Outcome.COMPLETE, Outcome.PRUNED]))
        .order_by(table.c.ended_at, table.c.number)
    )
    with store.engine.connect() as connection:
        return [int(number) for number in connection.execute(query).scalars()]
