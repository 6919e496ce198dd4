"""The last training of a candidate, against plain Keras, and the images that it sees."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_class_weight

from tests.candidates import candidate
from tests.search.supervisor_fixture import make_spec
from tunefront.search.checkpoints.trial_folder import newest_whole
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.launching.asker import CheckError
from tunefront.search.retraining.last_training import RetrainingTask, train_again
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.space import Space

N, RARE = 60, 12  # images 0 to 59, of which the first twelve are of class 1


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """A file of images of one pixel that is the image's own number."""
    labels = (np.arange(N) < RARE).astype(np.int64)
    np.savez(tmp_path / "numbered.npz", x=np.arange(N, dtype=np.float32).reshape(-1, 1, 1, 1), y=labels)
    return tmp_path / "numbered.npz"


def numbers_in(dataset: Dataset, *splits: str) -> list[int]:
    return sorted(int(number) for split in splits for number in dataset.split(split).images.ravel())


def counting_layer(keras: Any) -> Any:
    """Return a layer of plain Keras that counts how often training showed it each image."""

    class Counting(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def build(self, shape: Any) -> None:
            self.counts = self.add_weight(shape=(N,), initializer="zeros", trainable=False)

        def call(self, images: Any, training: bool = False) -> Any:
            if training:
                numbers = keras.ops.cast(keras.ops.reshape(images, (-1,)), "int32")
                self.counts.assign_add(keras.ops.sum(keras.ops.one_hot(numbers, N), axis=0))
            return images

    return Counting()


@pytest.mark.parametrize("data", [{}, {"folds": 3}, {"split": "time", "folds": 2}], ids=str)
@pytest.mark.parametrize("batch_size", [7, 64])
def test_an_epoch_sees_every_image_of_training_and_validation_once_and_none_of_the_test(
    keras: Any, numbered: Path, data: dict[str, Any], batch_size: int
) -> None:
    from tunefront.search.trial.fit import fit_epochs
    from tunefront.search.trial.loss import TrainingLoss
    from tunefront.search.trial.trainable import Trainable

    searched = prepare(NpzSource.model_validate({"source": "npz", "path": str(numbered), **data}), seed=1)
    dataset = searched.with_validation_trained()
    test = numbers_in(dataset, "test")
    assert len(test) == 12
    assert test == numbers_in(searched, "test")
    assert numbers_in(dataset, "train") == sorted(set(range(N)) - set(test))
    assert len(dataset.split("validation").labels) == 0

    counting = counting_layer(keras)
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), counting, keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    )
    loss = TrainingLoss(2)
    model.compile("sgd", loss)
    chosen = candidate(batch_size=batch_size, epochs=5)
    told: list[int] = []
    fit_epochs(Trainable(chosen, model, model, loss, model), dataset, 3, lambda e, _: told.append(e), seed=4)
    expected = np.full(N, 3.0)
    expected[test] = 0
    assert np.asarray(counting.counts).tolist() == expected.tolist()
    assert told == [1, 2, 3]


