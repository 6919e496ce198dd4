"""The place where a network is cut: what is before it gives the same tensor for an example in every step."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True)
class Cut:
    """A place of a network that one tensor alone crosses, behind layers that no step changes.

    With two tensors, TensorFlow would optimize the graph of the rest in another way, and a training would differ in its
    last digits, which Adam makes large.

    Attributes:
        place: The number of the operations before it; equal networks have equal places in every process.
        tensor: The tensor that crosses.
        model: The whole network.
        backbone: The part of it whose inside the tensor is in; None if the tensor is the network's own.
    """

    place: int
    tensor: Any
    model: Any
    backbone: Any = None

    @property
    def bytes_an_example(self) -> int:
        """The bytes of the tensor for one example."""
        size: int = np.dtype(self.tensor.dtype).itemsize
        return int(math.prod(self.tensor.shape[1:])) * size

    def prefix(self) -> Any:
        """Build the model from the network's inputs to the tensor. Its layers are the network's own."""
        if self.backbone is None:
            return keras.Model(self.model.inputs, self.tensor, name="prefix")
        inside = keras.Model(self.backbone.inputs, self.tensor, name="prefix_inside")
        before = _node_of(self.model, self.backbone).input_tensors[0]
        return keras.Model(self.model.inputs, inside(before), name="prefix")

    def rest(self) -> Any:
        """Build the model from the tensor to the network's outputs. Its layers are the network's own."""
        if self.backbone is None:
            return keras.Model(self.tensor, self.model.outputs[0], name="rest")
        inside = keras.Model(self.tensor, self.backbone.outputs[0], name="rest_inside")
        middle = _node_of(self.model, self.backbone).output_tensors[0]
        behind = keras.Model(middle, self.model.outputs[0], name="behind")
        features = keras.Input(batch_shape=self.tensor.shape, dtype=self.tensor.dtype, name="features")
        return keras.Model(features, behind(inside(features)), name="rest")


def find_cut(model: Any, backbone: Any, most_bytes: float) -> Cut | None:
    """Return the last cut behind which an example has at most so many bytes; None if nothing is saved by any.

    Args:
        model: A functional model, its layers frozen as they will be trained.
        backbone: The functional model nested in it whose inside may be cut.
    """
    fitting = [cut for cut in _cuts(model, backbone) if cut.bytes_an_example <= most_bytes]
    return fitting[-1] if fitting else None


def _cuts(model: Any, backbone: Any) -> Iterator[Cut]:
    """Yield every cut behind a kernel, the first one first."""
    n_before, has_kernel = 0, False
    for node, crossing in _crossings(model, backbone):
        operation = node.operation
        if operation is backbone:
            for inner, inside in _crossings(backbone):
                n_before += 1
                has_kernel = has_kernel or _has_kernel(inner.operation)
                if len(inside) == 1 and has_kernel:
                    yield Cut(n_before, inside[0], model, backbone)
            if not _is_fixed(backbone):
                return
        n_before += 1
        has_kernel = has_kernel or _has_kernel(operation)
        if len(crossing) == 1 and has_kernel:
            yield Cut(n_before, crossing[0], model)


def _crossings(model: Any, backbone: Any = None) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each node that does the same in every step, in the graph's order, and the tensors that cross behind it.

    The backbone is yielded last if it is fixed in part, and its input is all that crosses before it.
    """
    nodes = _nodes(model)
    n_uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    n_uses.update(id(tensor) for tensor in model.outputs)
    fixed: set[int] = set()
    crossing: dict[int, Any] = {}
    for node in nodes:
        if any(id(tensor) not in fixed for tensor in node.input_tensors):
            continue
        is_fixed = _is_fixed(node.operation)
        if not is_fixed and not (node.operation is backbone and len(crossing) == 1):
            continue
        for tensor in node.input_tensors:
            n_uses[id(tensor)] -= 1
            if not n_uses[id(tensor)]:
                del crossing[id(tensor)]
        if is_fixed:
            fixed.update(map(id, node.output_tensors))
        crossing.update((id(tensor), tensor) for tensor in node.output_tensors if n_uses[id(tensor)])
        yield node, list(crossing.values())
        if not is_fixed:
            return


def _nodes(model: Any) -> list[Any]:
    """Return the nodes of a functional model's graph, each behind those that it takes its inputs from."""
    by_depth = model._nodes_by_depth  # Keras has no public way to a graph's nodes
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def _node_of(model: Any, operation: Any) -> Any:
    return next(node for node in _nodes(model) if node.operation is operation)


def _is_fixed(operation: Any) -> bool:
    """Return whether an operation gives the same output for an input in every step, and leaves nothing else behind.

    It is Keras's own, draws no random numbers, learns nothing, and adds nothing to the loss. A frozen dropout still
    drops. Of code that is not Keras's nobody knows what it does in a step.
    """
    if type(operation).__module__.partition(".")[0] != "keras":
        return False
    if not isinstance(operation, keras.layers.Layer):
        return True
    if isinstance(operation, keras.Model):
        return hasattr(operation, "operations") and all(map(_is_fixed, operation.operations))
    draws = len(operation.variables) > len(operation.weights)  # states of random numbers are variables, and no weights
    learns = operation.trainable and bool(operation.weights)
    parts = operation._flatten_layers()  # the layers that a wrapper wraps
    is_ours = all(type(part).__module__.partition(".")[0] == "keras" for part in parts)
    return is_ours and not draws and not learns and getattr(operation, "activity_regularizer", None) is None


def _has_kernel(operation: Any) -> bool:
    return isinstance(operation, keras.layers.Layer) and any(len(weight.shape) > 1 for weight in operation.weights)
