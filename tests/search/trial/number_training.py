"""A small dataset of numbers, and a training on it as a trial's process has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.candidates import candidate
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

SPACE = Space.from_table({}, "regression")
LABELS = np.array([2000.0, 2003.0, 1994.0, 2010.5], np.float32)
SCALE = LabelScale(2000.0, 4.0)
LOSSES = ("mse", "mae", "huber")


def keras_s(keras: Any, kind: str) -> Any:
    return {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError, "huber": keras.losses.Huber}[
        kind
    ]()


def standardised(numbers: np.ndarray) -> np.ndarray:
    return (numbers[:, np.newaxis] - 2000) / 4


def dataset(folder: Path, mean: float, deviation: float, n: int = 120, **keys: Any) -> Dataset:
    """Images whose brightness tells their number, and a part of it that nothing tells."""
    random = np.random.default_rng(1)
    images = random.integers(0, 60, (n, 8, 8, 1)) + random.integers(0, 190, (n, 1, 1, 1))
    numbers = images.mean(axis=(1, 2, 3)) + random.normal(0, 10, n)
    labels = mean + deviation * (numbers - numbers.mean()) / numbers.std()
    np.savez(folder / "mine.npz", x=images.astype(np.uint8), y=labels)
    return prepare(NpzSource(source="npz", path=str(folder / "mine.npz"), task="regression", **keys), seed=1)


def train(
    keras: Any,
    data: Dataset,
    epochs: int = 3,
    measure: str = "rmse",
    space: Space | OwnSpace = SPACE,
    goes_on: Callable[[Any, Any], bool] = lambda trainable, result: True,
    chosen: Any = None,
    fold: int = 0,
    **settings: Any,
) -> tuple[Any, Any, list[Any]]:
    """Build and fit; return trainable, the epoch that counts, and every epoch's result."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    results: list[Any] = []

    def note(result: Any) -> bool:
        results.append(result)
        return goes_on(trainable, result)

    table = TrainingTable.model_validate({"epochs": epochs, **settings})
    keras.utils.set_random_seed(3)
    trainable = training.build(space, chosen or linear(), data, table, 3, fold)
    _, counted = fit(trainable, data, table, Goal(measure), note, seed=3, fold=fold)
    return trainable, counted, results


def linear(**changes: Any) -> Any:
    return candidate(**{"output": "linear", "loss": "mse", **changes})
