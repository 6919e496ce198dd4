"""The training of numbers to predict: losses and their gradients against Keras's, scores against scikit-learn's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from tests.candidates import candidate
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.spec.training import TrainingTable
from tunefront.search.trial.scores import score_numbers
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.space import Space

SPACE = Space.from_table({}, "regression")
LABELS = np.array([2000.0, 2003.0, 1994.0, 2010.5], np.float32)
ANSWERS = np.array([2001.0, 2003.0, 1990.0, 1985.5], np.float32)
SCALE = LabelScale(2000.0, 4.0)
LOSSES = ("mse", "mae", "huber")


def keras_s(keras: Any, kind: str) -> Any:
    return {"mse": keras.losses.MeanSquaredError, "mae": keras.losses.MeanAbsoluteError, "huber": keras.losses.Huber}[
        kind
    ]()


def standardised(numbers: np.ndarray) -> np.ndarray:
    return (numbers[:, np.newaxis] - 2000) / 4


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_loss_is_keras_s_in_standard_deviations(keras: Any, kind: str, shape: tuple[int, ...]) -> None:
    from tunefront.search.trial.loss import NumberLoss

    expected = float(keras_s(keras, kind)(standardised(LABELS), standardised(ANSWERS)))
    assert float(NumberLoss(kind, SCALE)(LABELS.reshape(shape), ANSWERS.reshape(4, 1))) == pytest.approx(expected)
    assert score_numbers(LABELS, ANSWERS, kind, SCALE)["loss"] == pytest.approx(expected)


def test_losses_worked_by_hand() -> None:
    # Errors of 1, 0, 4 and 25 are 0.25, 0, 1 and 6.25 standard deviations.
    values = [score_numbers(LABELS, ANSWERS, kind, SCALE)["loss"] for kind in LOSSES]
    assert values == pytest.approx([(0.0625 + 1 + 39.0625) / 4, 7.5 / 4, (0.03125 + 0.5 + 5.75) / 4])


def test_scores_are_scikit_learn_s() -> None:
    random = np.random.default_rng(1)
    labels = random.normal(2000, 3, 57).astype(np.float32)
    answers = (labels + random.normal(0.5, 2, 57)).astype(np.float32)
    found = score_numbers(labels, answers, "mse", LabelScale.of(labels))
    numbers, given = labels.astype(float), answers.astype(float)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(numbers, given))
    assert found["mae"] == pytest.approx(mean_absolute_error(numbers, given))
    assert found["r2"] == pytest.approx(r2_score(numbers, given))
    assert found.keys() == {"loss", "rmse", "mae", "r2"}


@pytest.mark.parametrize("n", [1, 5])
def test_equal_labels_define_no_r2(n: int) -> None:
    assert score_numbers(np.full(n, 3.0), np.arange(n), "mae", LabelScale(0, 1)).keys() == {"loss", "rmse", "mae"}


def test_a_nan_stays_one() -> None:
    assert np.isnan(score_numbers(LABELS, np.array([1, 2, np.nan, 3]), "huber", SCALE)["loss"])


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


LOADED = """
import sys
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
print(type(model.optimizer).__name__, [layer.name for layer in model.layers][-1], model.output_shape)
"""


@pytest.mark.parametrize(("mean", "deviation"), [(2000.0, 3.0), (0.001, 0.0002), (-5.0, 40.0)])
def test_the_saved_model_answers_in_the_unit_of_the_labels_in_another_process(
    keras: Any, tmp_path: Path, mean: float, deviation: float
) -> None:
    from tunefront.search.trial import trainable as training

    data = dataset(tmp_path, mean, deviation)
    trainable, counted, results = train(keras, data, epochs=12)
    validation = data.split("validation")
    training.save(trainable, str(tmp_path / "kept.keras"))
    np.save(tmp_path / "images.npy", np.asarray(validation.images))
    paths = [str(tmp_path / name) for name in ("kept.keras", "images.npy", "answers.npy")]
    done = subprocess.run([sys.executable, "-c", LOADED, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-2] == "Adam unit_of_labels (None, 1)"
    answers = np.load(tmp_path / "answers.npy")
    numbers = validation.labels.astype(float)
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


@pytest.mark.parametrize(
    ("kind", "precision", "augmentation"),
    [("mse", "float32", "none"), ("huber", "float32", "none"), ("mae", "mixed_float16", "strong")],
)
def test_model_bytes_is_what_saving_takes(
    keras: Any, tmp_path: Path, kind: str, precision: str, augmentation: str
) -> None:
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training

    data = dataset(tmp_path, 2000.0, 3.0)
    chosen = linear(loss=kind, augmentation=augmentation, architecture_settings={"dense_units": 16, "filters": 16})
    built = training.build(SPACE, chosen, data, TrainingTable.model_validate({"precision": precision}), 1)
    expected = memory.model_bytes(built.model, built.optimizer)
    training.save(built, str(tmp_path / "model.keras"))
    assert (tmp_path / "model.keras").stat().st_size == pytest.approx(expected, rel=0.005)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = np.asarray(data.split("test").images[:5])
    np.testing.assert_allclose(loaded.predict(images, verbose=0), built.model.predict(images, verbose=0), rtol=1e-6)


def test_a_profile_weighs_the_model_that_a_trial_saves(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.profiling.profile import profile
    from tunefront.search.trial import memory
    from tunefront.search.trial import trainable as training

    built = training.build(SPACE, linear(), dataset(tmp_path, 0.0, 1.0), TrainingTable(), 1)
    found = profile(SPACE, linear(), (8, 8, 1), 1)
    assert found.model_bytes == pytest.approx(memory.model_bytes(built.model, built.optimizer), abs=60)
    assert found.parameters == sum(int(np.prod(weight.shape)) for weight in built.model.weights)


def test_half_precision_answers_in_full(keras: Any, tmp_path: Path) -> None:
    """A number near 2000 has steps of 1 in float16, and answers must be finer than that."""
    data = dataset(tmp_path, 2000.0, 3.0)
    trainable, counted, _ = train(keras, data, epochs=4, precision="mixed_float16")
    answers = trainable.model.predict(np.asarray(data.split("validation").images), verbose=0)[:, 0]
    assert answers.dtype == np.float32
    assert (answers != np.round(answers)).mean() > 0.9
    assert np.isfinite(counted.accuracy)


def test_mixed_images_have_mixed_numbers(keras: Any) -> None:
    from tunefront.search.trial.augmented_model import AugmentedModel
    from tunefront.search.trial.loss import NumberLoss
    from tunefront.spaces.augmentation.mixing import build_mixing

    loss = NumberLoss("mae", LabelScale(0.0, 1.0))
    inputs = keras.Input((4, 4, 1))
    mean = keras.layers.Flatten()(keras.layers.GlobalAveragePooling2D()(inputs))
    inner = keras.Model(inputs, mean)  # answers the brightness
    model = AugmentedModel(inner, [], build_mixing({"mixup": 0.4, "cutmix": 0.0}, seed=5), loss)
    model.build((None, 4, 4, 1))
    numbers = np.array([[10.0], [200.0], [90.0], [40.0]], np.float32)
    images = np.tile(numbers.reshape(4, 1, 1, 1), (1, 4, 4, 1))
    model.compile(keras.optimizers.SGD(0.0), loss)
    answers = model(images, training=True)
    assert np.abs(np.asarray(answers) - numbers).max() > 1  # the images are mixed
    assert float(model.compute_loss(y=keras.ops.convert_to_tensor(numbers), y_pred=answers)) == pytest.approx(
        0, abs=0.05
    )


def test_a_backbone_is_found_and_frozen_behind_the_scaling(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.spaces.space import settings_of

    random = np.random.default_rng(1)
    np.savez(
        tmp_path / "mine.npz", x=random.integers(0, 256, (30, 32, 32, 3)).astype(np.uint8), y=random.normal(size=30)
    )
    data = prepare(NpzSource(source="npz", path=str(tmp_path / "mine.npz"), task="regression"), seed=1)
    settings = {"freeze_fraction": 1.0, "weights": "none", "width": 0.35, "dropout": 0.0}
    fixed = {
        name: one.default.value for name, one in settings_of("MobileNetV2").items() if hasattr(one.default, "value")
    }
    chosen = linear(architecture="MobileNetV2", architecture_settings={**fixed, **settings})
    built = training.build(SPACE, chosen, data, TrainingTable(), 1)
    assert built.backbone is not None
    assert [tuple(weight.shape) for weight in built.model.trainable_weights] == [(1280, 1), (1,)]


OWN = """
import keras


