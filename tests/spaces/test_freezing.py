from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.spaces.freezing import BACKBONE, find_backbone, freeze, n_frozen_layers


@pytest.mark.parametrize(
    ("n_layers", "freeze_fraction", "expected"),
    [
        (154, 0, 0),
        (154, 0.8, 124),  # 123.2
        (154, 0.9, 139),  # 138.6
        (154, 1, 154),
        (10, 0.8, 8),
        (10, 0.81, 9),
        (30, 0.1, 3),  # 3.0000000000000004 in floating point
        (10, 1e-6, 1),  # a little is not nothing
        (1, 0.5, 1),
        (0, 1.0, 0),
    ],
)
def test_n_frozen_layers_is_rounded_up(n_layers: int, freeze_fraction: float, expected: int) -> None:
    assert n_frozen_layers(n_layers, freeze_fraction) == expected


def network(keras: Any, name: str = BACKBONE) -> Any:
    """Return a network of five layers: input, convolution, batch norm, convolution, batch norm."""
    layers = keras.layers
    stages = [layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Conv2D(2, 3), layers.BatchNormalization()]
    return keras.Sequential([layers.Input((8, 8, 1)), *stages], name=name)


def functional(keras: Any, name: str = BACKBONE) -> Any:
    built = network(keras)
    return keras.Model(built.inputs[0], built.outputs[0], name=name)


@pytest.mark.parametrize(
    ("freeze_fraction", "n_frozen", "n_trainable_weights"),
    [
        (0.0, 0, 2 + 2 + 2 + 2),
        (0.4, 2, 2 + 2 + 2),  # the input and a convolution
        (0.41, 3, 2 + 2),
        (1.0, 5, 0),
    ],
)
def test_freeze_keeps_the_first_layers(
    keras: Any, freeze_fraction: float, n_frozen: int, n_trainable_weights: int
) -> None:
    backbone = functional(keras)
    assert freeze(backbone, freeze_fraction) == n_frozen
    assert [layer.trainable for layer in backbone.layers] == [False] * n_frozen + [True] * (5 - n_frozen)
    assert len(backbone.trainable_weights) == n_trainable_weights
    model = keras.Sequential([keras.Input((8, 8, 1)), backbone, keras.layers.Flatten()])
    assert len(model.trainable_weights) == n_trainable_weights


def test_freeze_starts_anew_when_something_was_frozen_before(keras: Any) -> None:
    backbone = functional(keras)
    backbone.trainable = False
    assert freeze(backbone, 0.4) == 2
    assert [layer.trainable for layer in backbone.layers] == [False, False, True, True, True]
    assert len(backbone.trainable_weights) == 6
    freeze(backbone, 1)
    assert backbone.trainable_weights == []
    freeze(backbone, 0)
    assert len(backbone.trainable_weights) == 8
    backbone.layers[1].trainable = False
    freeze(backbone, 0)
    assert len(backbone.trainable_weights) == 8


def test_freeze_reaches_layers_below_layers_also_when_a_model_was_loaded(keras: Any, tmp_path: Path) -> None:
    # Keras saves `trainable` for the layers of a nested model, but not for the model itself.
    inputs = keras.Input((8, 8, 1))
    stem = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.Conv2D(2, 3)], name="stem")
    backbone = keras.Model(inputs, keras.layers.Conv2D(2, 3)(stem(inputs)), name=BACKBONE)
    freeze(backbone, 0.5)  # the input and the stem
    assert len(backbone.trainable_weights) == 2
    model = keras.Sequential([keras.Input((8, 8, 1)), backbone])
    model.save(tmp_path / "model.keras")
    loaded = find_backbone(keras.models.load_model(tmp_path / "model.keras"))
    assert len(loaded.trainable_weights) == 2
    for freeze_fraction, n_trainable in ((0.0, 6), (1.0, 0), (0.5, 2), (0.0, 6)):
        freeze(loaded, freeze_fraction)
        assert len(loaded.trainable_weights) == n_trainable


def test_a_frozen_batch_norm_runs_in_inference_mode_while_training(keras: Any) -> None:
    images = np.random.default_rng(1).normal(3, 5, size=(16, 8, 8, 1)).astype("float32")
    backbone = functional(keras)

    def averages() -> list[Any]:
        return [np.array(weight.numpy()) for weight in backbone.non_trainable_weights if "moving" in weight.path]

    freeze(backbone, 1)
    before, expected = averages(), np.asarray(backbone(images, training=False))
    np.testing.assert_array_equal(np.asarray(backbone(images, training=True)), expected)
    assert len(before) == 4
    np.testing.assert_array_equal(averages(), before)

    freeze(backbone, 0.6)  # the second batch norm is trained
    assert np.abs(np.asarray(backbone(images, training=True)) - expected).max() > 0.1
    moved = [bool((after != held).any()) for after, held in zip(averages(), before, strict=True)]
    assert sorted(moved) == [False, False, True, True]


def test_find_backbone_when_there_is_one_and_when_there_is_none(keras: Any) -> None:
    inputs = keras.Input((8, 8, 1))
    for make in (network, functional):
        backbone = make(keras)
        outputs = keras.layers.Flatten()(backbone(inputs))
        assert find_backbone(keras.Model(inputs, outputs)) is backbone
    other = functional(keras, name="another")
    assert find_backbone(keras.Model(inputs, other(inputs))) is None
    assert find_backbone(keras.Model(inputs, keras.layers.Flatten(name=BACKBONE)(inputs))) is None


def test_training_moves_what_is_not_frozen_and_nothing_else(keras: Any) -> None:
    backbone = functional(keras)
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Dense(2)(keras.layers.Flatten()(backbone(inputs)))
    model = keras.Model(inputs, outputs)
    images, targets = np.random.default_rng(1).normal(size=(8, 8, 8, 1)), np.ones((8, 2))

    def moved_by_a_step() -> list[bool]:
        model.compile("sgd", "mse")
        before = [np.array(weight) for weight in model.get_weights()]
        model.train_on_batch(images, targets)
        return [bool((old != new).any()) for old, new in zip(before, model.get_weights(), strict=True)]

    # kernel and bias; gamma, beta and the two moving averages of batch norm; kernel and bias of the head
    freeze(backbone, 1)
    assert moved_by_a_step() == [False] * 12 + [True] * 2
    freeze(backbone, 0.6)
    moved = moved_by_a_step()
    assert moved[:6] == [False] * 6
    assert moved[6]  # the second convolution's kernel; its bias has no gradient before a batch norm
    assert moved[8:] == [True] * 6
