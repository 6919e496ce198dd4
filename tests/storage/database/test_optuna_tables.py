"""Ends of trials by own statements, held against what Optuna's own storage writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.study_fixture import StudyFixture
from tunefront.storage.database import optuna_tables


def stored(fixture: StudyFixture, trial_id: int) -> tuple[Any, ...]:
    """Return what the tables have of a trial's end; of its time only whether there is one."""
    trials, values = optuna_tables.trials, optuna_tables.trial_values
    columns = (values.c.objective, values.c.value, values.c.value_type)
    with fixture.store.engine.connect() as connection:
        row = connection.execute(
            sa.select(trials.c.state, trials.c.datetime_complete).where(trials.c.trial_id == trial_id)
        ).one()
        query = sa.select(*columns).where(values.c.trial_id == trial_id).order_by(values.c.objective)
        return row.state, row.datetime_complete is not None, [tuple(each) for each in connection.execute(query)]


@pytest.mark.parametrize(
    ("state", "values"),
    [(TrialState.COMPLETE, (0.9, 1e300, -0.0)), (TrialState.PRUNED, None), (TrialState.FAIL, None)],
)
def test_a_trial_ends_as_by_optuna(fixture: StudyFixture, state: TrialState, values: Sequence[float] | None) -> None:
    by_optuna, ours = (fixture.study.optuna.ask()._trial_id for _ in range(2))
    fixture.store.optuna.set_trial_state_values(by_optuna, state, values)
    with fixture.store.engine.begin() as connection:
        optuna_tables.end(connection, ours, state, values)
    assert stored(fixture, ours) == stored(fixture, by_optuna)
    one, other = fixture.study.optuna.get_trials()
    assert (one.state, one.values) == (other.state, other.values) == (state, None if values is None else [*values])
    assert one.datetime_complete is not None
    assert other.datetime_complete is not None
    assert abs((other.datetime_complete - one.datetime_complete).total_seconds()) < 600  # on the same clock


@pytest.mark.parametrize("state", [TrialState.WAITING, TrialState.COMPLETE])
def test_only_a_trial_that_runs_can_end(fixture: StudyFixture, state: TrialState) -> None:
    trial_id = fixture.study.optuna.ask()._trial_id
    fixture.store.optuna.set_trial_state_values(trial_id, state, (1.0, 2.0, 3.0) if state.is_finished() else None)
    before = stored(fixture, trial_id)
    with pytest.raises(ValueError, match="does not run"), fixture.store.engine.begin() as connection:
        optuna_tables.end(connection, trial_id, TrialState.FAIL, None)
    assert stored(fixture, trial_id) == before