class Own:
    def suggest(self, trial):
        return {"kind": trial.suggest_categorical("net.kind", ["sequential", "functional", "subclassed"])}

    def build(self, settings, input_shape, n_outputs):
        assert n_outputs == 1
        if settings["kind"] == "subclassed":
            return Subclassed()
        layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(8, "relu")]
        layers += [keras.layers.Dense(n_outputs)]
        if settings["kind"] == "sequential":
            return keras.Sequential(layers)
        inputs = outputs = keras.Input(input_shape)
        for layer in layers:
            outputs = layer(outputs)
        return keras.Model(inputs, outputs)


@keras.saving.register_keras_serializable()
class Subclassed(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.flatten, self.hidden = keras.layers.Flatten(), keras.layers.Dense(8, "relu")
        self.last = keras.layers.Dense(1)

    def build(self, input_shape):
        self.hidden.build((None, input_shape[1] * input_shape[2] * input_shape[3]))
        self.last.build((None, 8))

    def call(self, values):
        return self.last(self.hidden(self.flatten(values) / 255))
"""


@pytest.mark.parametrize("kind", ["sequential", "functional", "subclassed"])
def test_one_s_own_models_answer_in_the_unit_of_the_labels(keras: Any, tmp_path: Path, kind: str) -> None:
    from tunefront.search.trial import trainable as training

    (tmp_path / f"own_{kind}.py").write_text(OWN)
    space = OwnSpace.parse(f"{tmp_path / f'own_{kind}.py'}:Own", "regression")
    chosen = space.suggest(optuna.trial.FixedTrial({"net.kind": kind}))
    assert (chosen.output, chosen.loss) == ("linear", "mse")
    data = dataset(tmp_path, 2000.0, 3.0)
    built, counted, _ = train(keras, data, epochs=2, space=space, chosen=chosen)
    answers = built.model.predict(np.asarray(data.split("validation").images), verbose=0)
    assert answers.shape == (24, 1)
    assert 1800 < answers.mean() < 2200
    assert counted.accuracy == pytest.approx(
        root_mean_squared_error(data.split("validation").labels.astype(float), answers[:, 0].astype(float)), rel=1e-3
    )
    training.save(built, str(tmp_path / "own.keras"))
    loaded = keras.models.load_model(tmp_path / "own.keras")
    images = np.asarray(data.split("test").images[:5])
    np.testing.assert_allclose(loaded.predict(images, verbose=0), built.model.predict(images, verbose=0), rtol=1e-6)


class Shifted:
    """A model that answers each example's own label and 0.5 more, by its place in the split."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels = labels

    def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
        return self._labels[: len(images), np.newaxis] + np.float32(0.5)


def test_final_scores_and_answers_are_numbers(keras: Any, tmp_path: Path) -> None:
    from tunefront.search.trial.final_scores import final_scores
    from tunefront.search.trial.goal import Goal
    from tunefront.search.trial.loss import NumberLoss

    data = dataset(tmp_path, 10.0, 2.0)
    test = np.array(data.split("test").labels)
    scores, answers, _ = final_scores(Shifted(test), data, Goal("mae"), NumberLoss("mse", LabelScale(10.0, 2.0)))
    assert scores == {
        "test_loss": pytest.approx(0.0625, rel=1e-4),
        "test_rmse": pytest.approx(0.5, rel=1e-4),
        "test_mae": pytest.approx(0.5, rel=1e-4),
        "test_r2": pytest.approx(r2_score(test, test + 0.5), rel=1e-4),
    }
    stored = json.loads(json.dumps(answers["test"]))
    assert np.array_equal(np.array(stored["labels"], np.float32), test)
    assert np.array_equal(np.array(stored["chosen"], np.float32), test + np.float32(0.5))
    assert len(answers["validation"]["labels"]) == data.n_validation
