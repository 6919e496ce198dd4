from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from tests.storage.study_fixture import MEASUREMENTS, VALUES, StudyFixture, epoch
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.objectives.skill import LOGITS
from tunefront.search.pruning.history import History
from tunefront.storage import curves
from tunefront.storage.curves import Epoch
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

OBJECTIVES = [
    Objective(MEASURES["accuracy"]),
    Objective(MEASURES["model_bytes"], at_most=VALUES[1]),
    Objective(MEASURES["train_seconds"]),
]


@pytest.fixture
def fixture(tmp_path: Path) -> StudyFixture:
    return StudyFixture.make(f"sqlite:///{tmp_path / 'tunefront.db'}")


def run(
    fixture: StudyFixture, accuracies: list[float], outcome: Outcome = Outcome.COMPLETE, model_bytes: float = 1000.0
) -> None:
    leased = fixture.lease()
    for index, accuracy in enumerate(accuracies):
        curves.append(fixture.store, leased[0], epoch(index + 1, accuracy))
    fixture.finish(leased, outcome, measurements={**MEASUREMENTS, "model_bytes": model_bytes})


def history_of(fixture: StudyFixture) -> History:
    return History(fixture.study, OBJECTIVES, epochs=4)


def test_finished_has_curve_costs_and_values_of_each_complete_trial(fixture: StudyFixture) -> None:
    run(fixture, [0.3, 0.5, 0.4])
    run(fixture, [0.9], Outcome.PRUNED)
    run(fixture, [0.1, 0.2, 0.3, 0.3], model_bytes=2000.0)
    run(fixture, [0.9], Outcome.FAILED)
    fixture.lease()
    history = history_of(fixture)
    found = history.finished(4)
    assert found.best_so_far.tolist() == [[0.3, 0.5, 0.5, 0.5], [0.1, 0.2, 0.3, 0.3]]  # padded with its end
    assert found.n_epochs.tolist() == [3, 4]
    assert found.levels[1] == pytest.approx(LOGITS.skills(np.array([0.1, 0.2, 0.3, 0.3])))  # no training accuracy
    assert found.values.tolist() == [[0.9, 1000.0, 2.5], [0.9, 2000.0, 2.5]]
    assert found.seconds_so_far("train_seconds").tolist() == [[0.25, 0.5, 0.75, 0.75], [0.25, 0.5, 0.75, 1.0]]
    assert found.seconds_so_far("validation_seconds")[1].tolist() == [0.125, 0.25, 0.375, 0.5]
    assert found.rival_numbers == [0]  # trial 2 broke a limit
    assert history.n_ended == 3  # two complete and one stopped


def test_finished_gains_what_other_workers_complete(fixture: StudyFixture) -> None:
    history = history_of(fixture)
    assert len(history.finished(4)) == 0
    run(fixture, [0.3])
    assert len(history.finished(4)) == 1
    other = StudyFixture.make(fixture.store.url)
    run(other, [0.4])
    run(other, [0.4], Outcome.PRUNED)
    assert len(history.finished(4)) == 2
    assert history.n_ended == 3


def test_a_refused_trial_has_not_ended_for_it_counts_not_among_the_studys(fixture: StudyFixture) -> None:
    run(fixture, [0.3])
    run(fixture, [], Outcome.REFUSED)
    run(fixture, [0.3], Outcome.PRUNED)
    history = history_of(fixture)
    history.finished(4)
    assert history.n_ended == 2


def test_an_outage_loses_no_trial(fixture: StudyFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    history = history_of(fixture)
    run(fixture, [0.3])
    run(fixture, [0.4], Outcome.PRUNED)

    def fail(*_: object) -> None:
        raise OperationalError("select", None, ConnectionError())

    with monkeypatch.context() as outage:
        outage.setattr(curves, "load", fail)
        with pytest.raises(OperationalError):
            history.finished(4)
    assert len(history.finished(4)) == 1
    assert history.n_ended == 2


def test_finished_reads_each_curve_once(fixture: StudyFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    history = history_of(fixture)
    run(fixture, [0.3])
    run(fixture, [0.4])
    read: list[list[int]] = []
    load = curves.load

    def noting(study: OpenStudy, numbers: list[int]) -> dict[int, list[Epoch]]:
        read.append(numbers)
        return load(study, numbers)

    monkeypatch.setattr(curves, "load", noting)
    for _ in range(3):
        history.finished(4)
    run(fixture, [0.5])
    assert len(history.finished(4)) == 3
    assert read == [[0, 1], [2]]


def test_finished_leaves_out_what_a_person_told_through_optuna(fixture: StudyFixture) -> None:
    fixture.study.optuna.tell(fixture.study.optuna.ask(), VALUES)
    assert len(history_of(fixture).finished(4)) == 0


@pytest.mark.parametrize(("model_bytes", "rivals"), [(VALUES[1], [0]), (VALUES[1] + 1, [])])
def test_what_a_person_told_while_it_trained_rivals_nobody_beyond_a_limit(
    fixture: StudyFixture, model_bytes: float, rivals: list[int]
) -> None:
    lease, _ = fixture.lease()
    curves.append(fixture.store, lease, epoch(1, 0.9))
    fixture.study.optuna.tell(lease.number, [0.9, model_bytes, 1.0])
    assert history_of(fixture).finished(4).rival_numbers == rivals


def test_finished_trials_have_the_epochs_that_their_candidates_chose(fixture: StudyFixture) -> None:
    for epochs in (2, 4):
        leased = fixture.lease()
        leased[1].suggest_categorical("training.epochs", [2, 4])
        n_chosen = leased[1].params["training.epochs"]
        for index in range(epochs):
            curves.append(fixture.store, leased[0], epoch(index + 1, 0.5))
        fixture.finish(leased)
        assert history_of(fixture).finished(4).n_planned.tolist()[-1] == n_chosen
    run(fixture, [0.3] * 4)
    assert history_of(fixture).finished(2).n_planned.tolist()[-1] == 4  # it has no number of its own


def test_passes_of_frozen_layers_are_known_of_those_that_had_one(fixture: StudyFixture) -> None:
    plain, frozen, more = ({}, {"prefix_seconds": 1.5}, {"prefix_seconds": 0.5, "prefix_validation_seconds": 0.25})
    for found in (plain, frozen, more):
        leased = fixture.lease()
        assert curves.append(fixture.store, leased[0], epoch(1))
        fixture.finish(leased, measurements={**MEASUREMENTS, **found})
    finished = History(fixture.study, OBJECTIVES, 3).finished(3)
    assert finished.passes("train_seconds").tolist() == [0.0, 1.5, 0.5]
    assert finished.passes("validation_seconds").tolist() == [0.0, 0.0, 0.25]
