"""plain_cnn has the layers that its settings say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spaces.architectures.built_layers import CLASSES, build, described

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
