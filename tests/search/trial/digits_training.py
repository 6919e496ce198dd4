"""A training on digits as a trial's process has it, with small and larger networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space

SPACE = Space.from_table({})
LARGE = {"n_blocks": 3, "filters": 32, "dense_units": 128, "dropout": 0.2, "batch_norm": True}
LARGER = {**LARGE, "filters": 64, "dense_units": 256, "batch_norm": False}


def train(
    keras: Any,
    dataset: Dataset,
    chosen: Candidate,
    epochs: int | list[int],
    seed: int = 3,
    goes_on: Callable[[Any, Any], bool] = lambda trainable, result: True,
    measure: str = "accuracy",
    positive_class: int = 1,
    **settings: Any,
) -> tuple[Any, Any, Any, list[Any]]:
    """Build and fit; return trainable, timer, the epoch that counts, and every epoch's result."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    results: list[Any] = []

    def note(result: Any) -> bool:
        results.append(result)
        return goes_on(trainable, result)

    table = TrainingTable.model_validate({"epochs": epochs, **settings})
    keras.utils.set_random_seed(seed)
    trainable = training.build(SPACE, chosen, dataset, table, seed)
    timer, counted = fit(trainable, dataset, table, Goal(measure, positive_class), note, seed=seed)
    return trainable, timer, counted, results


def spoil_after_two(trainable: Any, result: Any) -> bool:
    """Make later epochs worse, so that the best epoch is not the last one."""
    if result.epoch == 2:
        trainable.optimizer.learning_rate = 10.0
    return True


def accuracy_of(model: Any, digits: Dataset) -> float:
    """Return the accuracy of predictions on the raw validation images, without Keras's metric."""
    split = digits.split("validation")
    predicted = np.asarray(model.predict(np.array(split.images), verbose=0)).argmax(axis=1)
    return float((predicted == split.labels).mean())
