"""Dense networks: the weights that their settings say, on columns and on other values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tunefront.spaces.space import Space

SPACE = Space.from_table({"architecture": "mlp"})
SMALLEST = {"n_layers": 1, "units": 8, "batch_norm": False, "dropout": 0.0}


def build(settings: dict[str, Any], shape: tuple[int, ...], n_classes: int = 3) -> Any:
    chosen = candidate(architecture="mlp", architecture_settings={**SMALLEST, **settings})
    return SPACE.build(chosen, shape, n_classes)


@pytest.mark.parametrize(
    ("settings", "shape", "expected"),
    [
        # A dense layer has inputs * outputs + outputs weights; batch norm has 4 a unit, and then there is no bias.
        ({}, (5,), (5 * 8 + 8) + (8 * 3 + 3)),
        ({"n_layers": 0}, (5,), 5 * 3 + 3),
        ({"n_layers": 3}, (5,), (5 * 8 + 8) + 2 * (8 * 8 + 8) + (8 * 3 + 3)),
        ({"n_layers": 3, "units_growth": 0.5}, (5,), (5 * 8 + 8) + (8 * 4 + 4) + (4 * 2 + 2) + (2 * 3 + 3)),
        ({"batch_norm": True, "dropout": 0.5}, (5,), (5 * 8 + 4 * 8) + (8 * 3 + 3)),
        ({}, (4, 4, 3), (48 * 8 + 8) + (8 * 3 + 3)),
    ],
    ids=str,
)
def test_mlp_has_the_weights_that_its_settings_say(
    keras: Any, settings: dict[str, Any], shape: tuple[int, ...], expected: int
) -> None:
    model = build(settings, shape)
    assert (model.input_shape, model.output_shape) == ((None, *shape), (None, 3))
    assert model.count_params() == expected


def test_batch_norm_stands_before_the_activation_and_dropout_behind_it(keras: Any) -> None:
    model = build({"batch_norm": True, "dropout": 0.5}, (5,))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds[-5:] == ["Dense", "BatchNormalization", "Activation", "Dropout", "Dense"]


def test_mlp_sees_pixels_as_fractions(keras: Any) -> None:
    model = build({"n_layers": 0}, (2, 2, 1))
    kernel, bias = model.layers[-1].get_weights()
    pixels = np.array([[[[255], [0]], [[51], [102]]]], np.uint8)
    logits = np.array([1, 0, 0.2, 0.4]) @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(np.asarray(model.predict_on_batch(pixels))[0], expected, rtol=1e-5)
