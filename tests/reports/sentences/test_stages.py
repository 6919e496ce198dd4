"""What a report says of trainings whose settings changed, and of inherited and replayed numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.sentences.notes import notes
from tunefront.reports.sentences.stages import describe_inherited, describe_replayed, describe_stages
from tunefront.reports.status import StudyStatus
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.reports.tables.frames import STAGES, front_frame, trials_frame
from tunefront.storage.outcomes import Outcome
from tunefront.storage.population import stages
from tunefront.storage.population.stages import Stage

DRAWN = {"adam.learning_rate": 0.01, "cnn.dropout": 0.2}
COURSE = [
    Stage(1, {"adam.learning_rate": 0.03, "cnn.dropout": 0.1}),
    Stage(3, {"adam.learning_rate": 0.036, "cnn.dropout": 0.1}, weights_of=0),
    Stage(5, {"adam.learning_rate": 0.036, "cnn.dropout": 0.1}, weights_of=0),
]


@pytest.fixture
def results(tmp_path: Path) -> StudyResults:
    """Trial 0 is plain and dear, trial 1 went on with its weights, is cheap, and trained 5 epochs."""
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 1000, 9.0, parameters=DRAWN)
    fixture.study.optuna.enqueue_trial(DRAWN, user_attrs={stages.KEY: stages.as_json(COURSE)})
    leased = fixture.lease(DRAWN, is_new=False)
    measured = {"accuracy": 0.8, "model_bytes": 10.0, "train_seconds": 1.0}
    fixture.end(leased, Outcome.COMPLETE, measured, curve=(0.4, 0.5, 0.6, 0.7, 0.8))
    return load_results(fixture.study)


def test_stages_are_told_by_epoch_with_what_changed_and_whose_weights_came_in(results: StudyResults) -> None:
    plain, staged = results.trials
    assert describe_stages(staged) == [
        "epochs 1 to 2: learning_rate 0.03, dropout 0.1",
        "epochs 3 to 4, from trial 0's weights: learning_rate 0.036",
        "epoch 5, from trial 0's weights: as before",
    ]
    assert describe_stages(plain) == []


def test_inherited_numbers_of_the_front_are_named_with_the_way_to_others(results: StudyResults) -> None:
    note = describe_inherited(results)
    assert note.startswith("Trial 1 of the front went on with other trials' weights, so that its scores are of a chain")
    assert "'tunefront confirm digits' repeats the changes of settings from scratch" in note
    assert note in notes(results)


def test_confirmed_numbers_say_which_ones_were_inherited(results: StudyResults) -> None:
    assert describe_replayed(results.trials[:1]) == ""
    assert describe_replayed(results.trials) == (
        'Trial 1 went on with other trials\' weights in the search: its score "in search" was inherited. Here its '
        "settings changed at the same epochs, from scratch and with weights of their own."
    )


def test_tables_and_status_have_the_settings_by_epoch(results: StudyResults) -> None:
    frame = trials_frame(results)
    assert frame["adam.learning_rate"].tolist() == [0.01, 0.03]  # with which each training began
    assert frame[STAGES].isna().tolist() == [True, False]
    assert json.loads(front_frame(results).set_index("trial").loc[1, STAGES])[1] == {
        "first_epoch": 3,
        "parameters": {"adam.learning_rate": 0.036, "cnn.dropout": 0.1},
        "weights_of": 0,
    }
    shown = {trial["trial"]: trial for trial in StudyStatus(results).as_json()["front_trials"]}
    assert "settings_by_epoch" not in shown[0]
    assert [stage["first_epoch"] for stage in shown[1]["settings_by_epoch"]] == [1, 3, 5]
