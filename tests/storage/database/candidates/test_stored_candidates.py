"""Candidates read by own statements, held against what Optuna's own functions return."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from tests.storage.study_fixture import StudyFixture
from tunefront.storage.database.candidates.stored_candidates import StoredCandidates, fix


def of_optuna(fixture: StudyFixture) -> list[dict[str, Any]]:
    trials = fixture.study.optuna.get_trials(deepcopy=False)
    found = [{**trial.system_attrs.get("fixed_params", {}), **trial.params} for trial in trials]
    return [parameters for parameters in found if parameters]


def read(fixture: StudyFixture, candidates: StoredCandidates) -> list[dict[str, Any]]:
    states = fixture.study.states
    states.count()
    return candidates.read_new(states.n_trials(), states.last()[0])


def suggest(trial: optuna.Trial) -> None:
    trial.suggest_float("rate", 1e-4, 1e-2, log=True)
    trial.suggest_int("units", 4, 64, log=True)
    trial.suggest_categorical("choice", ["a", None, 3, 0.5, True])
    trial.suggest_float("step", 0.0, 1.0, step=0.1)


def test_candidates_are_those_of_optuna_and_each_is_read_until_it_is_settled(fixture: StudyFixture) -> None:
    study, candidates = fixture.study.optuna, StoredCandidates(fixture.store.engine, fixture.study.study_id)
    other = StudyFixture.on(fixture.store, "another study").study.optuna
    assert read(fixture, candidates) == []
    study.enqueue_trial({"units": 8, "choice": None})
    suggest(other.ask())
    assert read(fixture, candidates) == of_optuna(fixture) == [{"units": 8, "choice": None}]
    trial = study.ask()
    suggest(trial)  # it has parameters, and more than it was to take
    (found,) = read(fixture, candidates)
    assert [found] == of_optuna(fixture)
    assert found == trial.params
    assert found["units"] == 8
    assert read(fixture, candidates) == []
    cut_off = study.ask()  # its space raised when it had drawn one: others may come until it has ended
    cut_off.suggest_int("units", 4, 64, log=True)
    found = cut_off.params
    assert read(fixture, candidates) == read(fixture, candidates) == [found]
    study.tell(cut_off, state=TrialState.FAIL)
    assert read(fixture, candidates) == [found]
    assert read(fixture, candidates) == []
    whole = study.ask()  # what a worker of tunefront does
    fix(fixture.store.engine, whole._trial_id, {"units": 5})
    fix(fixture.store.engine, whole._trial_id, {"units": 4, "choice": "a"})
    assert read(fixture, candidates) == [{"units": 4, "choice": "a"}]
    assert read(fixture, candidates) == [{"units": 4, "choice": "a"}]
    whole._fixed_params = {"units": 4, "choice": "a"}
    whole.suggest_int("units", 4, 64, log=True)
    whole.suggest_categorical("choice", ["a", None, 3, 0.5, True])
    assert read(fixture, candidates) == [{"units": 4, "choice": "a"}]
    assert read(fixture, candidates) == []
    new = StoredCandidates(fixture.store.engine, fixture.study.study_id)
    assert read(fixture, new) == of_optuna(fixture)


def test_an_own_candidate_is_not_read_and_hides_no_other(fixture: StudyFixture) -> None:
    study, candidates = fixture.study.optuna, StoredCandidates(fixture.store.engine, fixture.study.study_id)
    own = study.ask()
    fix(fixture.store.engine, own._trial_id, {"units": 5})
    candidates.note_own(own._trial_id)
    assert read(fixture, candidates) == []
    study.enqueue_trial({"units": 6})  # by a person, at any moment
    own = study.ask()  # the queued one
    study.enqueue_trial({"units": 7})
    candidates.note_own(own._trial_id)
    assert read(fixture, candidates) == [{"units": 7}]


def test_where_all_is_known_nothing_is_asked(fixture: StudyFixture) -> None:
    study, candidates = fixture.study.optuna, StoredCandidates(fixture.store.engine, fixture.study.study_id)
    for _ in range(3):
        study.tell(study.ask(), state=TrialState.FAIL)
    read(fixture, candidates)
    own = study.ask()
    candidates.note_own(own._trial_id)
    states = fixture.study.states
    states.count()

    def refuse(*_: object) -> None:
        pytest.fail("the database was asked")

    sa.event.listen(fixture.store.engine, "before_cursor_execute", refuse)
    assert candidates.read_new(states.n_trials(), states.last()[0]) == []
    sa.event.remove(fixture.store.engine, "before_cursor_execute", refuse)


def test_many_open_trials_are_read_in_one_range(fixture: StudyFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunefront.storage.database.candidates.stored_candidates._MOST_NAMED", 2)
    study, candidates = fixture.study.optuna, StoredCandidates(fixture.store.engine, fixture.study.study_id)
    for number in range(3):
        study.enqueue_trial({"units": number})
    waiting = [{"units": number} for number in range(3)]
    assert read(fixture, candidates) == read(fixture, candidates) == waiting
