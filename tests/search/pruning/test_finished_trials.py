from __future__ import annotations

import math

import numpy as np
import pytest

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.storage.curves import Epoch

OBJECTIVES = [Objective(MEASURES["accuracy"]), Objective(MEASURES["model_bytes"])]


def trial(number: int, *values: float, is_feasible: bool = True, n_epochs: int = 3) -> FinishedTrial:
    seconds = {"train_seconds": np.arange(1.0, n_epochs + 1)}
    return FinishedTrial(number, np.linspace(0.1, 0.3, n_epochs), values, is_feasible, seconds)


def test_rivals_are_the_feasible_front_and_ties_are_kept() -> None:
    finished = FinishedTrials(3, OBJECTIVES)
    for number, (values, is_feasible, expected) in enumerate(
        [
            ((0.5, 10.0), True, [0]),
            ((0.4, 20.0), True, [0]),
            ((0.4, 5.0), True, [0, 2]),
            ((0.5, 10.0), True, [0, 2, 3]),
            ((0.9, 1.0), False, [0, 2, 3]),
            ((0.6, 6.0), True, [2, 5]),
        ]
    ):
        finished.add(trial(number, *values, is_feasible=is_feasible))
        assert finished.rival_numbers == expected
    assert finished.rivals.tolist() == [[0.4, 5.0], [0.6, 6.0]]


def test_rows_stay_what_they_were_when_the_table_grows() -> None:
    finished = FinishedTrials(3, OBJECTIVES, (trial(number, number / 100, 1.0) for number in range(70)))
    assert len(finished) == len(finished.values) == len(finished.best_so_far) == 70
    assert finished.values[:, 0] == pytest.approx(np.arange(70) / 100)
    assert finished.seconds_so_far("train_seconds")[69].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(finished.seconds_so_far("validation_seconds")).all()


def test_curves_are_fitted_to_a_whole_training() -> None:
    finished = FinishedTrials(3, OBJECTIVES, [trial(0, 0.3, 1.0, n_epochs=2), trial(1, 0.3, 1.0, n_epochs=5)])
    assert finished.best_so_far[0].tolist() == [0.1, 0.3, 0.3]
    assert finished.n_epochs.tolist() == [2, 3]


def test_a_trial_is_made_of_its_epochs() -> None:
    epochs = [
        Epoch(1, 0.2, 1.0, 0.5, {"accuracy": 0.5}),
        Epoch(2, 0.1, 2.0, 0.25, {"accuracy": 0.4}),
        Epoch(3, 0.3, 1.0, 0.25, {}),
    ]
    made = FinishedTrial.from_epochs(7, epochs, (0.3, 1.0), is_feasible=False, measure=MEASURES["accuracy"])
    assert (made.number, made.values, made.is_feasible) == (7, (0.3, 1.0), False)
    assert made.best_so_far.tolist() == [0.2, 0.2, 0.3]
    assert made.best_in_training[:2].tolist() == [0.5, 0.5]
    assert math.isnan(made.best_in_training[2])
    assert made.seconds_so_far["train_seconds"].tolist() == [1.0, 3.0, 4.0]
    # The first epoch compiled, and counts as a later one.
    assert made.seconds_so_far["validation_seconds"].tolist() == [0.5, 0.5, 0.75]
    levels = FinishedTrials(4, OBJECTIVES, [made]).levels[0]
    # Six tenths of the first epoch, and 0.45 of the second, are its training accuracy, whose logit is 0.
    assert levels[:2] == pytest.approx(np.array([0.4, 0.55]) * math.log(0.2 / 0.8))
    assert levels[2:].tolist() == pytest.approx([math.log(0.3 / 0.7)] * 2)


def test_what_is_not_a_number_is_left_out() -> None:
    bad = [
        FinishedTrial(0, np.array([]), (0.5, 1.0), True),
        FinishedTrial(1, np.array([0.5, math.nan]), (0.5, 1.0), True),
        trial(2, math.nan, 1.0),
    ]
    assert len(FinishedTrials(3, OBJECTIVES, bad)) == 0
