"""Scores and answers of a trained model on the test split. Only a confirmation asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunefront.search.data.dataset import Dataset

if TYPE_CHECKING:
    from tunefront.search.trial.goal import Goal

_BATCH_SIZE = 256  # images that are predicted at once


def final_scores(model: Any, dataset: Dataset, goal: Goal) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the model's scores on the test images, and its answers to each image of the test and validation splits.

    The weights are those that validation chose, so the test images chose nothing. With folds they are
    those of the first fold's training; the scores of validation are then means over folds, and no answers to
    validation images belong to them.

    Returns:
        ``test_accuracy``, ``test_f1_macro``, ..., ``test_loss``: none if the dataset has no test split. And split ->
        its answers, see :func:`tunefront.search.trial.image_answers.image_answers`.
    """
    from tunefront.search.trial.batches import predict
    from tunefront.search.trial.image_answers import image_answers
    from tunefront.search.trial.scores import score

    scores: dict[str, float] = {}
    answers = {}
    if dataset.n_test:
        test = dataset.split("test")
        probabilities = predict(model, test.images, _BATCH_SIZE, dataset.positive_class)
        found = score(
            test.labels,
            probabilities,
            dataset.positive_class,
            wants_auc=goal.measure == "auc",
            n_classes=dataset.n_classes,
        )
        scores = {f"test_{name}": value for name, value in found.items()}
        answers["test"] = image_answers(
            test.labels,
            probabilities,
            goal.measure,
            dataset.positive_class,
            has_curves=True,
            n_classes=dataset.n_classes,
        )
    if not dataset.folds:
        validation = dataset.split("validation")
        probabilities = predict(model, validation.images, _BATCH_SIZE, dataset.positive_class)
        answers["validation"] = image_answers(
            validation.labels, probabilities, goal.measure, dataset.positive_class, n_classes=dataset.n_classes
        )
    return scores, answers
