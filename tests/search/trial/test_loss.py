"""The training loss against Keras's own, in values and in trained weights, and by hand. It runs on any backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.candidates import candidate
from tests.search.trial.digits_training import train
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources.digits import DigitsSource
from tunefront.search.data.sources.npz import NpzSource

LABELS = np.array([0, 2, 1, 2])
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]], np.float32)


def loss_of(keras: Any, labels: Any, probabilities: Any, **options: Any) -> float:
    from tunefront.search.trial.loss import TrainingLoss

    return float(TrainingLoss(options.pop("n_classes", 3), **options)(labels, probabilities))


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, np.newaxis], np.eye(3)[LABELS]], ids=["flat", "column", "shares"])
def test_the_plain_loss_is_keras_s(keras: Any, labels: Any) -> None:
    expected = float(keras.losses.SparseCategoricalCrossentropy()(LABELS, PROBABILITIES))
    assert loss_of(keras, labels, PROBABILITIES) == pytest.approx(expected, rel=1e-5)


def test_a_smoothed_loss_is_keras_s(keras: Any) -> None:
    expected = float(keras.losses.CategoricalCrossentropy(label_smoothing=0.3)(np.eye(3)[LABELS], PROBABILITIES))
    assert loss_of(keras, LABELS, PROBABILITIES, label_smoothing=0.3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_one_sigmoid_unit_is_keras_s_binary_loss(keras: Any, smoothing: float) -> None:
    labels, probability = np.array([0, 1, 1]), np.array([[0.2], [0.9], [0.4]], np.float32)
    keras_s = keras.losses.BinaryCrossentropy(label_smoothing=smoothing)
    expected = float(keras_s(labels[:, np.newaxis].astype("float32"), probability))
    assert loss_of(keras, labels, probability, n_classes=2, label_smoothing=smoothing) == pytest.approx(
        expected, rel=1e-5
    )


def test_class_weights_weigh_examples_by_their_class(keras: Any) -> None:
    losses = -np.log(PROBABILITIES[np.arange(4), LABELS])
    expected = float((losses * np.array([1.0, 5.0, 2.0, 5.0])).mean())
    assert loss_of(keras, LABELS, PROBABILITIES, class_weights=[1.0, 2.0, 5.0]) == pytest.approx(expected, rel=1e-5)


def test_a_mixed_example_weighs_as_its_shares_do(keras: Any) -> None:
    shares = np.array([[0.25, 0.75, 0.0]], np.float32)
    expected = -(0.25 * np.log(0.7) + 0.75 * np.log(0.2)) * (0.25 * 1 + 0.75 * 2)
    found = loss_of(keras, shares, PROBABILITIES[:1], class_weights=[1.0, 2.0, 5.0])
    assert found == pytest.approx(expected, rel=1e-5)


def test_balanced_weights_let_every_class_count_alike(keras: Any) -> None:
    from tunefront.search.trial.loss import balanced_weights

    # 12 examples, 3 classes that occur: 12 / (3 * n)
    assert balanced_weights([6, 2, 4, 0]) == pytest.approx([12 / 18, 2.0, 1.0, 0.0])


# What it trains: one step of plain gradient descent from weights that are confidently wrong about half of the images


IMAGES = np.random.default_rng(0).uniform(0, 1, (16, 4, 4, 1)).astype("float32")
CLASSES = np.random.default_rng(1).integers(0, 3, 16)
WEIGHTS_OF_CLASSES = (1.0, 0.25, 3.0)


def saturated_model(keras: Any, n_units: int) -> Any:
    """Return a model whose logits are hundreds apart, so that its probabilities are 0 and 1 to the last digit."""
    keras.utils.set_random_seed(4)
    activation = "softmax" if n_units > 1 else "sigmoid"
    dense = keras.layers.Dense(n_units, activation, kernel_initializer=keras.initializers.RandomNormal(stddev=200.0))
    return keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), dense])


def trained_kernel(keras: Any, model: Any, loss: Any, labels: Any, images: Any = IMAGES, **options: Any) -> Any:
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss)
    model.fit(images, labels, batch_size=16, epochs=1, shuffle=False, verbose=0, **options)
    return model.get_weights()[0]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("n_units", [3, 1], ids=["softmax", "sigmoid"])
def test_a_step_from_saturated_weights_is_keras_s(
    keras: Any, n_units: int, is_weighted: bool, smoothing: float
) -> None:
    from tunefront.search.trial.loss import TrainingLoss

    classes = CLASSES if n_units > 1 else CLASSES % 2
    weights = WEIGHTS_OF_CLASSES[: max(n_units, 2)] if is_weighted else ()
    options = {"class_weight": dict(enumerate(weights))} if is_weighted else {}
    if n_units > 1:
        keras_s, labels = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing), np.eye(3)[classes]
    else:
        keras_s, labels = keras.losses.BinaryCrossentropy(label_smoothing=smoothing), classes[:, np.newaxis]
        options = {"sample_weight": np.array(weights)[classes]} if is_weighted else {}
    expected = trained_kernel(keras, saturated_model(keras, n_units), keras_s, labels, **options)
    before = saturated_model(keras, n_units).get_weights()[0]
    ours = TrainingLoss(max(n_units, 2), smoothing, weights)
    found = trained_kernel(keras, saturated_model(keras, n_units), ours, classes)
    np.testing.assert_allclose(found - before, expected - before, rtol=1e-4, atol=1e-4)
    if keras.backend.backend() == "tensorflow":  # others clip the probabilities that a loss is computed from
        assert np.abs(found - before).max() > 0.05


@pytest.mark.parametrize("settings", [{"mixup": 0.4}, {"cutmix": 1.0}], ids=["mix-up", "cut-mix"])
@pytest.mark.parametrize("n_units", [3, 1], ids=["softmax", "sigmoid"])
def test_a_step_on_mixed_images_is_keras_s(keras: Any, n_units: int, settings: dict[str, float]) -> None:
    from tunefront.search.trial.augmented_model import AugmentedModel
    from tunefront.search.trial.loss import TrainingLoss
    from tunefront.spaces.augmentation.mixing import build_mixing

    n_classes = max(n_units, 2)
    classes = CLASSES % n_classes
    mixing = build_mixing(settings, seed=5)
    assert mixing is not None
    images, own = (np.asarray(part) for part in mixing(IMAGES))
    shares = np.eye(n_classes)[classes]
    shares = own[:, np.newaxis] * shares + (1 - own)[:, np.newaxis] * np.roll(shares, -1, axis=0)
    keras_s: Callable[..., Any] = keras.losses.CategoricalCrossentropy()
    if n_units == 1:
        keras_s, shares = keras.losses.BinaryCrossentropy(), shares[:, 1:]
    expected = trained_kernel(keras, saturated_model(keras, n_units), keras_s, shares, images)

    loss, inner = TrainingLoss(n_classes), saturated_model(keras, n_units)
    before = inner.get_weights()[0]
    augmented = AugmentedModel(inner, [], build_mixing(settings, seed=5), loss)
    augmented.build((None, 4, 4, 1))
    trained_kernel(keras, augmented, loss, classes)
    np.testing.assert_allclose(inner.get_weights()[0] - before, expected - before, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def balanced_digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A dataset with equally many images of each digit, in training too."""
    pixels, classes = load_digits(return_X_y=True)
    rows = np.concatenate([np.flatnonzero(classes == number)[:100] for number in range(10)])
    folder = tmp_path_factory.mktemp("balanced")
    np.savez(folder / "digits.npz", x=(pixels[rows] * 15).reshape(-1, 8, 8, 1).astype(np.uint8), y=classes[rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(folder / "cache"))
        dataset = prepare(NpzSource(source="npz", path=str(folder / "digits.npz")), seed=1)
    assert len(set(np.bincount(dataset.split("train").labels))) == 1
    return dataset


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_settings_that_change_nothing_train_the_same(keras: Any, balanced_digits: Dataset, output: str) -> None:
    """The settings are noise of 0 and balanced weights of balanced classes, at a rate at which networks saturate."""
    dataset = balanced_digits
    if output == "sigmoid":
        dataset = prepare(DigitsSource(source="digits", classes=["3", "8"]), seed=1)
    rate = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False}
    network = {"n_blocks": 2, "filters": 16, "dense_units": 32, "batch_norm": True}
    noise = {"augmentation": "custom", "augmentation_settings": {"noise": 1e-9}}
    losses = []
    for changes in ({}, noise, {"class_weights": "balanced"} if output == "softmax" else noise):
        chosen = candidate(
            optimizer="sgd", optimizer_settings=rate, architecture_settings=network, output=output, **changes
        )
        *_, results = train(keras, dataset, chosen, epochs=2)
        losses.append([result.metrics["loss"] for result in results])
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
    assert losses[2] == pytest.approx(losses[0], rel=1e-2)
