"""What a model answers to a split, and the scores of these answers, by the goal's task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Split
from tunefront.search.trial.batches import outputs, predict
from tunefront.search.trial.goal import Goal
from tunefront.search.trial.image_answers import image_answers, number_answers
from tunefront.search.trial.scores import score, score_numbers

_BATCH_SIZE = 256  # examples that are predicted at once


def answers_to(model: Any, images: NDArray[Any], goal: Goal) -> NDArray[np.float32]:
    """Return probabilities of shape (n, k), or numbers of shape (n,)."""
    if goal.task == "regression":
        return outputs(model, images, _BATCH_SIZE)[:, 0]
    return predict(model, images, _BATCH_SIZE, goal.positive_class)


def scores_of(labels: NDArray[Any], answers: NDArray[np.floating], goal: Goal, loss: Any) -> dict[str, float]:
    """Return every score of the answers by its measure's name, and the ``loss``.

    Args:
        loss: The training's loss, which with numbers tells the kind and the scale of ``loss``.
    """
    if goal.task == "regression":
        return score_numbers(labels, answers, loss.kind, loss.scale)
    wants_auc = goal.measure == "auc"
    return score(labels, answers, goal.positive_class, wants_auc=wants_auc, n_classes=goal.n_classes)


def stored_answers(
    labels: NDArray[Any], answers: NDArray[np.floating], goal: Goal, *, has_curves: bool = False
) -> dict[str, Any]:
    """Return what the store keeps of the answers, as JSON data; of classes also their curves, if they are wanted."""
    if goal.task == "regression":
        return number_answers(labels, answers)
    return image_answers(
        labels, answers, goal.measure, goal.positive_class, has_curves=has_curves, n_classes=goal.n_classes
    )


def kept_answers(
    model: Any, validation: Split, goal: Goal
) -> tuple[dict[str, dict[str, Any]], dict[str, NDArray[np.float32]]]:
    """Return split -> what the store keeps of a kept model's answers to the validation examples (of the first fold).

    And split -> the answers themselves. What compares models image by image is left out, because a search does not.
    """
    given = answers_to(model, validation.images, goal)
    shown = goal if goal.task == "regression" else replace(goal, measure="accuracy")
    return {"validation": stored_answers(validation.labels, given, shown, has_curves=True)}, {"validation": given}


def as_measurements(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the validation scores of an epoch's metrics as measurements, by the names of their measures."""
    scores = {name.removeprefix("val_"): value for name, value in metrics.items() if name.startswith("val_")}
    scores["validation_loss"] = scores.pop("loss")
    return scores
