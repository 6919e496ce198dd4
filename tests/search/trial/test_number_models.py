"""Models of numbers, whose last layer answers in the unit of the labels: kinds of them, and what they weigh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.metrics import r2_score, root_mean_squared_error

from tests.search.trial.number_training import SPACE, dataset, linear, train
from tunefront.search.data.cache import prepare
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.own import OwnSpace


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
