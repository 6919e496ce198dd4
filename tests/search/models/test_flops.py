"""The counted operations, against counts by hand and published numbers of usual networks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.candidates import candidate
from tunefront.search.models.flops import flops
from tunefront.spaces.space import Space

pytestmark = pytest.mark.usefixtures("keras")


def network(keras: Any, shape: tuple[int | None, ...], *layers: Any) -> Any:
    x = inputs = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("kind", "arguments", "shape", "multiplications"),
    [
        # Output pixels x kernel, channels in and filters included; biases never count.
        ("Conv2D", {"filters": 4, "kernel_size": 3}, (8, 8, 2), 6 * 6 * 9 * 2 * 4),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2}, (9, 8, 2), 5 * 4 * 9 * 2 * 4),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2}, (8, 8, 6), 6 * 6 * 9 * 3 * 4),
        ("Conv2D", {"filters": 4, "kernel_size": 3, "dilation_rate": 2}, (8, 8, 1), 4 * 4 * 9 * 4),
        ("Conv1D", {"filters": 4, "kernel_size": 3}, (8, 2), 6 * 3 * 2 * 4),
        ("Conv3D", {"filters": 4, "kernel_size": 2}, (3, 3, 3, 2), 2**3 * 2**3 * 2 * 4),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, (5, 5, 2), 5 * 5 * 9 * 2 * 4),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, (8, 8, 3), 6 * 6 * 9 * 3 * 2),
        ("SeparableConv2D", {"filters": 5, "kernel_size": 3}, (8, 8, 3), 6 * 6 * (9 * 3 + 3 * 5)),
        ("Dense", {"units": 7}, (5,), 5 * 7),
        ("Dense", {"units": 7}, (4, 3, 5), 4 * 3 * 5 * 7),
        ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (None, 2, 6)}, (4, 5), 4 * 5 * 2 * 6),
        ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 6}, (4, 5), 4 * 5 * 6),
        (
            "EinsumDense",
            {"equation": "abc,cde->abde", "output_shape": (None, 2, 6), "bias_axes": "de"},
            (4, 5),
            4 * 5 * 2 * 6,
        ),
        ("SimpleRNN", {"units": 6}, (10, 3), 10 * (3 * 6 + 6 * 6)),
        ("LSTM", {"units": 6}, (10, 3), 10 * 4 * (3 * 6 + 6 * 6)),
        ("GRU", {"units": 6, "return_sequences": True}, (10, 3), 10 * 3 * (3 * 6 + 6 * 6)),
        ("BatchNormalization", {}, (8, 8, 2), 0),
        ("MaxPooling2D", {}, (8, 8, 2), 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_flops_of_one_layer(
    keras: Any, kind: str, arguments: dict[str, Any], shape: tuple[int, ...], multiplications: int
) -> None:
    layer = getattr(keras.layers, kind)(**arguments)
    assert flops(network(keras, shape, layer)) == 2 * multiplications


def test_flops_of_layers_around_layers(keras: Any) -> None:
    layers = keras.layers
    assert flops(network(keras, (10, 3), layers.Bidirectional(layers.LSTM(6)))) == 2 * 2 * 10 * 4 * (18 + 36)
    assert flops(network(keras, (4, 3, 5), layers.TimeDistributed(layers.Dense(7)))) == 2 * 4 * 3 * 5 * 7
    image_steps = layers.ConvLSTM2D(4, 3, padding="same")
    assert flops(network(keras, (5, 8, 8, 2), image_steps)) == 2 * 5 * 8 * 8 * 9 * 4 * (2 * 4 + 4 * 4)


def test_flops_of_attention(keras: Any) -> None:
    queries, values = keras.Input((6, 8)), keras.Input((9, 8))
    model = keras.Model([queries, values], keras.layers.MultiHeadAttention(2, 3)(queries, values))
    projections = 2 * (6 * 8 * 2 * 3) + 2 * (9 * 8 * 2 * 3)  # queries and output, keys and values
    assert flops(model) == 2 * (projections + 2 * (6 * 9 * 2 * 3))


def test_flops_count_nested_models_and_each_call_of_a_shared_layer(keras: Any) -> None:
    shared = keras.layers.Dense(5)
    inner = network(keras, (5,), shared)
    sequential = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4), keras.layers.Dense(3)])
    inputs = keras.Input((5,))
    x = inner(shared(shared(inputs)) + 1.0)
    assert flops(keras.Model(inputs, sequential(x))) == 2 * (3 * 25 + 5 * 4 + 4 * 3)
    assert flops(sequential) == 2 * (5 * 4 + 4 * 3)


def test_flops_is_none_when_a_size_is_unknown_or_layers_cannot_be_walked(keras: Any) -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    assert flops(network(keras, (None, None, 3), keras.layers.Conv2D(4, 3))) is None
    assert flops(Own()) is None


def test_flops_of_a_plain_cnn(keras: Any) -> None:
    settings = {"n_blocks": 2, "filters": 4, "kernel_size": 3, "dense_units": 16, "batch_norm": True}
    model = Space.from_table({}).build(candidate(architecture_settings=settings), (8, 8, 1), 10)
    assert flops(model) == 2 * (8 * 8 * 9 * 4 + 4 * 4 * 9 * 4 * 8 + (2 * 2 * 8) * 16 + 16 * 10)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Published operations for 224x224 images (twice the multiply-adds), here without the top.
        ("VGG16", 30.69e9),
        ("MobileNetV2", 0.6e9),
        ("ResNet50", 7.7e9),
    ],
)
def test_flops_of_usual_backbones(keras: Any, name: str, expected: float) -> None:
    settings = {"freeze_fraction": 0.0, "weights": "none", "dropout": 0.0}
    model = Space.from_table({}).build(candidate(architecture=name, architecture_settings=settings), (224, 224, 3), 10)
    assert flops(model) == pytest.approx(expected, rel=0.01)
