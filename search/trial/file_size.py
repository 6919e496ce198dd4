"""How large the saved ``.keras`` file of a model will be, known without saving it.

Such a file is a zip of a JSON description and an HDF5 file with a group for each layer and a data set for each
variable, none of it compressed. Of a small network that structure is most of the file.
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
_SHARED_OBJECT = ', "shared_object_id": 140558284743696'  # in the description of whatever several layers share
_FLOAT = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)|-?\d+\.\d+")
_COUNT_IN_NAME = re.compile(r'_\d+(?="|$)')


def saved_bytes(model: Any, optimizer: Any) -> int:
    """Bytes of the file that :func:`tunefront.search.trial.trainable.save` would write, to half a percent. Writes none.

    The description counts floats as equally long, and leaves out the numbers that Keras appends to
    names: candidates that differ in a rate only must have the same size, whatever else a process built.

    Args:
        optimizer: With its variables, which `optimizer.build` makes.
    """
    return _FIXED_BYTES + _description_bytes(model, optimizer) + _weights_file_bytes(model, optimizer)


def variable_bytes(variable: Any) -> int:
    """Bytes of the variable's values."""
    return int(math.prod(variable.shape)) * _item_bytes(variable)


def _item_bytes(variable: Any) -> int:
    # bfloat16 is no NumPy type, so the size comes from the name's digits: float32 -> 4.
    digits = "".join(character for character in str(variable.dtype) if character.isdigit())
    return max(int(digits) // 8, 1) if digits else 1


def _description_bytes(model: Any, optimizer: Any) -> int:
    described = json.dumps([model.get_config(), optimizer.get_config()], default=str)
    described = _COUNT_IN_NAME.sub("", _FLOAT.sub("0.01", described))
    policies = Counter(id(layer.dtype_policy) for layer in _all_layers(model))
    n_shared = sum(count for count in policies.values() if count > 1)
    return len(described) + n_shared * len(_SHARED_OBJECT)


def _all_layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        yield from _all_layers(layer) if hasattr(layer, "layers") else ()


def _weights_file_bytes(model: Any, optimizer: Any) -> int:
    """The HDF5 file's: written into memory with all its groups and data sets, but no values, then these added."""
    written = io.BytesIO()
    with h5py.File(written, "w") as file:
        _add_variables(file, model.name, [])
        _add_layers(file, model.layers)
        group = file.create_group("optimizer")
        _add_variables(group, optimizer.name, optimizer.variables)
        # Float16's optimizer wraps the real one, and Keras saves its variables once more by themselves.
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
    """A layer may hold others: those of a nested model, or its own attributes as in an attention layer."""
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
        # HDF5 keeps room for values only once some are written.
        group.create_dataset(str(number), shape=variable.shape, dtype=f"V{_item_bytes(variable)}")
