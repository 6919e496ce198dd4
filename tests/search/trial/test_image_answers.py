from __future__ import annotations

import numpy as np
import pytest

from tunefront.reports.confirmation.image_scores import scores_on
from tunefront.search.trial.image_answers import image_answers
from tunefront.search.trial.scores import score
from tunefront.storage.answers import Answers


def test_only_what_the_measure_needs_is_kept() -> None:
    labels, probabilities = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    assert image_answers(labels, probabilities, "accuracy", 1) == {"labels": [0, 1, 1], "chosen": [0, 0, 1]}
    assert image_answers(labels, probabilities, "auc", 0)["ranks"] == {"0": [2, 1, 0]}


@pytest.mark.parametrize("n_classes", [2, 7])
@pytest.mark.parametrize("measure", ["accuracy", "top_5_accuracy", "f1_macro", "precision", "recall", "auc"])
def test_they_tell_the_score_of_the_images(measure: str, n_classes: int) -> None:
    """The networks include some so confident that many probabilities are equal."""
    if measure == "top_5_accuracy" and n_classes == 2:
        pytest.skip("there is no such score of two classes")
    random = np.random.default_rng(n_classes)
    labels = random.integers(n_classes, size=80)
    probabilities = (np.eye(n_classes)[labels] * 0.4 + random.random((80, n_classes))).round(1)
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    answers = Answers(**image_answers(labels, probabilities, measure, 0))
    found = scores_on(np.ones((1, 80), dtype=np.float32), [answers], measure, n_classes, 0)
    assert found[0, 0] == pytest.approx(score(labels, probabilities, 0, wants_auc=True)[measure])
