"""Which epoch's weights a training keeps, and when it stops early."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tests.search.trial.digits_training import accuracy_of, spoil_after_two, train
from tunefront.search.data.dataset import Dataset


def test_early_stopping_ends_a_training_that_is_complete(keras: Any, digits: Dataset) -> None:
    stopping = {"monitor": "accuracy", "patience": 1}
    chosen = candidate(optimizer_settings={"learning_rate": 1e-9}, batch_size=256)
    _, _, counted, results = train(keras, digits, chosen, epochs=9, early_stopping=stopping)
    assert len(results) == 2
    assert counted.epoch == 1


def test_keep_weights_last_keeps_the_last_epoch(keras: Any, digits: Dataset) -> None:
    trainable, _, counted, results = train(
        keras, digits, candidate(), epochs=4, goes_on=spoil_after_two, keep_weights="last"
    )
    assert counted == results[-1]
    assert accuracy_of(trainable.model, digits) == pytest.approx(results[-1].accuracy, abs=1e-6)


def test_keep_weights_val_loss_keeps_the_epoch_of_the_smallest_loss(keras: Any, digits: Dataset) -> None:
    trainable, _, counted, results = train(
        keras, digits, candidate(), epochs=4, goes_on=spoil_after_two, keep_weights="val_loss"
    )
    losses = [result.metrics["val_loss"] for result in results]
    assert counted == results[losses.index(min(losses))]
    # Keras's own loss of the kept model, on the raw validation images.
    split = digits.split("validation")
    predicted = trainable.model.predict(np.array(split.images), verbose=0)
    loss = keras.losses.SparseCategoricalCrossentropy()(split.labels, predicted)
    assert float(loss) == pytest.approx(min(losses), rel=1e-4)


def test_the_smallest_loss_need_not_be_the_best_accuracy(
    keras: Any, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tunefront.search.trial.epoch_watcher import Watcher
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.timer import EpochTimer

    kept = {}
    monkeypatch.setattr(EpochTimer, "last_train_seconds", 0.0)
    monkeypatch.setattr(EpochTimer, "last_validation_seconds", 0.0)
    for keeps in ("best", "val_loss", "last"):
        model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
        model.compile("sgd")
        watcher = Watcher(model, digits.split("validation"), Goal(), EpochTimer(), lambda result: True, keeps=keeps)  # type: ignore[arg-type]
        watcher.set_model(model)
        scores = iter([(0.5, 1.0), (0.7, 2.0), (0.6, 0.9), (0.7, 0.9), (0.1, 3.0)])
        watcher._score = lambda _, scores=scores: dict(zip(("accuracy", "loss"), next(scores), strict=True))  # type: ignore[method-assign,misc]
        for epoch in range(5):
            watcher.on_epoch_end(epoch, {"loss": 1.0})
        kept[keeps] = (watcher.kept.epoch, watcher.kept.accuracy)
    assert kept == {"best": (2, 0.7), "val_loss": (3, 0.6), "last": (5, 0.1)}


def test_another_goal_chooses_the_epoch(keras: Any, digits: Dataset) -> None:
    _, _, counted, results = train(keras, digits, candidate(), epochs=4, goes_on=spoil_after_two, measure="f1_macro")
    assert counted.accuracy == max(result.metrics["val_f1_macro"] for result in results)
    assert counted.accuracy == counted.metrics["val_f1_macro"] != counted.metrics["val_accuracy"]
