"""Models that are built, trained and saved: accuracy, bytes, optimizers, precision, and what ends a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tests.search.trial.digits_training import LARGE, LARGER, SPACE, accuracy_of, spoil_after_two, train
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable


@pytest.mark.parametrize("augmentation", ["none", "light"])
def test_the_kept_model_has_the_accuracy_that_was_reported(
    keras: Any, digits: Dataset, tmp_path: Path, augmentation: str
) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training

    chosen = candidate(augmentation=augmentation)
    trainable, timer, counted, results = train(keras, digits, chosen, epochs=4, goes_on=spoil_after_two)
    accuracies = [result.accuracy for result in results]
    assert counted.epoch == int(np.argmax(accuracies)) + 1 <= 2
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
    # Keras describes what layers share a little shorter once it is loaded.
    size = memory.model_bytes(trainable.model, trainable.optimizer)
    assert memory.model_bytes(loaded, loaded.optimizer) == pytest.approx(size, rel=0.01)

    assert [result.epoch for result in results] == [1, 2, 3, 4]
    assert all({"loss", "val_loss", "val_accuracy"} <= set(result.metrics) for result in results)
    assert timer.train_seconds == pytest.approx(sum(result.train_seconds for result in results), rel=1e-6)
    assert timer.compile_seconds > 0
    assert timer.validation_seconds > 0


@pytest.mark.parametrize("settings", [{}, LARGE, LARGER], ids=["mostly structure", "1.4 MB", "5.3 MB"])
@pytest.mark.parametrize("augmentation", ["none", "light", "strong"])
def test_model_bytes_is_what_saving_takes(
    keras: Any, digits: Dataset, tmp_path: Path, settings: dict[str, Any], augmentation: str
) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training

    chosen = candidate(architecture_settings=settings, augmentation=augmentation)
    trainable = training.build(SPACE, chosen, digits, TrainingTable(), 1)
    expected = memory.model_bytes(trainable.model, trainable.optimizer)
    training.save(trainable, str(tmp_path / "model.keras"))  # no random state of the augmentation is in it
    assert (tmp_path / "model.keras").stat().st_size == pytest.approx(expected, rel=0.02)


def test_weight_bytes_is_known_before_training_and_stays(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    keras.utils.set_random_seed(1)
    chosen = candidate()
    trainable = training.build(SPACE, chosen, digits, TrainingTable(), 1)
    before = (memory.weight_bytes(trainable.model), memory.model_bytes(trainable.model, trainable.optimizer))
    fit(trainable, digits, TrainingTable(epochs=1), Goal(), lambda result: True, seed=1)
    after = (memory.weight_bytes(trainable.model), memory.model_bytes(trainable.model, trainable.optimizer))
    assert before == after
    # Keras compiled exactly what was counted: no optimizer of its own, no other variables.
    compiled = sum(v.numpy().nbytes for v in trainable.trained.optimizer.variables)
    assert 0 < before[1] - before[0] - compiled < 60_000  # the file's structure


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion"])
def test_every_optimizer_trains(keras: Any, digits: Dataset, tmp_path: Path, optimizer: str) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.spaces.optimizers import OPTIMIZERS

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
    chosen = candidate(augmentation="light", architecture_settings={"dropout": 0.3})
    curves = [[r.accuracy for r in train(keras, digits, chosen, 2, seed)[3]] for seed in (5, 5, 6)]
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


def test_fit_stops_when_it_is_told_to(keras: Any, digits: Dataset) -> None:
    _, timer, counted, results = train(
        keras, digits, candidate(), epochs=5, goes_on=lambda trainable, result: result.epoch < 2
    )
    assert [result.epoch for result in results] == [1, 2]
    assert counted.epoch in (1, 2)
    assert timer.train_seconds > 0


def test_fit_fails_when_the_loss_becomes_nan(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial.fit import TrainingFailedError

    settings = {"learning_rate": 1e30, "momentum": 0.9, "nesterov": False}
    chosen = candidate(optimizer="sgd", optimizer_settings=settings, architecture_settings={"dense_units": 64})
    with pytest.raises(TrainingFailedError, match=r"became (nan|inf) in epoch \d"):
        train(keras, digits, chosen, epochs=3)


@pytest.mark.parametrize("augmentation", ["none", "light"])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_model_of_each_precision_is_saved_whole(
    keras: Any, digits: Dataset, tmp_path: Path, precision: Any, augmentation: str
) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    try:
        chosen = candidate(augmentation=augmentation, batch_size=256)
        table = TrainingTable(epochs=1, precision=precision)
        trainable = training.build(SPACE, chosen, digits, table, 1)
        fit(trainable, digits, table, Goal(), lambda result: True, seed=1)
        assert {str(weight.dtype) for weight in trainable.model.trainable_weights} == {"float32"}
        training.save(trainable, str(tmp_path / "model.keras"))
        keras.config.set_dtype_policy("float32")  # as in a program that knows nothing of the training
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert memory.weight_bytes(loaded) == memory.weight_bytes(trainable.model)
        trained_optimizer = [keras.ops.convert_to_numpy(v).sum() for v in trainable.trained.optimizer.variables]
        assert [keras.ops.convert_to_numpy(v).sum() for v in loaded.optimizer.variables] == trained_optimizer
        probabilities = np.asarray(loaded.predict(np.array(digits.split("test").images[:9]), verbose=0), "float32")
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=0.02)
    finally:
        keras.config.set_dtype_policy("float32")
