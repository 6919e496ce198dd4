"""Candidates as real Keras objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunefront.spaces.candidate import Candidate
from tunefront.spaces.optimizers import OPTIMIZERS, build_optimizer
from tunefront.spaces.ranges import Choice, Fixed, FloatRange
from tunefront.spaces.settings import Setting
from tunefront.spaces.space import Space

SMALLEST = {"n_blocks": 1, "filters": 4, "kernel_size": 3, "dense_units": 0, "dropout": 0.0, "batch_norm": False}
PIXELS = np.random.default_rng(1).integers(0, 256, size=(5, 8, 8, 1)).astype("uint8")


def build(settings: dict[str, Any], image_shape: tuple[int, int, int] = (8, 8, 1), n_classes: int = 10) -> Any:
    candidate = Candidate("plain_cnn", {**SMALLEST, **settings}, "adam", {"learning_rate": 0.001}, "none", 32)
    return Space.from_table({}).build(candidate, image_shape, n_classes)


@pytest.mark.parametrize(
    ("settings", "image_shape", "n_classes", "expected"),
    [
        # Weights by hand: a convolution has kernel * kernel * inputs * filters (+ filters) of them,
        # a dense layer inputs * outputs + outputs, batch norm 4 a filter and then no bias before it.
        ({}, (8, 8, 1), 10, (9 * 4 + 4) + (4 * 4 * 4 * 10 + 10)),
        ({"kernel_size": 5}, (8, 8, 1), 10, (25 * 4 + 4) + (64 * 10 + 10)),
        ({"batch_norm": True}, (8, 8, 1), 10, (9 * 4 + 4 * 4) + (64 * 10 + 10)),
        ({"dense_units": 16}, (8, 8, 1), 10, (9 * 4 + 4) + (64 * 16 + 16) + (16 * 10 + 10)),
        ({"n_blocks": 2}, (8, 8, 1), 10, (9 * 4 + 4) + (9 * 4 * 8 + 8) + (2 * 2 * 8 * 10 + 10)),
        ({"dropout": 0.5}, (8, 8, 3), 2, (9 * 3 * 4 + 4) + (64 * 2 + 2)),
        ({"n_blocks": 6, "filters": 1}, (8, 8, 1), 3, 10 + 20 + 76 + 296 + 1168 + 4640 + (32 * 3 + 3)),
        ({}, (7, 5, 1), 10, (9 * 4 + 4) + (4 * 3 * 4 * 10 + 10)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_plain_cnn_has_the_weights_that_its_settings_say(
    keras: Any, settings: dict[str, Any], image_shape: tuple[int, int, int], n_classes: int, expected: int
) -> None:
    model = build(settings, image_shape, n_classes)
    assert model.input_shape == (None, *image_shape)
    assert model.output_shape == (None, n_classes)
    assert model.count_params() == expected


@pytest.mark.parametrize("settings", [{}, {"n_blocks": 3, "dense_units": 8, "dropout": 0.5, "batch_norm": True}])
def test_plain_cnn_turns_raw_pixels_into_probabilities(keras: Any, settings: dict[str, Any]) -> None:
    probabilities = np.asarray(build(settings).predict_on_batch(PIXELS))
    assert probabilities.shape == (5, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert (probabilities >= 0).all()


def test_plain_cnn_is_the_same_when_the_seed_is(keras: Any) -> None:
    predictions = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        predictions.append(np.asarray(build({}).predict_on_batch(PIXELS)))
    np.testing.assert_array_equal(*predictions)


def _some_values(setting: Setting) -> list[Any]:
    match setting.default:
        case Fixed(value):
            return [value]
        case Choice(options):
            return list(options)
        case FloatRange(low, high):
            return [low, high]
    raise AssertionError(setting)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_build_optimizer_takes_all_its_settings(keras: Any, name: str) -> None:
    settings = OPTIMIZERS[name]
    for index in (0, -1):
        chosen = {key: _some_values(setting)[index] for key, setting in settings.items()}
        optimizer = build_optimizer(name, chosen)
        assert type(optimizer).__name__.lower() == name
        assert float(optimizer.learning_rate) == pytest.approx(chosen["learning_rate"])
        for key in set(chosen) - {"learning_rate"}:
            assert (getattr(optimizer, key) or 0) == chosen[key], key


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_moves_the_weights(keras: Any, name: str) -> None:
    settings = {key: _some_values(setting)[-1] for key, setting in OPTIMIZERS[name].items()}
    optimizer = build_optimizer(name, settings)
    weight = keras.Variable(np.ones(3, "float32"))
    optimizer.apply([keras.ops.ones(3)], [weight])
    assert (keras.ops.convert_to_numpy(weight) < 1).all()
