"""Scores and answers of a trained model on the test split. Only a confirmation asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset

if TYPE_CHECKING:
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.trainable import Trainable


def final_scores(
    model: Any, dataset: Dataset, goal: Goal, loss: Any = None, trainable: Trainable | None = None
) -> tuple[dict[str, float], dict[str, Any], dict[str, NDArray[np.float32]]]:
    """Return the model's scores on the test images, and its answers to each image of the test and validation splits.

    The weights are those that validation chose, so the test images chose nothing. With folds they are
    those of the first fold's training; the scores of validation are then means over folds, and no answers to
    validation images belong to them.

    Args:
        loss: The training's loss; with numbers to predict it tells the kind and the scale of ``test_loss``.
        trainable: What knows the form in which `model` takes examples; None for the dataset's own.

    Returns:
        ``test_accuracy``, ``test_f1_macro``, ..., ``test_loss``: none if the dataset has no test split. Then split
        -> what the store keeps of its answers, see :mod:`tunefront.search.trial.image_answers`, and split -> the
        answers themselves: probabilities of shape (n, k), or numbers of shape (n,).
    """
    from tunefront.search.trial.evaluation import answers_to, scores_of, stored_answers

    scores: dict[str, float] = {}
    answers, given = {}, {}
    if dataset.n_test:
        test = dataset.split("test") if trainable is None else trainable.split(dataset, "test")
        given["test"] = answers_to(model, test.images, goal)
        scores = {f"test_{name}": value for name, value in scores_of(test.labels, given["test"], goal, loss).items()}
        answers["test"] = stored_answers(test.labels, given["test"], goal, has_curves=True)
    if not dataset.folds:
        name = "validation"
        validation = dataset.split(name) if trainable is None else trainable.split(dataset, name)
        given["validation"] = answers_to(model, validation.images, goal)
        # Where there are no test images, reports show these.
        answers["validation"] = stored_answers(
            validation.labels, given["validation"], goal, has_curves=not dataset.n_test
        )
    return scores, answers, given
