"""A study in an open store: its row, and Optuna's object for it once that is asked for."""

from __future__ import annotations

import optuna
import pytest

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import open_study
from tunefront.storage.open_study import OpenStudy


def test_what_a_study_is_called_is_what_its_row_says(fixture: StudyFixture) -> None:
    study = OpenStudy(fixture.store, fixture.record)
    assert (study.study_id, study.name) == (fixture.record.study_id, "digits")


def test_optunas_study_is_loaded_once_and_only_when_it_is_asked_for(
    fixture: StudyFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def noting(*, study_name: str, storage: optuna.storages.RDBStorage) -> optuna.Study:
        loaded.append(study_name)
        return optuna.load_study(study_name=study_name, storage=storage)

    fixture.lease()  # through the fixture's own OpenStudy
    monkeypatch.setattr(open_study, "load_study", noting)
    study = OpenStudy(fixture.store, fixture.record)
    assert loaded == []
    assert [len(study.optuna.trials), len(study.optuna.trials)] == [1, 1]
    assert loaded == ["digits"]


def test_a_study_that_was_opened_twice_is_the_same_study(fixture: StudyFixture) -> None:
    assert OpenStudy(fixture.store, fixture.record) == fixture.study
