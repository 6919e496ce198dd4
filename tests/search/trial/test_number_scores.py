"""Losses and scores of predicted numbers, held against Keras, scikit-learn and sums by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from tests.search.trial.number_training import LABELS, LOSSES, SCALE, keras_s, standardised
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.trial.scores import score_numbers

ANSWERS = np.array([2001.0, 2003.0, 1990.0, 1985.5], np.float32)


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_loss_is_keras_s_in_standard_deviations(keras: Any, kind: str, shape: tuple[int, ...]) -> None:
    from tunefront.search.trial.loss import NumberLoss

    expected = float(keras_s(keras, kind)(standardised(LABELS), standardised(ANSWERS)))
    assert float(NumberLoss(kind, SCALE)(LABELS.reshape(shape), ANSWERS.reshape(4, 1))) == pytest.approx(expected)
    assert score_numbers(LABELS, ANSWERS, kind, SCALE)["loss"] == pytest.approx(expected)


def test_losses_worked_by_hand() -> None:
    # Errors of 1, 0, 4 and 25 are 0.25, 0, 1 and 6.25 standard deviations.
    values = [score_numbers(LABELS, ANSWERS, kind, SCALE)["loss"] for kind in LOSSES]
    assert values == pytest.approx([(0.0625 + 1 + 39.0625) / 4, 7.5 / 4, (0.03125 + 0.5 + 5.75) / 4])


def test_scores_are_scikit_learn_s() -> None:
    random = np.random.default_rng(1)
    labels = random.normal(2000, 3, 57).astype(np.float32)
    answers = (labels + random.normal(0.5, 2, 57)).astype(np.float32)
    found = score_numbers(labels, answers, "mse", LabelScale.of(labels))
    numbers, given = labels.astype(float), answers.astype(float)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(numbers, given))
    assert found["mae"] == pytest.approx(mean_absolute_error(numbers, given))
    assert found["r2"] == pytest.approx(r2_score(numbers, given))
    assert found.keys() == {"loss", "rmse", "mae", "r2"}


@pytest.mark.parametrize("n", [1, 5])
def test_equal_labels_define_no_r2(n: int) -> None:
    assert score_numbers(np.full(n, 3.0), np.arange(n), "mae", LabelScale(0, 1)).keys() == {"loss", "rmse", "mae"}


def test_a_nan_stays_one() -> None:
    assert np.isnan(score_numbers(LABELS, np.array([1, 2, np.nan, 3]), "huber", SCALE)["loss"])
