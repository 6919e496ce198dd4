"""Networks that are known from elsewhere: every layer, and every weight counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spaces.architectures.built_layers import CLASSES, build, described
from tunefront.spaces.architectures import ARCHITECTURES, BACKBONE_NAMES, BASELINE_NAMES
from tunefront.spaces.ranges import Choice, Fixed, IntRange
from tunefront.spaces.space import Space

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
