"""Trials and their ends by own statements, held against what Optuna's own storage writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState

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


def make(fixture: StudyFixture, last_id: int, last_number: int) -> FrozenTrial:
    with fixture.store.engine.begin() as connection:
        return optuna_tables.create(connection, fixture.study.study_id, last_id, last_number)


def test_a_new_trial_is_what_optuna_makes_and_has_the_next_number(fixture: StudyFixture) -> None:
    other = StudyFixture.on(fixture.store, "another study")
    first = make(fixture, -1, -1)
    other.lease()
    by_optuna = fixture.study.optuna.ask()
    made = [make(fixture, first._trial_id, 0)]  # Optuna's is not known
    made.append(make(fixture, made[0]._trial_id, 2))
    made.append(make(fixture, -1, -1))  # none is known
    assert [trial.number for trial in (first, by_optuna, *made)] == [0, 1, 2, 3, 4]
    assert fixture.study.optuna.ask().number == 5
    stored = fixture.study.optuna.get_trials()
    assert stored[:1] + stored[2:5] == [first, *made]
    assert {**vars(stored[2]), "_number": 1, "_trial_id": by_optuna._trial_id, "_datetime_start": None} == {
        **vars(stored[1]),
        "_datetime_start": None,
    }
    with pytest.raises(KeyError), fixture.store.engine.begin() as connection:
        optuna_tables.create(connection, 77, -1, -1)


def test_attributes_are_what_optuna_writes_and_replace_earlier_ones(fixture: StudyFixture) -> None:
    trials = [fixture.study.optuna.ask()._trial_id for _ in range(2)]
    fixture.store.optuna.set_trial_user_attr(trials[0], "why", "before")
    for value in ({"a": [1.5, None, "ü"]}, "a 'text'"):
        fixture.store.optuna.set_trial_user_attr(trials[1], "why", value)
        fixture.store.optuna.set_trial_system_attr(trials[1], "why", value)
        with fixture.store.engine.begin() as connection:
            for table in (optuna_tables.trial_user_attributes, optuna_tables.trial_system_attributes):
                optuna_tables.set_attribute(connection, table, trials[0], "why", value)
        ours, theirs = fixture.study.optuna.get_trials()
        assert (ours.user_attrs, ours.system_attrs) == (theirs.user_attrs, theirs.system_attrs)
        assert ours.user_attrs == {"why": value}