def test_weights_are_those_of_a_plain_keras_loop_of_the_same_order(keras: Any, digits: Dataset) -> None:
    """Three of five epochs of a cosine, on training and validation images, in the order that the seed gives."""
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit_epochs

    seed, rate, size = 11, 0.01, 256
    dataset = digits.with_validation_trained()
    images = np.concatenate([digits.split(name).images for name in ("train", "validation")])
    labels = np.concatenate([digits.split(name).labels for name in ("train", "validation")])
    schedule = {"warm_up_epochs": 0.0, "minimum": 0.0}
    chosen = candidate(schedule="cosine", schedule_settings=schedule, batch_size=size, epochs=5)
    keras.utils.set_random_seed(seed)
    trainable = training.build(Space.from_table({}), chosen, dataset, TrainingTable(), seed)
    plain = type(trainable.model).from_config(trainable.model.get_config())
    plain.set_weights(trainable.model.get_weights())
    losses: list[float] = []
    fit_epochs(trainable, dataset, 3, lambda _, loss: losses.append(loss), seed=seed)

    plain.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    n_steps = math.ceil(len(labels) / size)
    for epoch in range(3):
        order = np.random.default_rng([seed, epoch]).permutation(len(labels))
        for step in range(n_steps):
            done = (epoch * n_steps + step) / (5 * n_steps)  # the cosine is that of the whole five epochs
            plain.optimizer.learning_rate = rate * (1 + math.cos(math.pi * done)) / 2
            rows = order[step * size : (step + 1) * size]
            plain.train_on_batch(images[rows], labels[rows])
    for found, expected in zip(trainable.model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    assert len(losses) == 3
    assert losses[2] < losses[0]


def rates_of_epochs(trainable: Any, digits: Dataset, epochs: int, rates: Sequence[float]) -> list[float]:
    """Return the learning rate after each epoch."""
    from tunefront.search.trial.fit import fit_epochs

    seen: list[float] = []
    fit_epochs(
        trainable, digits, epochs, lambda *_: seen.append(float(trainable.optimizer.learning_rate)), seed=1, rates=rates
    )
    return seen


def test_recorded_rates_are_replayed_and_the_last_one_stays(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial import trainable as training

    plateau = candidate(schedule="reduce_on_plateau", batch_size=1024, epochs=4)
    trainable = training.build(Space.from_table({}), plateau, digits, TrainingTable(), 1)
    assert rates_of_epochs(trainable, digits, 2, []) == pytest.approx([0.01, 0.01])
    assert rates_of_epochs(trainable, digits, 4, [0.01, 0.01, 0.002]) == pytest.approx([0.01, 0.01, 0.002, 0.002])


@pytest.mark.parametrize(("epochs", "rates"), [(1, [0.01]), (3, [0.01, 0.01, 0.001])])
def test_the_head_alone_is_trained_as_long_as_in_the_search(
    keras: Any, digits: Dataset, epochs: int, rates: list[float]
) -> None:
    from tunefront.search.trial.loss import TrainingLoss
    from tunefront.search.trial.trainable import Trainable

    backbone = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4)])
    model = keras.Sequential([keras.Input((8, 8, 1)), backbone, keras.layers.Dense(10, "softmax")])
    settings = {"freeze_fraction": 0.0, "head_epochs": 2, "fine_tuning_rate": 0.1}
    chosen = candidate(architecture_settings=settings, batch_size=1024, epochs=6)
    before = backbone.get_weights()[0]
    trainable = Trainable(chosen, model, model, TrainingLoss(10), model, backbone)
    assert rates_of_epochs(trainable, digits, epochs, []) == pytest.approx(rates)
    assert bool((backbone.get_weights()[0] == before).all()) is (epochs == 1)


def test_weights_scales_and_means_are_fitted_on_all_that_is_trained_on(keras: Any, numbered: Path) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.loss import NumberLoss, TrainingLoss

    mlp = {"n_layers": 1, "units": 2, "batch_norm": False, "dropout": 0.0}
    chosen = candidate(architecture="mlp", architecture_settings=mlp, class_weights="balanced")
    data = prepare(NpzSource.model_validate({"source": "npz", "path": str(numbered)}), seed=1).with_validation_trained()
    trained = np.array(numbers_in(data, "train"))
    trainable = training.build(Space.from_table({"architecture": "mlp"}), chosen, data, TrainingTable(), 1)
    assert isinstance(trainable.loss, TrainingLoss)
    labels = (trained < RARE).astype(int)
    weights = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)
    assert list(trainable.loss.class_weights) == pytest.approx(list(weights))
    (scaling,) = [layer for layer in trainable.model.layers if isinstance(layer, keras.layers.Normalization)]
    assert float(np.ravel(scaling.mean)[0]) == pytest.approx(trained.mean())

    np.savez(numbered, x=np.arange(N, dtype=np.float32).reshape(-1, 1, 1, 1), y=np.arange(N, dtype=np.float32) ** 2)
    source = NpzSource.model_validate({"source": "npz", "path": str(numbered), "task": "regression"})
    data = prepare(source, seed=1).with_validation_trained()
    squares = np.array(numbers_in(data, "train"), float) ** 2
    numbers = replace(chosen, class_weights="none").for_task("regression")
    loss = training.build(
        Space.from_table({"architecture": "mlp"}, "regression"), numbers, data, TrainingTable(), 1
    ).loss
    assert isinstance(loss, NumberLoss)
    assert (loss.scale.mean, loss.scale.deviation) == (pytest.approx(squares.mean()), pytest.approx(squares.std()))


def task_for(folder: Path, *, trains_validation: bool, **changes: Any) -> RetrainingTask:
    spec = make_spec(training={"epochs": 4, "early_stopping": {"patience": 0}})
    fields: dict[str, Any] = {
        "spec": spec.as_json(),
        "number": 5,
        "candidate": candidate(batch_size=128, epochs=4),
        "trains_validation": trains_validation,
        "epochs": 2,
        "rates": (),
        "seed": 3,
        "fingerprint": prepare(spec.data, spec.seed, are_images=True).fingerprint,
        "model_path": str(folder / "model.keras"),
    }
    return RetrainingTask(**fields | changes)


