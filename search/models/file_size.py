"""The size of a model's ``.keras`` file, known without saving it.

Such a file is an uncompressed zip of a JSON description and an HDF5 file with a group for each layer and a data set for
each variable. In the file of a small network, that structure is the largest part.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import h5py  # type: ignore[import-untyped]

# The zip's own entries, the file with version and date, and the description of loss and metric.
_FIXED_BYTES = 974
_NUMBER_BYTES = 100  # what loss and metrics of numbers to predict take more
_SHARED_OBJECT = ', "shared_object_id": 140558284743696'  # the description has it in objects that several layers share
_FLOAT = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)|-?\d+\.\d+")
UNIT_OF_LABELS = "unit_of_labels"  # the last layer of a model that predicts numbers
_COUNT_IN_NAME = re.compile(r'_\d+(?="|$)')


def saved_bytes(model: Any, optimizer: Any) -> int:
    """Return the bytes of the file that :func:`tunefront.search.trial.trainable.save` would write, to half a percent.

    It writes no file. All floats of the description count as equally long, and numbers that Keras appends to names are
    left out, because candidates that differ only in a rate must have the same size, whatever else a process built.

    Args:
        optimizer: The optimizer with its variables, which `optimizer.build` makes.
    """
    of_task = _NUMBER_BYTES if any(layer.name == UNIT_OF_LABELS for layer in model.layers) else 0
    return _FIXED_BYTES + of_task + _description_bytes(model, optimizer) + _weights_file_bytes(model, optimizer)


def variable_bytes(variable: Any) -> int:
    """Return the bytes of the variable's values."""
    return int(math.prod(variable.shape)) * _item_bytes(variable)


def _item_bytes(variable: Any) -> int:
    # NumPy has no bfloat16, so the size comes from the digits of the name: float32 -> 4.
    digits = "".join(character for character in str(variable.dtype) if character.isdigit())
    return max(int(digits) // 8, 1) if digits else 1


def _description_bytes(model: Any, optimizer: Any) -> int:
    description = _without([model.get_config(), optimizer.get_config()], _texts_of_data(model))
    described = json.dumps(description, default=str)
    described = _COUNT_IN_NAME.sub("", _FLOAT.sub("0.01", described))
    policies = Counter(id(layer.dtype_policy) for layer in _all_layers(model))
    n_shared = sum(count for count in policies.values() if count > 1)
    return len(described) + n_shared * len(_SHARED_OBJECT)


def _texts_of_data(model: Any) -> set[str]:
    """Return the names of a table's columns, and their categories: a number at their end is no count of Keras's."""
    inputs = getattr(model, "input", None)  # a sequential model may have none yet
    if not isinstance(inputs, dict):
        return set()
    vocabularies = [layer.get_config().get("vocabulary") or () for layer in model.layers]
    return {*inputs, *(str(text) for vocabulary in vocabularies for text in vocabulary)}


def _without(description: Any, texts: set[str]) -> Any:
    """Return a description with letters in place of these texts, so that it is as long in JSON."""
    if isinstance(description, dict):
        return {_without(key, texts): _without(value, texts) for key, value in description.items()}
    if isinstance(description, list | tuple):
        return [_without(value, texts) for value in description]
    return "x" * (len(json.dumps(description)) - 2) if description in texts else description


def _all_layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        yield from _all_layers(layer) if hasattr(layer, "layers") else ()


def _weights_file_bytes(model: Any, optimizer: Any) -> int:
    """Return the bytes of the HDF5 file: its structure, written into memory without values, plus the values' bytes."""
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        _add_variables(file, model.name, [])
        _add_layers(file, model.layers)
        group = file.create_group("optimizer")
        _add_variables(group, optimizer.name, optimizer.variables)
        # Under mixed_float16 a wrapper holds the real optimizer, and Keras saves the latter's variables once more.
        wrapped = getattr(optimizer, "inner_optimizer", None)
        if wrapped is not None:
            _add_variables(group.create_group("inner_optimizer"), wrapped.name, wrapped.variables)
    variables = [*model.weights, *optimizer.variables, *(wrapped.variables if wrapped is not None else [])]
    return len(written.getvalue()) + sum(variable_bytes(variable) for variable in variables)


def _add_layers(parent: Any, layers: Sequence[Any]) -> None:
    group = parent.create_group("layers")
    counts: Counter[str] = Counter()
    for layer in layers:
        kind = type(layer).__name__.lower()
        _add_layer(group.create_group(f"{kind}_{counts[kind]}" if counts[kind] else kind), layer)
        counts[kind] += 1


def _add_layer(group: Any, layer: Any) -> None:
    """Add a layer's group, with its inner layers: those of a nested model, or attributes as in an attention layer."""
    from keras import Layer, Model

    is_model = isinstance(layer, Model)
    inner = {} if is_model else {id(part): part for part in vars(layer).values() if isinstance(part, Layer)}
    elsewhere = {id(weight) for part in inner.values() for weight in part.weights}
    own = [] if is_model else [weight for weight in layer.weights if id(weight) not in elsewhere]
    _add_variables(group, layer.name, own)
    if is_model:
        _add_layers(group, layer.layers)
    for number, part in enumerate(inner.values()):
        _add_layer(group.create_group(f"part_{number}"), part)


def _add_variables(parent: Any, name: str, variables: Sequence[Any]) -> None:
    group = parent.create_group("vars")
    group.attrs["name"] = _COUNT_IN_NAME.sub("", name)
    for number, variable in enumerate(variables):
        # HDF5 reserves room for values only when some are written, so the structure needs none.
        group.create_dataset(str(number), shape=variable.shape, dtype=f"V{_item_bytes(variable)}")
