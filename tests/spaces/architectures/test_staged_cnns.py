"""CNNs whose stages halve the image, residual and separable: every weight counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spaces.architectures.built_layers import build
from tunefront.spaces.architectures import ARCHITECTURES


def _residual_block(inputs: int, filters: int) -> int:
    shortcut = 0 if inputs == filters else inputs * filters + 4 * filters
    return (9 * inputs * filters + 4 * filters) + (9 * filters * filters + 4 * filters) + shortcut


@pytest.mark.parametrize(
    ("settings", "image_shape", "expected"),
    [
        # The stem, blocks of two convolutions with batch norm, projections where the shape changes, classes.
        (
            {"n_stages": 2, "n_blocks": 1, "filters": 4},
            (8, 8, 1),
            (9 * 4 + 4 * 4) + _residual_block(4, 4) + _residual_block(4, 8) + (8 * 10 + 10),
        ),
        (
            {"n_stages": 1, "n_blocks": 3, "filters": 4},
            (8, 8, 1),
            (9 * 4 + 4 * 4) + 3 * _residual_block(4, 4) + (4 * 10 + 10),
        ),
        (
            {"n_stages": 3, "n_blocks": 2, "filters": 2, "stem": "large"},
            (3, 3, 3),
            (49 * 3 * 2 + 4 * 2)
            + 2 * _residual_block(2, 2)
            + (_residual_block(2, 4) + _residual_block(4, 4))
            + (_residual_block(4, 8) + _residual_block(8, 8))
            + (8 * 10 + 10),
        ),
    ],
)
def test_residual_cnn_has_the_weights_that_its_settings_say(
    keras: Any, settings: dict[str, Any], image_shape: tuple[int, int, int], expected: int
) -> None:
    assert build("residual_cnn", {**settings, "dropout": 0.0}, image_shape).count_params() == expected


def test_residual_cnn_is_the_resnet_18_of_the_paper(keras: Any) -> None:
    settings = {"n_stages": 4, "n_blocks": 2, "filters": 64, "stem": "large", "dropout": 0.0}
    model = build("residual_cnn", settings, (224, 224, 3), 1000)
    # torchvision's resnet18 has 11,689,512 trainable weights
    assert sum(int(weight.value.numpy().size) for weight in model.trainable_weights) == 11_689_512
    last = next(layer for layer in model.layers if "global_average" in layer.name)
    assert last.input.shape == (None, 7, 7, 512)


def _separable_block(inputs: int, filters: int) -> int:
    return (9 * inputs + 4 * inputs) + (inputs * filters + 4 * filters)


@pytest.mark.parametrize(
    ("settings", "image_shape", "expected"),
    [
        (
            {"n_stages": 2, "n_blocks": 1, "filters": 4, "width": 1.0},
            (8, 8, 1),
            (9 * 4 + 4 * 4) + _separable_block(4, 8) + _separable_block(8, 16) + (16 * 10 + 10),
        ),
        (  # of half the width
            {"n_stages": 2, "n_blocks": 2, "filters": 4, "width": 0.5, "stem_stride": 2},
            (3, 3, 3),
            (9 * 3 * 2 + 4 * 2)
            + (_separable_block(2, 4) + _separable_block(4, 4))
            + (_separable_block(4, 8) + _separable_block(8, 8))
            + (8 * 10 + 10),
        ),
    ],
)
def test_separable_cnn_has_the_weights_that_its_settings_say(
    keras: Any, settings: dict[str, Any], image_shape: tuple[int, int, int], expected: int
) -> None:
    assert build("separable_cnn", {**settings, "dropout": 0.0}, image_shape).count_params() == expected


@pytest.mark.parametrize("name", ["residual_cnn", "separable_cnn"])
def test_each_stage_halves_the_image(keras: Any, name: str) -> None:
    fixed = {"n_stages": 3, "n_blocks": 2, "filters": 4, "width": 1.0, "dropout": 0.1}
    model = build(
        name, {key: value for key, value in fixed.items() if key in ARCHITECTURES[name].settings}, (20, 20, 1)
    )
    sizes = [layer.output.shape[1] for layer in model.layers if type(layer).__name__ == "Activation"]
    assert sorted(set(sizes), reverse=True) == [20, 10, 5]
