"""Several rows are one statement, so that a server ends a session that falls silent after them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tests.storage.study_fixture import MEASUREMENTS, StudyFixture
from tunefront.storage.answers import Answers
from tunefront.storage.database.insertion import insert_rows
from tunefront.storage.outcomes import Outcome
from tunefront.storage.queue import finish


def test_rows_are_as_many_statements_as_their_parameters_need() -> None:
    engine = sa.create_engine("sqlite://")
    table = sa.Table("points", sa.MetaData(), *(sa.Column(name, sa.Integer) for name in "abc"))
    table.metadata.create_all(engine)
    rows = [{"a": number, "b": 2 * number, "c": None} for number in range(25_001)]
    statements = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append((call[2], call[5])))
    with engine.begin() as connection:
        insert_rows(connection, table, [])
        assert statements == []
        insert_rows(connection, table, rows)
        assert [many for statement, many in statements if statement.startswith("INSERT")] == [False] * 3
        found = connection.execute(sa.select(table).order_by(table.c.a)).all()
    assert [tuple(row) for row in found] == [tuple(row.values()) for row in rows]


@pytest.mark.server
def test_a_trial_is_leased_and_ended_without_the_pipeline_of_the_driver(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        fixture = StudyFixture.make(url)
        many: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, is_many: bool) -> None:
            if is_many:
                many.append(statement)

        sa.event.listen(fixture.store.engine, "before_cursor_execute", note)
        lease, trial = fixture.lease()
        trial.suggest_float("adam.learning_rate", 1e-4, 1e-2)
        answers = {split: Answers([0, 1], [0, 1]) for split in ("validation", "test")}
        values = [MEASUREMENTS[name] for name in MEASUREMENTS]
        options: dict[str, Any] = {"values": values, "violations": [0.0, 1.5], "answers": answers}
        assert finish(fixture.study, lease, Outcome.COMPLETE, measurements=MEASUREMENTS, **options)
        (record,) = fixture.trials()
        assert (record.measurements, list(record.values or ())) == (MEASUREMENTS, values)
        assert many == []
        fixture.store.optuna.remove_session()
        fixture.store.engine.dispose()
