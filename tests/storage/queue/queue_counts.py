"""How many trials and leases a store has."""

from __future__ import annotations

import sqlalchemy as sa

from tests.storage.study_fixture import StudyFixture
from tunefront.storage.counts import Counts
from tunefront.storage.database import schema


def make_counts(**counts: int) -> Counts:
    """Return counts that are 0 except those given."""
    return Counts(**{"complete": 0, "pruned": 0, "refused": 0, "failed": 0, "running": 0, "waiting": 0, **counts})


def n_leases(fixture: StudyFixture) -> int:
    with fixture.store.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.leases)).scalar_one()
