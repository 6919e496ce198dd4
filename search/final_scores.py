"""Scores on the test split. Only a confirmation asks for them: a search never opens that split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from search.data import Dataset

if TYPE_CHECKING:
    from search.watching import Goal

_BATCH_SIZE = 256  # of predictions


def final_scores(model: Any, dataset: Dataset, goal: Goal) -> dict[str, float]:
    """The model's scores on the test images: ``test_accuracy``, ``test_f1_macro``, ..., ``test_loss``.

    The weights are those that validation chose, so the test images chose nothing. With folds they are
    those of the first fold's training. Empty if the dataset has no test split.
    """
    from search.feeding import predict
    from search.scoring import score

    if not dataset.n_test:
        return {}
    test = dataset.split("test")
    probabilities = predict(model, test.images, _BATCH_SIZE, dataset.positive_class)
    scores = score(test.labels, probabilities, dataset.positive_class, wants_auc=goal.measure == "auc")
    return {f"test_{name}": value for name, value in scores.items()}
