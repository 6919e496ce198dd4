"""One candidate really trained on digits: what is kept is what was reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.data import Dataset
from spaces import Candidate, Space

SPACE = Space.from_table({})
TINY = {"n_blocks": 1, "filters": 8, "kernel_size": 3, "dense_units": 0, "dropout": 0.0, "batch_norm": False}
LARGE = {"n_blocks": 3, "filters": 32, "kernel_size": 3, "dense_units": 128, "dropout": 0.2, "batch_norm": True}
LARGER = {**LARGE, "filters": 64, "dense_units": 256, "batch_norm": False}


def candidate(**changes: Any) -> Candidate:
    chosen = {
        "architecture": "plain_cnn",
        "architecture_settings": TINY,
        "optimizer": "adam",
        "optimizer_settings": {"learning_rate": 0.01},
        "augmentation": "none",
        "batch_size": 64,
    }
    return Candidate(**{**chosen, **changes})


def train(
    keras: Any,
    digits: Dataset,
    chosen: Candidate,
    epochs: int,
    seed: int = 3,
    goes_on: Callable[[Any, Any], bool] = lambda trainable, result: True,
) -> tuple[Any, Any, int, list[Any]]:
    """Build and fit: trainable, timer, best epoch, and every epoch's result."""
    from search import training

    results: list[Any] = []

    def note(result: Any) -> bool:
        results.append(result)
        return goes_on(trainable, result)

    keras.utils.set_random_seed(seed)
    trainable = training.build(SPACE, chosen, digits, "float32", seed)
    timer, best_epoch = training.fit(trainable, digits, chosen, epochs, note)
    return trainable, timer, best_epoch, results


def spoil_after_two(trainable: Any, result: Any) -> bool:
    """Let later epochs only make it worse, so that the best epoch is not the last one."""
    if result.epoch == 2:
        trainable.optimizer.learning_rate = 10.0
    return True


def accuracy_of(model: Any, digits: Dataset) -> float:
    """Of predictions on the raw validation images, without Keras's metric."""
    split = digits.split("validation")
    predicted = np.asarray(model.predict(np.array(split.images), verbose=0)).argmax(axis=1)
    return float((predicted == split.labels).mean())


@pytest.mark.parametrize("augmentation", ["none", "light"])
def test_the_kept_model_has_the_accuracy_that_was_reported(
    keras: Any, digits: Dataset, tmp_path: Path, augmentation: str
) -> None:
    from search import measuring, training

    chosen = candidate(augmentation=augmentation)
    trainable, timer, best_epoch, results = train(keras, digits, chosen, epochs=4, goes_on=spoil_after_two)
    accuracies = [result.accuracy for result in results]
    assert best_epoch == int(np.argmax(accuracies)) + 1 <= 2
    assert max(accuracies) > accuracies[-1] + 0.1

    training.save(trainable, str(tmp_path / "kept.keras"))
    loaded = keras.models.load_model(tmp_path / "kept.keras")
    assert accuracy_of(loaded, digits) == pytest.approx(max(accuracies), abs=1e-6)
    assert not [layer for layer in loaded.layers if "random" in layer.name.lower()]
    images = np.array(digits.split("test").images[:7])
    np.testing.assert_allclose(
        np.asarray(loaded.predict(images, verbose=0)), np.asarray(trainable.model.predict(images, verbose=0))
    )
    assert loaded.output_shape == (None, 10)
    assert loaded.optimizer is not None  # training can go on from it
    assert measuring.model_bytes(loaded, loaded.optimizer) == measuring.model_bytes(
        trainable.model, trainable.optimizer
    )

    assert [result.epoch for result in results] == [1, 2, 3, 4]
    assert all({"loss", "val_loss", "val_accuracy"} <= set(result.metrics) for result in results)
    assert timer.train_seconds == pytest.approx(sum(result.train_seconds for result in results), rel=1e-6)
    assert timer.compile_seconds > 0
    assert timer.validation_seconds > 0


