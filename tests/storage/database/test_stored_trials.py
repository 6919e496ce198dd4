"""Trials read by own statements, held against what Optuna's own functions return."""

from __future__ import annotations

import math

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import constraints
from tunefront.storage.database.stored_trials import read_trials

FIELDS = ("number", "state", "values", "params", "distributions", "user_attrs", "constraints", "_trial_id")


def read(fixture: StudyFixture) -> list[FrozenTrial]:
    with fixture.store.engine.connect() as connection:
        return read_trials(connection, fixture.study.study_id)


def by_optuna(fixture: StudyFixture, included: set[int] | None = None, newer_than: int = -1) -> list[FrozenTrial]:
    """Return the trials by the statements and objects of Optuna alone."""
    return RDBStorage._get_trials(fixture.store.optuna, fixture.study.study_id, None, included or set(), newer_than)


def check_equal(fixture: StudyFixture) -> None:
    ours, optunas = read(fixture), by_optuna(fixture)
    # Its own storage reads them likewise, with all that they have; no two NaN are equal, so texts are compared.
    assert list(map(repr, fixture.store.optuna.get_all_trials(fixture.study.study_id))) == list(map(repr, optunas))
    assert [{name: getattr(trial, name) for name in FIELDS} for trial in ours] == [
        {name: getattr(trial, name) for name in FIELDS} for trial in optunas
    ]
    assert [list(trial.params) for trial in ours] == [list(trial.params) for trial in optunas]
    types = [[type(value) for value in trial.params.values()] for trial in ours]
    assert types == [[type(value) for value in trial.params.values()] for trial in optunas]


def suggest(trial: optuna.Trial) -> None:
    """Draw every kind of parameter; their names are not in the order of the alphabet."""
    trial.suggest_float("z.rate", 1e-4, 1e-2, log=True)
    trial.suggest_int("b.units", 4, 64, log=True)
    trial.suggest_categorical("m.choice", ["a", None, 3, 0.5, True])
    trial.suggest_float("a.step", 0.0, 1.0, step=0.1)
    trial.suggest_int("b.step", 0, 10, step=5)
    trial.suggest_categorical("only", ["one"])


def test_trials_are_those_of_optuna_in_every_state_and_with_every_value(fixture: StudyFixture) -> None:
    study = fixture.study.optuna
    other = StudyFixture.on(fixture.store, "another study")
    values = [[0.9, 1e300, 0.0], [math.inf, -math.inf, -0.0], [0.1 + 0.2, 5e-324, -1.0]]
    for number in range(9):
        other.lease()
        trial = study.ask()
        if number:  # the first has no parameters
            suggest(trial)
        trial.set_user_attr("reason", f"it is {number}, 'quoted' and ü")
        trial.set_user_attr("stages", [{"first_epoch": 1, "parameters": {"a": None}}])
        fixture.store.optuna.set_trial_system_attr(trial._trial_id, "tpe:relative_params:0", "{}")
        told = (math.nan, math.inf, -math.inf, 0.5)[number % 4]
        fixture.store.optuna.set_trial_intermediate_value(trial._trial_id, number, told)
        if number in (1, 2):
            with fixture.store.engine.begin() as connection:
                constraints.write(connection, trial._trial_id, [0.5, -number, 0.0])
        if number == 3:
            trial.set_constraint("model_bytes", 3.0)
        if number < 3:
            study.tell(trial, values[number])
        elif number < 5:
            study.tell(trial, state=TrialState.PRUNED)
        elif number == 5:
            study.tell(trial, state=TrialState.FAIL)
    fixture.store.optuna.set_trial_state_values(study.trials[6]._trial_id, TrialState.WAITING)
    study.enqueue_trial({"z.rate": 0.001}, user_attrs={"start": 1})
    check_equal(fixture)
    found = read(fixture)
    assert found[1].values == [math.inf, -math.inf, 0.0]
    assert found[1].params["m.choice"] in ["a", None, 3, 0.5, True]
    assert (found[1].constraints, found[3].constraints) == ({"0": 0.5, "1": -1, "2": 0.0}, {"model_bytes": 3.0})
    assert [trial.state.name for trial in found] == (
        ["COMPLETE"] * 3 + ["PRUNED"] * 2 + ["FAIL", "WAITING", "RUNNING", "RUNNING", "WAITING"]
    )


def test_a_pruned_trial_of_one_objective_has_its_last_value(fixture: StudyFixture) -> None:
    made = optuna.create_study(study_name="single", storage=fixture.store.optuna)
    trial = made.ask()
    trial.report(0.25, step=1)
    trial.report(0.5, step=2)
    made.tell(trial, state=TrialState.PRUNED)
    with fixture.store.engine.connect() as connection:
        (found,) = read_trials(connection, made._study_id)
    assert found.values == made.trials[0].values == [0.5]


def test_a_study_without_trials_has_none(fixture: StudyFixture) -> None:
    assert read(fixture) == []


def test_the_storage_reads_the_trials_that_optuna_wants_to_read_again(fixture: StudyFixture) -> None:
    study, study_id = fixture.study.optuna, fixture.study.study_id
    ids = [study.ask()._trial_id for _ in range(6)]
    for included, newer_than in (
        ({ids[1]}, ids[3]),
        (set(ids), ids[5]),
        ({ids[5]}, ids[1]),
        (set(), ids[5]),
        (set(), 0),
    ):
        found = fixture.store.optuna._get_trials(study_id, None, included, newer_than)
        assert list(map(repr, found)) == list(map(repr, by_optuna(fixture, included, newer_than)))
    study.tell(0, state=TrialState.FAIL)
    assert [trial.number for trial in study.get_trials(states=(TrialState.FAIL,))] == [0]
    with pytest.raises(KeyError):
        fixture.store.optuna.get_all_trials(77)
