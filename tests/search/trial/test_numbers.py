"""Training on numbers: it is that of standardised labels, with scores in the unit of the labels."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from tests.search.trial.number_training import LOSSES, SPACE, dataset, keras_s, linear, train
from tunefront.search.spec.training import TrainingTable
from tunefront.search.trial.scores import score_numbers

LOADED = """
import sys
import keras, numpy as np
for folder in sys.argv[1:]:
    model = keras.models.load_model(f"{folder}/kept.keras")
    np.save(f"{folder}/answers.npy", model.predict(np.load(f"{folder}/images.npy"), verbose=0))
    print(type(model.optimizer).__name__, [layer.name for layer in model.layers][-1], model.output_shape)
"""
UNITS = [(2000.0, 3.0), (0.001, 0.0002), (-5.0, 40.0)]  # mean and deviation of the labels


@pytest.fixture(scope="module")
def answered(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[float, float], Any]:
    """Unit -> data, counted and all epochs of a training, and the answers of its file in another process."""
    from tunefront.search.trial import trainable as training

    folders, trained = {}, {}
    for unit in UNITS:
        folder = folders[unit] = tmp_path_factory.mktemp("numbers")
        data = dataset(folder, *unit)
        trainable, counted, results = train(keras, data, epochs=12)
        training.save(trainable, str(folder / "kept.keras"))
        np.save(folder / "images.npy", np.asarray(data.split("validation").images))
        trained[unit] = data, counted, results
    command = [sys.executable, "-c", LOADED, *map(str, folders.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-4:-1] == ["Adam unit_of_labels (None, 1)"] * 3
    return {unit: (*trained[unit], np.load(folders[unit] / "answers.npy")) for unit in UNITS}


@pytest.mark.parametrize("unit", UNITS)
def test_the_saved_model_answers_in_the_unit_of_the_labels_in_another_process(
    answered: Mapping[tuple[float, float], Any], unit: tuple[float, float]
) -> None:
    data, counted, results, answers = answered[unit]
    numbers = data.split("validation").labels.astype(float)
    assert answers.shape == (len(numbers), 1)
    rmse = root_mean_squared_error(numbers, answers[:, 0].astype(float))
    assert rmse == pytest.approx(counted.accuracy, rel=1e-3)
    assert rmse < 0.8 * numbers.std()
    assert counted.metrics["val_r2"] == pytest.approx(r2_score(numbers, answers[:, 0]), abs=1e-2)
    assert counted.accuracy == min(result.accuracy for result in results)
    assert 0.05 < results[0].metrics["loss"] < 20  # standard units, whatever those of the labels


def test_training_is_that_of_standardised_labels_by_plain_keras(keras: Any, tmp_path: Path) -> None:
    """Two steps on labels of mean 2000 and deviation 3, against the same network on (y - mean) / deviation."""
    from tunefront.search.trial import trainable as training

    data = dataset(tmp_path, 2000.0, 3.0)
    images, labels = np.asarray(data.split("train").images), data.split("train").labels.astype(float)
    scale = (labels.mean(), labels.std())
    for kind in LOSSES:
        chosen = linear(
            loss=kind, optimizer="sgd", optimizer_settings={"learning_rate": 0.1, "momentum": 0.0, "nesterov": False}
        )
        keras.utils.set_random_seed(3)
        ours = training.build(SPACE, chosen, data, TrainingTable(), 3)
        plain = SPACE.build(chosen, (8, 8, 1), 1)
        plain.set_weights(ours.model.get_weights())
        plain.compile(keras.optimizers.SGD(0.1), keras_s(keras, kind))
        before = plain.get_weights()
        for _ in range(2):
            plain.train_on_batch(images, ((labels - scale[0]) / scale[1])[:, np.newaxis])
            ours.trained.train_on_batch(images, labels[:, np.newaxis].astype("float32"))
        for first, expected, found in zip(before, plain.get_weights(), ours.model.get_weights(), strict=True):
            assert np.abs(expected - first).max() > 1e-4
            np.testing.assert_allclose(found - first, expected - first, rtol=2e-2, atol=2e-5)


def test_scaling_is_that_of_the_fold_s_own_training_labels(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial import trainable as training

    data = dataset(tmp_path, 10.0, 2.0, folds=3, split="time", test_fraction=0.0)
    for fold in range(3):
        built = training.build(SPACE, linear(), data, TrainingTable(), 1, fold)
        numbers = data.split("train", fold).labels.astype(float)
        layer = built.model.layers[-1]
        assert (layer.offset, layer.scale) == (pytest.approx(numbers.mean()), pytest.approx(numbers.std()))
        assert len(numbers) == 30 * (fold + 1)


@pytest.mark.parametrize(("measure", "best"), [("rmse", min), ("mae", min), ("r2", max)])
def test_the_best_epoch_is_so_by_the_measure_s_direction(keras: Any, tmp_path: Path, measure: str, best: Any) -> None:
    def spoil(trainable: Any, result: Any) -> bool:
        if result.epoch == 3:
            trainable.optimizer.learning_rate = 1.0  # later epochs are worse
        return True

    data = dataset(tmp_path, 2000.0, 3.0)
    trainable, counted, results = train(keras, data, epochs=6, measure=measure, goes_on=spoil)
    scores = [result.metrics[f"val_{measure}"] for result in results]
    assert counted.accuracy == best(scores) != scores[-1]
    assert counted.epoch == scores.index(best(scores)) + 1
    validation = data.split("validation")
    answers = trainable.model.predict(np.asarray(validation.images), verbose=0)[:, 0].astype(float)
    found = score_numbers(validation.labels, answers, "mse", trainable.loss.scale)
    assert found[measure] == pytest.approx(counted.accuracy, rel=1e-4)


def test_training_scores_are_in_the_unit_of_the_labels(keras: Any, tmp_path: Path) -> None:
    data = dataset(tmp_path, 2000.0, 3.0)
    chosen = linear(optimizer="sgd", optimizer_settings={"learning_rate": 1e-12, "momentum": 0.0, "nesterov": False})
    trainable, counted, _ = train(keras, data, epochs=1, chosen=chosen)
    training = data.split("train")
    answers = trainable.model.predict(np.asarray(training.images), verbose=0)[:, 0].astype(float)
    numbers = training.labels.astype(float)
    assert counted.metrics["rmse"] == pytest.approx(root_mean_squared_error(numbers, answers), rel=1e-3)
    assert counted.metrics["mae"] == pytest.approx(mean_absolute_error(numbers, answers), rel=1e-3)
    expected = np.mean(((numbers - answers) / numbers.std()) ** 2)
    assert counted.metrics["loss"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("monitor", "n_epochs"), [("rmse", 3), ("r2", 3), ("loss", 3)])
def test_early_stopping_waits_for_what_gets_better(keras: Any, tmp_path: Path, monitor: str, n_epochs: int) -> None:
    """A rate of 0 makes every epoch equal, so that two epochs of patience end the training with the third."""

    def still(trainable: Any, result: Any) -> bool:
        trainable.optimizer.learning_rate = 0.0
        return True

    data = dataset(tmp_path, 2000.0, 3.0)
    stopping = {"monitor": monitor, "patience": 2, "min_delta": 0.0}
    chosen = linear(optimizer="sgd", optimizer_settings={"learning_rate": 1e-12, "momentum": 0.0, "nesterov": False})
    *_, results = train(keras, data, epochs=9, chosen=chosen, early_stopping=stopping, goes_on=still)
    assert len(results) == n_epochs


@pytest.mark.parametrize("monitor", ["val_rmse", "val_r2"])
def test_a_plateau_lowers_the_rate_by_the_direction_of_what_it_monitors(
    keras: Any, tmp_path: Path, monitor: str
) -> None:
    """While the score gets better in every epoch, whichever way it goes, the rate stays."""
    data = dataset(tmp_path, 2000.0, 3.0)
    settings = {"monitor": monitor, "factor": 0.5, "patience": 1, "cooldown": 0, "minimum": 0.0}
    chosen = linear(
        schedule="reduce_on_plateau",
        schedule_settings=settings,
        optimizer="sgd",
        optimizer_settings={"learning_rate": 0.002, "momentum": 0.0, "nesterov": False},
    )
    *_, results = train(keras, data, epochs=4, chosen=chosen)
    scores = [result.metrics[monitor] for result in results]
    assert scores == sorted(scores, reverse=monitor == "val_rmse")
    assert [result.metrics["learning_rate"] for result in results] == pytest.approx([0.002] * 4)