@pytest.mark.parametrize(
    ("settings", "ratio"),
    [
        # What the file has beside variables is its structure: 30 to 77 kB were seen, by the number of layers.
        (LARGE, 1.058),  # 1.33 MB with batch norm
        (LARGER, 1.012),  # 5.26 MB
    ],
)
@pytest.mark.parametrize("augmentation", ["none", "light"])
def test_model_bytes_is_what_saving_takes(
    keras: Any, digits: Dataset, tmp_path: Path, settings: dict[str, Any], ratio: float, augmentation: str
) -> None:
    from search import measuring, training

    chosen = candidate(architecture_settings=settings, augmentation=augmentation)
    trainable = training.build(SPACE, chosen, digits, "float32", 1)
    expected = measuring.model_bytes(trainable.model, trainable.optimizer)
    training.save(trainable, str(tmp_path / "model.keras"))
    n_bytes = (tmp_path / "model.keras").stat().st_size
    assert 0 < n_bytes - expected < 100_000
    assert n_bytes / expected == pytest.approx(ratio, abs=0.02)


def test_weight_bytes_is_known_before_training_and_stays(keras: Any, digits: Dataset) -> None:
    from search import measuring, training

    keras.utils.set_random_seed(1)
    chosen = candidate()
    trainable = training.build(SPACE, chosen, digits, "float32", 1)
    before = (measuring.weight_bytes(trainable.model), measuring.model_bytes(trainable.model, trainable.optimizer))
    training.fit(trainable, digits, chosen, 1, lambda result: True)
    after = (measuring.weight_bytes(trainable.model), measuring.model_bytes(trainable.model, trainable.optimizer))
    assert before == after
    # And what Keras compiled is what was counted: no optimizer of its own, no other variables.
    compiled = list(trainable.trained.optimizer.variables)
    assert sum(v.numpy().nbytes for v in compiled) == before[1] - before[0]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion"])
def test_every_optimizer_trains(keras: Any, digits: Dataset, tmp_path: Path, optimizer: str) -> None:
    from search import training
    from spaces.optimizers import OPTIMIZERS

    settings = {"learning_rate": 0.001, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}
    own = {name: settings[name] for name in OPTIMIZERS[optimizer]}
    trainable, _, _, results = train(
        keras, digits, candidate(optimizer=optimizer, optimizer_settings=own, batch_size=256), epochs=1
    )
    assert 0 <= results[0].accuracy <= 1
    training.save(trainable, str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer).__name__.lower() == optimizer


def test_the_same_seed_gives_the_same_training(keras: Any, digits: Dataset) -> None:
    chosen = candidate(augmentation="light", architecture_settings={**TINY, "dropout": 0.3})
    curves = [[r.accuracy for r in train(keras, digits, chosen, 2, seed)[3]] for seed in (5, 5, 6)]
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


def test_fit_stops_when_it_is_told_to(keras: Any, digits: Dataset) -> None:
    _, timer, best_epoch, results = train(
        keras, digits, candidate(), epochs=5, goes_on=lambda trainable, result: result.epoch < 2
    )
    assert [result.epoch for result in results] == [1, 2]
    assert best_epoch in (1, 2)
    assert timer.train_seconds > 0


def test_fit_fails_when_the_loss_becomes_nan(keras: Any, digits: Dataset) -> None:
    from search.training import TrainingFailedError

    settings = {"learning_rate": 1e30, "momentum": 0.9, "nesterov": False}
    chosen = candidate(optimizer="sgd", optimizer_settings=settings, architecture_settings={**TINY, "dense_units": 64})
    with pytest.raises(TrainingFailedError, match=r"became (nan|inf) in epoch \d"):
        train(keras, digits, chosen, epochs=3)


@pytest.mark.parametrize("augmentation", ["none", "light"])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_model_of_each_precision_is_saved_whole(
    keras: Any, digits: Dataset, tmp_path: Path, precision: str, augmentation: str
) -> None:
    from search import measuring, training

    try:
        chosen = candidate(augmentation=augmentation, batch_size=256)
        trainable = training.build(SPACE, chosen, digits, precision, 1)
        training.fit(trainable, digits, chosen, 1, lambda result: True)
        assert {str(weight.dtype) for weight in trainable.model.trainable_weights} == {"float32"}
        training.save(trainable, str(tmp_path / "model.keras"))
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert measuring.weight_bytes(loaded) == measuring.weight_bytes(trainable.model)
        trained_optimizer = [keras.ops.convert_to_numpy(v).sum() for v in trainable.trained.optimizer.variables]
        assert [keras.ops.convert_to_numpy(v).sum() for v in loaded.optimizer.variables] == trained_optimizer
        probabilities = np.asarray(loaded.predict(np.array(digits.split("test").images[:9]), verbose=0), "float32")
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=0.02)
    finally:
        keras.config.set_dtype_policy("float32")
