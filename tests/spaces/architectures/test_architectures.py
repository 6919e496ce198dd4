"""Networks that are trained from scratch: every layer, and every weight counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.spaces.architectures import ARCHITECTURES, BACKBONE_NAMES, BASELINE_NAMES
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.ranges import Choice, Fixed, IntRange
from tunefront.spaces.space import Space

CLASSES = "Dense classes"


def build(
    architecture: str,
    settings: dict[str, Any],
    image_shape: tuple[int, int, int] = (8, 8, 1),
    n_classes: int = 10,
    output: str = "softmax",
) -> Any:
    candidate = Candidate(architecture, settings, "adam", {"learning_rate": 0.001}, output=output)
    return Space.from_table({}).build(candidate, image_shape, n_classes)


def described(model: Any) -> list[str]:
    """Return what each layer between the scaled pixels and the end is, in a few words."""
    assert [type(layer).__name__ for layer in model.layers[:2]] == ["InputLayer", "Rescaling"]
    return [_describe(layer) for layer in model.layers[2:]]


def _describe(layer: Any) -> str:
    match type(layer).__name__:
        case "Conv2D":
            assert layer.strides == (1, 1)
            return f"Conv {layer.filters} {layer.kernel_size[0]} {layer.padding}"
        case "MaxPooling2D":
            return f"Pool {layer.pool_size[0]}/{layer.strides[0]} {layer.padding}"
        case "Activation":
            return str(layer.activation.__name__)
        case "Dropout":
            return f"Dropout {layer.rate}"
        case "Dense":
            return CLASSES if layer.name == "classes" else f"Dense {layer.units} {layer.activation.__name__}"
        case other:
            return {"BatchNormalization": "BN"}.get(other, other)


CONV64 = ["Conv 64 3 valid", "relu", "Pool 2/2 valid"]


@pytest.mark.parametrize(
    ("name", "chosen", "image_shape", "n_classes", "output", "layers", "n_weights"),
    [
        (
            "four_conv64",
            {},
            (250, 250, 3),
            2,
            "sigmoid",
            [*CONV64 * 4, "Dropout 0.2", "Flatten", CLASSES],
            # 250 -> 248 -> 124 -> 122 -> 61 -> 59 -> 29 -> 27 -> 13 pixels
            (9 * 3 * 64 + 64) + 3 * (9 * 64 * 64 + 64) + (13 * 13 * 64 + 1),
        ),
        (
            "three_conv6_16_16",
            {},
            (224, 224, 3),
            4,
            "softmax",
            [
                *("Conv 6 3 same", "relu", "Pool 2/2 valid"),
                *("Conv 16 4 same", "relu", "Pool 4/2 same"),
                *("Conv 16 5 same", "relu", "Pool 2/2 valid"),
                *("Flatten", "Dense 256 relu", "Dense 128 relu", CLASSES),
            ],
            # 224 -> 112 -> 56 -> 28 pixels
            (9 * 3 * 6 + 6)
            + (16 * 6 * 16 + 16)
            + (25 * 16 * 16 + 16)
            + (28 * 28 * 16 * 256 + 256)
            + (256 * 128 + 128)
            + (128 * 4 + 4),
        ),
        (
            "three_double_conv16_32_64",
            {},
            (100, 100, 3),
            5,
            "softmax",
            [
                *("Conv 16 3 same", "relu", "Conv 16 3 same", "relu", "Pool 2/2 valid", "BN"),
                *("Conv 32 3 same", "relu", "Conv 32 3 same", "relu", "Pool 2/2 valid", "Dropout 0.25"),
                *("Conv 64 3 same", "relu", "Conv 64 3 same", "relu", "Pool 2/2 valid", "BN"),
                *("Flatten", "Dense 256 relu", "BN", CLASSES),
            ],
            # 100 -> 50 -> 25 -> 12 pixels; batch norm has 4 weights a channel
            (9 * 3 * 16 + 16)
            + (9 * 16 * 16 + 16)
            + 4 * 16
            + (9 * 16 * 32 + 32)
            + (9 * 32 * 32 + 32)
            + (9 * 32 * 64 + 64)
            + (9 * 64 * 64 + 64)
            + 4 * 64
            + (12 * 12 * 64 * 256 + 256)
            + 4 * 256
            + (256 * 5 + 5),
        ),
        (
            "one_conv32",
            {},
            (28, 28, 1),
            10,
            "softmax",
            [
                *("Conv 32 3 valid", "relu", "Pool 2/2 valid", "Dropout 0.25"),
                *("Flatten", "Dense 256 relu", "Dropout 0.5", CLASSES),
            ],
            # 28 -> 26 -> 13 pixels
            (9 * 32 + 32) + (13 * 13 * 32 * 256 + 256) + (256 * 10 + 10),
        ),
        (
            "two_conv_no_pool",
            {"filters": 112, "kernel_size": 3, "filters_2": 48, "kernel_size_2": 5, "dense_units": 77},
            (28, 28, 1),
            10,
            "softmax",
            ["Conv 112 3 valid", "relu", "Conv 48 5 valid", "relu", "Flatten", "Dense 77 relu", CLASSES],
            # 28 -> 26 -> 22 pixels
            (9 * 112 + 112) + (25 * 112 * 48 + 48) + (22 * 22 * 48 * 77 + 77) + (77 * 10 + 10),
        ),
        (
            "four_conv32_128",
            {},
            (150, 150, 3),
            2,
            "sigmoid",
            [
                *("Conv 32 3 valid", "relu", "Pool 2/2 valid"),
                *("Conv 64 3 valid", "relu", "Pool 2/2 valid"),
                *("Conv 128 3 valid", "relu", "Pool 2/2 valid"),
                *("Conv 128 3 valid", "relu", "Pool 2/2 valid"),
                *("Flatten", "Dense 512 relu", CLASSES),
            ],
            # 150 -> 148 -> 74 -> 72 -> 36 -> 34 -> 17 -> 15 -> 7 pixels
            (9 * 3 * 32 + 32)
            + (9 * 32 * 64 + 64)
            + (9 * 64 * 128 + 128)
            + (9 * 128 * 128 + 128)
            + (7 * 7 * 128 * 512 + 512)
            + 513,
        ),
        (
            "three_conv32_64_64",
            {},
            (32, 32, 3),
            10,
            "softmax",
            [
                *("Conv 32 3 valid", "relu", "Pool 2/2 valid"),
                *("Conv 64 3 valid", "relu", "Pool 2/2 valid"),
                *("Conv 64 3 valid", "relu"),
                *("Flatten", "Dense 64 relu", CLASSES),
            ],
            # 32 -> 30 -> 15 -> 13 -> 6 -> 4 pixels
            (9 * 3 * 32 + 32) + (9 * 32 * 64 + 64) + (9 * 64 * 64 + 64) + (4 * 4 * 64 * 64 + 64) + (64 * 10 + 10),
        ),
    ],
    ids=lambda value: value if value in BASELINE_NAMES else "",
)
def test_a_baseline_has_the_layers_and_weights_it_is_known_for(
    keras: Any,
    name: str,
    chosen: dict[str, Any],
    image_shape: tuple[int, int, int],
    n_classes: int,
    output: str,
    layers: list[str],
    n_weights: int,
) -> None:
    model = build(name, chosen, image_shape, n_classes, output)
    assert described(model) == layers
    assert model.count_params() == n_weights
    assert model.output_shape == (None, 1 if output == "sigmoid" else n_classes)


def test_baselines_are_fixed_but_for_the_one_that_is_a_search() -> None:
    searched = {
        name: {key: s.default for key, s in ARCHITECTURES[name].settings.items() if not isinstance(s.default, Fixed)}
        for name in BASELINE_NAMES
    }
    ranges = {
        "filters": IntRange(32, 128, 16),
        "kernel_size": Choice((3, 5)),
        "filters_2": IntRange(32, 64, 16),
        "kernel_size_2": Choice((3, 5)),
        "dense_units": IntRange(32, 128),
    }
    assert {name: found for name, found in searched.items() if found} == {"two_conv_no_pool": ranges}


def test_a_spec_can_search_around_a_baseline_and_compare_several() -> None:
    table = {"architecture": ["four_conv64", "one_conv32"], "four_conv64": {"filters_2": [32, 64]}}
    families = Space.from_table(table).families["architecture"]
    assert families["four_conv64"]["filters_2"] == Choice((32, 64))
    assert families["four_conv64"]["filters"] == Fixed(64)
    assert families["one_conv32"]["filters_2"] == Fixed(0)


def test_every_architecture_is_described_and_known_by_its_name() -> None:
    for name, architecture in ARCHITECTURES.items():
        assert architecture.name == name
        assert 20 < len(architecture.description) < 120
        assert "\n" not in architecture.description
    assert set(ARCHITECTURES) == {"plain_cnn", "residual_cnn", "separable_cnn", "mlp", *BASELINE_NAMES, *BACKBONE_NAMES}


# Settings of plain_cnn that say more than by default

TINY = {"n_blocks": 2, "filters": 4, "kernel_size": 3, "dense_units": 0, "dropout": 0.0, "batch_norm": False}
PLAIN = ["Conv 4 3 same", "relu", "Pool 2/2 same", "Conv 8 3 same", "relu", "Pool 2/2 same", "Flatten", CLASSES]


@pytest.mark.parametrize(
    ("settings", "layers"),
    [
        ({}, PLAIN),
        ({"filters_2": 5}, [*PLAIN[:3], "Conv 5 3 same", *PLAIN[4:]]),
        ({"filters_3": 5, "kernel_size_6": 7}, PLAIN),  # there are no such blocks
        ({"filters_growth": 1.5}, [*PLAIN[:3], "Conv 6 3 same", *PLAIN[4:]]),
        ({"filters_growth": 0.1}, [*PLAIN[:3], "Conv 1 3 same", *PLAIN[4:]]),  # never none
        ({"kernel_size_2": 1}, [*PLAIN[:3], "Conv 8 1 same", *PLAIN[4:]]),
        ({"padding_2": "valid"}, [*PLAIN[:3], "Conv 8 3 valid", *PLAIN[4:]]),
        ({"padding": "valid", "padding_2": "same"}, ["Conv 4 3 valid", *PLAIN[1:]]),
        ({"convolutions_2": 2}, [*PLAIN[:5], "Conv 8 3 same", "relu", *PLAIN[5:]]),
        ({"convolutions": 2, "convolutions_2": 1}, ["Conv 4 3 same", "relu", *PLAIN]),
        ({"pool_size": 3}, [x.replace("2/2", "3/3") for x in PLAIN]),
        ({"pool_size": 3, "pool_stride": 1}, [x.replace("2/2", "3/1") for x in PLAIN]),
        ({"pool_size_2": 1}, [*PLAIN[:5], *PLAIN[6:]]),
        ({"pool_size_2": 3, "pool_stride_2": 2}, [*PLAIN[:5], "Pool 3/2 same", *PLAIN[6:]]),
        ({"pool_padding": "valid"}, [x.replace("2/2 same", "2/2 valid") for x in PLAIN]),
        (
            {"activation": "gelu", "dense_units": 3},
            [*["gelu" if x == "relu" else x for x in PLAIN[:-1]], "Dense 3 gelu", CLASSES],
        ),
        ({"batch_norm": True}, ["Conv 4 3 same", "BN", *PLAIN[1:4], "BN", *PLAIN[4:]]),
        ({"batch_norm": True, "batch_norm_2": "none"}, ["Conv 4 3 same", "BN", *PLAIN[1:]]),
        ({"batch_norm": True, "batch_norm_2": "pool"}, ["Conv 4 3 same", "BN", *PLAIN[1:6], "BN", *PLAIN[6:]]),
        ({"batch_norm_2": "convolution"}, [*PLAIN[:4], "BN", *PLAIN[4:]]),
        ({"batch_norm": True, "batch_norm_after": "pool"}, [*PLAIN[:3], "BN", *PLAIN[3:6], "BN", *PLAIN[6:]]),
        ({"block_dropout": 0.1}, [*PLAIN[:3], "Dropout 0.1", *PLAIN[3:6], "Dropout 0.1", *PLAIN[6:]]),
        ({"block_dropout_2": 0.3, "dropout": 0.2}, [*PLAIN[:6], "Dropout 0.3", "Flatten", "Dropout 0.2", CLASSES]),
        ({"dropout_before_flatten": 0.4}, [*PLAIN[:6], "Dropout 0.4", *PLAIN[6:]]),
        (
            {"dense_units": 7, "dense_units_2": 6, "dense_units_3": 5, "dropout": 0.5},
            [*PLAIN[:-1], "Dense 7 relu", "Dense 6 relu", "Dense 5 relu", "Dropout 0.5", CLASSES],
        ),
        (
            {"dense_units": 7, "dense_units_3": 5, "dense_batch_norm": True},
            [*PLAIN[:-1], "Dense 7 relu", "BN", "Dense 5 relu", "BN", CLASSES],
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_plain_cnn_has_the_layers_that_its_settings_say(
    keras: Any, settings: dict[str, Any], layers: list[str]
) -> None:
    assert described(build("plain_cnn", {**TINY, **settings})) == layers


@pytest.mark.parametrize(
    ("settings", "fragments"),
    [
        ({"padding": "valid", "n_blocks": 3}, ["block 3: its 3x3 convolution", "1x1 pixels", 'padding = "same"']),
        ({"padding_2": "valid", "kernel_size": 5}, ["block 2: its 5x5 convolution", "4x4 pixels", "image_size"]),
        ({"pool_padding": "valid", "n_blocks": 5}, ["block 4: its 2x2 pooling", "1x1", 'pool_padding = "same"']),
    ],
)
def test_plain_cnn_names_block_size_and_remedy_when_no_pixel_is_left(
    keras: Any, settings: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(ValueError, match="block") as caught:
        build("plain_cnn", {**TINY, **settings})
    for fragment in fragments:
        assert fragment in str(caught.value)


# Other families


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
