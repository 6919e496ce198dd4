"""Everything else that may vary in a training: steps, penalties, weights, outputs, phases, folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.candidates import candidate
from tests.search.trial.digits_training import SPACE, accuracy_of, train
from tests.small_backbone import small_backbone
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.digits import DigitsSource
from tunefront.search.spec.training import TrainingTable


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


def test_two_phases_train_the_head_first(keras: Any, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.applications, "MobileNetV2", small_backbone)
    settings = {"width": 0.5, "weights": "none", "freeze_fraction": 0.5, "head_epochs": 1, "dropout": 0.0}
    chosen = candidate(architecture="MobileNetV2", architecture_settings=settings, image_size=32, batch_size=256)
    seen = []

    def look(trainable: Any, result: Any) -> bool:
        n_parameters = sum(int(np.prod(weight.shape)) for weight in trainable.trained.trainable_weights)
        seen.append((n_parameters, float(trainable.optimizer.learning_rate)))
        return True

    _, timer, *_ = train(keras, digits, chosen, epochs=2, goes_on=look)
    (head, head_rate), (rest, rest_rate) = seen
    assert head == 16 * 10 + 10  # the classes alone
    # Then also the layers after the first three of six: ReLU, the separable convolution of 8 to 16, its normalization.
    assert rest == head + (9 * 8 + 8 * 16 + 16) + 2 * 16
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