def test_the_saved_model_has_the_test_score_that_is_told(keras: Any, tmp_path: Path) -> None:
    task = task_for(tmp_path, trains_validation=True)
    progress: list[tuple[str, int, int]] = []
    found = train_again(task, lambda what, done, total: progress.append((what, done, total)))
    test = Dataset.read(Path(found["folder"])).split("test")
    model = keras.models.load_model(task.model_path)
    chosen = np.asarray(model.predict(np.array(test.images), verbose=0)).argmax(axis=1)
    assert found["measurements"]["test_accuracy"] == pytest.approx(accuracy_score(test.labels, chosen))
    assert "accuracy" not in found["measurements"]  # there is nothing left to validate on
    assert (found["n_trained"], found["n_steps"], found["n_before"]) == (1438, 12, 9)  # of 128; 1079 images before
    assert [(what.partition(",")[0], done, total) for what, done, total in progress[-2:]] == [
        ("training trial 5", 1, 2),
        ("training trial 5", 2, 2),
    ]


def test_on_the_images_of_the_search_it_is_the_training_of_the_search(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    task = task_for(tmp_path, trains_validation=False, seed=8)
    found = train_again(task, no_progress)
    data = Dataset.read(Path(found["folder"]))
    keras.utils.set_random_seed(8)
    trainable = training.build(Space.from_table({}), task.candidate, data, TrainingTable(epochs=4), 8)
    scores: list[float] = []
    fit(trainable, data, TrainingTable(epochs=4), Goal(), lambda r: scores.append(r.accuracy) or r.epoch < 2, seed=8)
    assert found["measurements"]["accuracy"] == pytest.approx(scores[1], abs=0.003)
    assert (found["n_steps"], found["n_before"]) == (9, 9)


def test_other_data_and_what_cannot_be_trained_are_refused(keras: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="are not those of the study"):
        train_again(task_for(tmp_path, trains_validation=True, fingerprint="another"), no_progress)
    wild = candidate(optimizer="sgd", optimizer_settings={"learning_rate": 1e30, "momentum": 0.9, "nesterov": False},
                     architecture_settings={"dense_units": 64}, epochs=4)  # fmt: skip
    with pytest.raises(CheckError, match="trial 5 could not be trained again: loss became (nan|inf) in epoch"):
        train_again(task_for(tmp_path, trains_validation=True, candidate=wild), no_progress)
    assert not (tmp_path / "model.keras").exists()


def test_a_training_that_was_interrupted_goes_on_and_is_the_same(keras: Any, tmp_path: Path) -> None:
    """In the middle of a cosine, with momentum and dropout."""
    settings = {**candidate().architecture_settings, "dropout": 0.3}
    chosen = candidate(
        architecture_settings=settings, optimizer="sgd", batch_size=512, epochs=8, schedule="cosine",
        optimizer_settings={"learning_rate": 0.05, "momentum": 0.9, "nesterov": False},
        schedule_settings={"warm_up_epochs": 1.0, "minimum": 0.0},
    )  # fmt: skip
    folder = tmp_path / "checkpoints"
    changes: dict[str, Any] = {"candidate": chosen, "epochs": 5, "trains_validation": True}
    whole = task_for(tmp_path, **changes, model_path=str(tmp_path / "whole.keras"))
    train_again(whole, no_progress)

    def interrupt(what: str, done: int, total: int) -> None:
        if done == 3:
            time.sleep(2.5)  # so that a checkpoint is due
        if done == 4:
            raise KeyboardInterrupt

    task = task_for(tmp_path, **changes, checkpoint_folder=str(folder))
    with pytest.raises(KeyboardInterrupt):
        train_again(task, interrupt)
    newest = newest_whole(folder)
    assert newest is not None
    told: list[tuple[str, int]] = []
    found = train_again(task, lambda what, done, total: told.append((what.partition(",")[0], done)))
    assert told[-(6 - newest.epoch) :] == [
        (f"trial 5 goes on after epoch {newest.epoch} of 5", newest.epoch),
        *(("training trial 5", epoch) for epoch in range(newest.epoch + 1, 6)),
    ]
    models = [keras.models.load_model(path) for path in (whole.model_path, task.model_path)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
    assert 0 < found["measurements"]["train_seconds"] < math.inf

    told.clear()
    train_again(replace(task, seed=9), lambda what, done, total: told.append((what, done)))
    (anew,) = (what for what, _ in told if "begins anew" in what)
    assert anew.endswith("is of another training: seed was 3 and is 9")


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""
