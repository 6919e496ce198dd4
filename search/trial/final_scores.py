"""Scores and answers of a trained model on the test split. Only a confirmation asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunefront.search.data.dataset import Dataset

if TYPE_CHECKING:
    from tunefront.search.trial.goal import Goal


def final_scores(model: Any, dataset: Dataset, goal: Goal, loss: Any = None) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the model's scores on the test images, and its answers to each image of the test and validation splits.

    The weights are those that validation chose, so the test images chose nothing. With folds they are
    those of the first fold's training; the scores of validation are then means over folds, and no answers to
    validation images belong to them.

    Args:
        loss: The training's loss; with numbers to predict it tells the kind and the scale of ``test_loss``.

    Returns:
        ``test_accuracy``, ``test_f1_macro``, ..., ``test_loss``: none if the dataset has no test split. And split ->
        its answers, see :mod:`tunefront.search.trial.image_answers`.
    """
    from tunefront.search.trial.evaluation import answers_to, scores_of, stored_answers

    scores: dict[str, float] = {}
    answers = {}
    if dataset.n_test:
        test = dataset.split("test")
        given = answers_to(model, test.images, goal)
        scores = {f"test_{name}": value for name, value in scores_of(test.labels, given, goal, loss).items()}
        answers["test"] = stored_answers(test.labels, given, goal, has_curves=True)
    if not dataset.folds:
        validation = dataset.split("validation")
        given = answers_to(model, validation.images, goal)
        answers["validation"] = stored_answers(validation.labels, given, goal)
    return scores, answers
