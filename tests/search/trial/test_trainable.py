"""The real training of candidates on digits: the kept model is the one that was reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.candidates import candidate
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.digits import DigitsSource
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


# Everything that may vary in a training


def optimizer_steps(trainable: Any) -> int:
    return int(trainable.optimizer.iterations)


@pytest.mark.parametrize(
    "changes",
    [
        {"label_smoothing": 0.1},
        {"class_weights": "balanced"},
        {"l1": 1e-4, "l2": 1e-3},
        {"augmentation": "custom", "augmentation_settings": {"mixup": 0.4}},
        {"augmentation": "custom", "augmentation_settings": {"cutmix": 1.0}, "class_weights": "balanced"},
        {"augmentation": "strong"},
        {"schedule": "cosine", "schedule_settings": {"warm_up_epochs": 1.0}},
        {"schedule": "reduce_on_plateau"},
        {"image_size": 12},
        {"steps_per_epoch": 20},
    ],
    ids=str,
)
def test_every_kind_of_training_learns_and_is_saved(
    keras: Any, digits: Dataset, tmp_path: Path, changes: dict[str, Any]
) -> None:
    from tunefront.search.trial import trainable as training

    trainable, _, counted, results = train(keras, digits, candidate(batch_size=32, **changes), epochs=3)
    assert counted.accuracy > 0.4  # four times guessing
    assert results[-1].metrics["loss"] < results[0].metrics["loss"]
    training.save(trainable, str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert accuracy_of(loaded, digits) == pytest.approx(counted.accuracy, abs=1e-6)
    assert loaded.input_shape == (None, 8, 8, 1)
    loaded.fit(np.array(digits.split("train").images[:8]), digits.split("train").labels[:8], verbose=0)


def test_steps_per_epoch_are_what_an_epoch_trains(keras: Any, digits: Dataset) -> None:
    trainable, *_ = train(keras, digits, candidate(steps_per_epoch=7), epochs=3)
    assert optimizer_steps(trainable) == 21


def test_a_penalty_makes_weights_smaller(keras: Any, digits: Dataset) -> None:
    norms = []
    for l2 in (0.0, 0.1):
        trainable, *_ = train(keras, digits, candidate(l2=l2), epochs=2)
        norms.append(sum(float((weight**2).sum()) for weight in trainable.model.get_weights() if weight.ndim > 1))
    assert norms[1] < 0.5 * norms[0]


def test_balanced_weights_let_a_rare_class_be_found(keras: Any, digits: Dataset) -> None:
    # One class is a hundred times as rare. Without weights, two epochs would not learn it.
    from tunefront.search.trial.loss import TrainingLoss, balanced_weights

    counts = np.bincount(digits.split("train").labels)
    trainable, *_ = train(keras, digits, candidate(class_weights="balanced"), epochs=1)
    assert isinstance(trainable.loss, TrainingLoss)
    assert list(trainable.loss.class_weights) == pytest.approx(balanced_weights(counts.tolist()))


def test_a_cosine_schedule_ends_at_its_minimum(keras: Any, digits: Dataset) -> None:

    chosen = candidate(schedule="cosine", schedule_settings={"warm_up_epochs": 0.0, "minimum": 0.1}, batch_size=256)
    trainable, *_ = train(keras, digits, chosen, epochs=2)
    assert float(trainable.optimizer.learning_rate) == pytest.approx(0.1 * 0.01, rel=1e-3)


@pytest.mark.parametrize("monitor", ["", "loss", "val_loss", "val_accuracy"])
def test_a_plateau_lowers_the_rate(keras: Any, digits: Dataset, monitor: str) -> None:
    # The rate is so small that the loss does not improve by Keras's least difference of 1e-4.
    settings = {"factor": 0.5, "patience": 1, "cooldown": 0, "minimum": 0.0}
    chosen = candidate(
        schedule="reduce_on_plateau",
        schedule_settings={**settings, **({"monitor": monitor} if monitor else {})},
        optimizer_settings={"learning_rate": 1e-9},
        batch_size=256,
    )
    trainable, *_ = train(keras, digits, chosen, epochs=4)
    assert float(trainable.optimizer.learning_rate) == pytest.approx(1e-9 / 8, rel=1e-3)


@pytest.mark.parametrize(("monitor", "is_lowered"), [("val_accuracy", True), ("loss", False)])
def test_a_plateau_is_that_of_what_is_monitored(
    keras: Any, digits: Dataset, monkeypatch: pytest.MonkeyPatch, monitor: str, is_lowered: bool
) -> None:
    # The training loss falls, and the validation accuracy, which should rise, falls too.
    from tunefront.search.trial.epoch_watcher import Watcher

    real = Watcher._score

    def falling(watcher: Any, validation: Any) -> dict[str, float]:
        watcher.n_scored = getattr(watcher, "n_scored", 0) + 1
        return {**real(watcher, validation), "accuracy": 0.9 / watcher.n_scored}

    monkeypatch.setattr(Watcher, "_score", falling)
    settings = {"monitor": monitor, "factor": 0.5, "patience": 1, "cooldown": 0, "minimum": 0.0}
    chosen = candidate(schedule="reduce_on_plateau", schedule_settings=settings, batch_size=64)
    trainable, _, _, results = train(keras, digits, chosen, epochs=3)
    losses = [result.metrics["loss"] for result in results]
    assert losses == sorted(losses, reverse=True)
    assert (float(trainable.optimizer.learning_rate) < 0.006) is is_lowered


def test_every_epoch_tells_its_learning_rate(keras: Any, digits: Dataset) -> None:

    chosen = candidate(schedule="cosine", schedule_settings={"warm_up_epochs": 0.0, "minimum": 0.0}, batch_size=256)
    *_, results = train(keras, digits, chosen, epochs=4)
    # Keras's cosine, by hand: half of 1 + cos of the share of steps that are done; the rate at first is 0.01.
    expected = [0.01 * (1 + np.cos(np.pi * done / 4)) / 2 for done in (1, 2, 3, 4)]
    assert [result.metrics["learning_rate"] for result in results] == pytest.approx(expected, abs=1e-8)


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


@pytest.mark.parametrize("positive", ["3", "8"])
@pytest.mark.parametrize("changes", [{}, {"label_smoothing": 0.1}, {"class_weights": "balanced"}], ids=str)
def test_one_sigmoid_unit_is_the_positive_class(
    keras: Any, tmp_path: Path, positive: str, changes: dict[str, Any]
) -> None:
    from tunefront.search.trial import trainable as training

    two = prepare(DigitsSource(source="digits", classes=["3", "8"], positive_class=positive), seed=1)
    chosen = candidate(output="sigmoid", batch_size=8, architecture_settings={"filters": 16}, **changes)
    trainable, _, counted, _ = train(
        keras, two, chosen, epochs=4, measure="f1_binary", positive_class=two.positive_class
    )
    assert counted.accuracy > 0.8
    assert counted.metrics["accuracy"] > 0.8  # Keras's own, of the training images
    training.save(trainable, str(tmp_path / "model.keras"))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    split = two.split("validation")
    is_positive = split.labels == ("3", "8").index(positive)
    unit = np.asarray(loaded.predict(np.array(split.images), verbose=0))[:, 0]
    assert unit[is_positive].mean() > unit[~is_positive].mean() + 0.4
    assert f1_score(is_positive, unit > 0.5) == pytest.approx(counted.accuracy, abs=1e-6)
    assert roc_auc_score(is_positive, unit) == pytest.approx(counted.metrics["val_auc"], abs=1e-6)
    assert log_loss(is_positive, unit) == pytest.approx(counted.metrics["val_loss"], rel=1e-4)


def test_two_phases_train_the_head_first(keras: Any, digits: Dataset) -> None:
    settings = {"width": 0.35, "weights": "none", "freeze_fraction": 0.9, "head_epochs": 1, "dropout": 0.0}
    chosen = candidate(architecture="MobileNetV2", architecture_settings=settings, image_size=32, batch_size=256)
    seen = []

    def look(trainable: Any, result: Any) -> bool:
        n_parameters = sum(int(np.prod(weight.shape)) for weight in trainable.trained.trainable_weights)
        seen.append((n_parameters, float(trainable.optimizer.learning_rate)))
        return True

    _, timer, *_ = train(keras, digits, chosen, epochs=2, goes_on=look)
    (head, head_rate), (rest, rest_rate) = seen
    assert head == 1280 * 10 + 10  # the classes alone
    assert rest > head
    assert (head_rate, rest_rate) == (pytest.approx(0.01), pytest.approx(0.001))
    assert timer.train_seconds > 0


def test_a_candidate_trains_its_own_epochs_with_their_schedule_and_head(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial.loss import TrainingLoss
    from tunefront.search.trial.trainable import Phase, Trainable, phases

    chosen = candidate(schedule="cosine", schedule_settings={"warm_up_epochs": 0.0, "minimum": 0.01}, batch_size=256)
    for own, expected in ((2, 2), (0, 3)):  # without a number of its own it trains the most
        *_, results = train(keras, digits, replace(chosen, epochs=own), epochs=[1, 3])
        assert len(results) == expected
        assert results[-1].metrics["learning_rate"] == pytest.approx(0.01 * 0.01, rel=1e-4)  # the cosine's end
        assert results[-2].metrics["learning_rate"] > 0.002

    tuned = candidate(architecture_settings={"head_epochs": 5, "fine_tuning_rate": 0.1}, epochs=2)
    parts = phases(Trainable(tuned, None, None, TrainingLoss(10), None, backbone="any"), 2)
    assert parts == (Phase(1, 1, is_head_only=True), Phase(2, 2, rate_factor=0.1))  # one of two epochs for the rest


def test_each_fold_trains_on_what_others_validate(keras: Any) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    folds = prepare(DigitsSource(source="digits", folds=3), seed=1)
    table = TrainingTable(epochs=1)
    seen = []
    for fold in range(3):
        trainable = training.build(SPACE, candidate(batch_size=256), folds, table, 1, fold)
        fit(trainable, folds, table, Goal(), lambda result: True, seed=1, fold=fold)
        seen.append(folds.split("validation", fold).labels)
    n_searched = folds.n_train + folds.n_validation
    assert sum(map(len, seen)) == n_searched


def test_tensorboard_gets_training_and_validation(keras: Any, digits: Dataset, tmp_path: Path) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    table = TrainingTable(epochs=2, tensorboard=True)
    trainable = training.build(SPACE, candidate(batch_size=256), digits, table, 1)
    folder = tmp_path / "trial-1"
    fit(trainable, digits, table, Goal(), lambda result: True, seed=1, log_folder=str(folder))
    for run, expected in (
        ("train", {"epoch_loss", "epoch_accuracy"}),
        ("validation", {"epoch_loss", "epoch_accuracy", "epoch_f1_macro"}),
    ):
        accumulator = EventAccumulator(str(folder / run))
        accumulator.Reload()
        assert expected <= set(accumulator.Tags()["tensors"])
