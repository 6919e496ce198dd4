"""The floating-point operations of one forward pass of a model, counted from its layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

Shape = tuple[int | None, ...]
Rule = Callable[[Any, Sequence[Shape]], int]


def flops(model: Any) -> int | None:
    """Count the operations to predict one example: a multiplication and an addition for each use of a kernel's number.

    It counts convolutions (also depthwise, separable, transposed, of one to three dimensions),
    dense layers, recurrent layers with all their steps, and attention with its two matrix products,
    in nested models and wrappers too; a layer that is called twice counts twice. It does not count
    biases, activations, normalization, pooling, resizing, ``keras.ops`` called by themselves, and
    the computation of a user's own layers.

    Returns:
        The number; None if a size is not known before the model is called, or the layers cannot be walked because
        the model is neither functional nor sequential.
    """
    try:
        return 2 * _count_model(model)
    except _UnknownSizeError:
        return None


class _UnknownSizeError(Exception):
    """A shape lacks a number that is needed."""


def _count_model(model: Any) -> int:
    return sum(_multiplications(layer, shapes) for layer, shapes in _calls(model))


def _calls(model: Any) -> Iterator[tuple[Any, list[Shape]]]:
    """Yield each layer with its input shapes, once for every call."""
    import keras

    if isinstance(model, keras.Sequential):
        shape = model.input_shape
        for layer in model.layers:
            yield layer, [shape]
            shape = layer.compute_output_shape(shape)
        return
    described = model.get_config().get("layers")
    if described is None:
        raise _UnknownSizeError
    names = {layer.name for layer in model.layers}  # the description also has operations that are no layers
    for description in described:
        if description["name"] in names:
            layer = model.get_layer(description["name"])
            yield from ((layer, list(_shapes_in(node))) for node in description["inbound_nodes"])


def _shapes_in(node: Any) -> Iterator[Shape]:
    """Yield the shapes of all tensors in a call's arguments."""
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        yield tuple(node["config"]["shape"])
    elif isinstance(node, dict | list | tuple):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _shapes_in(part)


def _multiplications(layer: Any, shapes: Sequence[Shape]) -> int:
    for kinds, count in _rules():
        if isinstance(layer, kinds):
            return count(layer, shapes)
    return 0


@cache
def _rules() -> tuple[tuple[tuple[type[Any], ...], Rule], ...]:
    """Return the counting rule of each kind of layer; the first match counts. It is made late, as it needs Keras."""
    from keras import Model, layers

    transposed = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
    convolutions = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv1D, layers.DepthwiseConv2D)
    separable = (layers.SeparableConv1D, layers.SeparableConv2D)
    return (
        ((Model,), lambda layer, _: _count_model(layer)),
        # A transposed convolution uses its kernel once for each input pixel.
        (transposed, lambda layer, shapes: _n_kernel(layer) * _n_pixels(layer, shapes[0])),
        (
            convolutions + separable,
            lambda layer, shapes: _n_kernel(layer) * _n_pixels(layer, layer.compute_output_shape(shapes[0])),
        ),
        ((layers.Dense,), lambda layer, shapes: _n_kernel(layer) * _product(shapes[0][1:-1])),
        ((layers.EinsumDense,), lambda layer, shapes: _count_einsum(layer, shapes[0])),
        ((layers.Bidirectional,), _count_both_directions),
        ((layers.RNN,), lambda layer, shapes: _count_steps(layer, shapes[0])),
        ((layers.TimeDistributed,), _count_each_step),
        ((layers.MultiHeadAttention,), _count_attention),
    )


def _count_both_directions(layer: Any, shapes: Sequence[Shape]) -> int:
    return sum(_multiplications(part, shapes) for part in (layer.forward_layer, layer.backward_layer))


def _count_each_step(layer: Any, shapes: Sequence[Shape]) -> int:
    n_examples, n_steps, *rest = shapes[0]
    return _product([n_steps]) * _multiplications(layer.layer, [(n_examples, *rest)])


def _product(sizes: Sequence[int | None]) -> int:
    if any(size is None for size in sizes):
        raise _UnknownSizeError
    return math.prod(size for size in sizes if size is not None)


def _kernels(layer: Any) -> list[tuple[int, ...]]:
    """Return the shapes of a layer's weights, without vectors and biases, which may be matrices too."""
    return [tuple(weight.shape) for weight in layer.weights if len(weight.shape) > 1 and weight.name != "bias"]


def _n_kernel(layer: Any) -> int:
    return sum(math.prod(kernel) for kernel in _kernels(layer))


def _n_pixels(layer: Any, shape: Shape) -> int:
    return _product(shape[2:] if layer.data_format == "channels_first" else shape[1:-1])


def _count_einsum(layer: Any, shape: Shape) -> int:
    read, kernel = layer.equation.replace(" ", "").split("->")[0].split(",")
    head, dots, tail = read.partition("...")
    rest = len(shape) - len(head) - len(tail)
    letters = [*head, *["."] * rest, *tail] if dots else list(read)
    repeated = [size for letter, size in zip(letters[1:], shape[1:], strict=True) if letter not in kernel]
    return _n_kernel(layer) * _product(repeated)


def _count_steps(layer: Any, shape: Shape) -> int:
    one_step = 0
    for kernel in _kernels(layer):
        n_uses = 1
        if len(kernel) > 2:  # a convolution in each step
            pixels = layer.compute_output_shape(shape)[2 if layer.return_sequences else 1 :]
            is_first = layer.cell.data_format == "channels_first"
            n_uses = _product(pixels[1:] if is_first else pixels[:-1])
        one_step += math.prod(kernel) * n_uses
    return one_step * _product(shape[1:2])


def _count_attention(layer: Any, shapes: Sequence[Shape]) -> int:
    n_queries, n_keys = _product(shapes[0][1:-1]), _product(shapes[1][1:-1])
    n_all = n_queries * n_keys * int(layer.num_heads) * (int(layer.key_dim) + int(layer.value_dim or layer.key_dim))
    for weight in layer.weights:
        if len(weight.shape) > 2:  # a projection
            is_of_queries = weight.path.split("/")[-2] in ("query", "attention_output")
            n_all += math.prod(weight.shape) * (n_queries if is_of_queries else n_keys)
    return n_all
