"""The layers in front of a network: columns to features, raw columns to stored values, other values to features."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.spaces.columns.column import Column

Encode = Callable[[Any], Any]  # a Keras tensor of stored values -> one of features, of shape (batch, n)


def flat_pixels(images: Any) -> Any:
    """Return pixels of 0 to 255 as features from 0 to 1."""
    from keras import layers

    return layers.Flatten()(layers.Rescaling(1 / 255)(images))


def standardized(values: Any, training: NDArray[Any]) -> Any:
    """Return values of any shape as features with mean 0 and variance 1 in `training`, whose shape is (n, ...)."""
    from keras import layers

    flat = training.reshape(len(training), -1)
    return _normalization(flat)(layers.Flatten()(values))


def encoded_columns(values: Any, columns: Sequence[Column], training: NDArray[np.float32]) -> Any:
    """Return stored columns as features: numbers standardized, and one unit for each category.

    A number that is missing becomes the training's mean, which is 0 as a feature. A category that is missing or not in
    the vocabulary has 0 in all its units. So has the reference level of dummy coding: an extra unit for what training
    never had would keep its random weights.

    Args:
        values: A Keras tensor of shape ``(batch, columns)``: all columns of numbers, then those of categories.
        training: The stored values that the scale of numbers is taken from, of shape (n, columns).
    """
    from keras import layers, ops

    n_numbers = sum(column.kind == "number" for column in columns)
    features = []
    if n_numbers:
        numbers = _normalization(training[:, :n_numbers])(values[:, :n_numbers])
        features.append(ops.nan_to_num(numbers, nan=0.0))
    for place, column in enumerate(columns[n_numbers:], start=n_numbers):
        codes = ops.cast(values[:, place : place + 1], "int32")
        # float32 also under mixed precision: 16 bits have no place for large numbers, nor for the codes of many
        # categories.
        units = layers.CategoryEncoding(len(_tokens(column)) + 1, "one_hot", dtype="float32")(codes)
        features.append(units[:, 1:])
    return layers.Concatenate(dtype="float32")(features) if len(features) > 1 else features[0]


def on_raw_columns(model: Any, columns: Sequence[Column]) -> Any:
    """Return the model behind lookups: it takes a dictionary of raw columns, each of shape (n, 1), by their names.

    Numbers are float32, and NaN where they are missing; categories are texts, empty where they are missing. The
    weights are the model's own.
    """
    import keras
    from keras import layers, ops

    taken = {column.name for column in columns}  # Keras wants one name for one layer
    if getattr(model, "inputs", None):
        # The same layers, never compiled: the file would have a nested model's loss, which may be a class of ours.
        model = keras.Model(model.inputs, model.outputs, name=_unused("network", taken))
    inputs, codes = {}, []
    for place, column in enumerate(columns):
        is_text = column.kind == "category"
        raw = inputs[column.name] = keras.Input((1,), name=column.name, dtype="string" if is_text else "float32")
        if is_text:
            lookup = layers.StringLookup(
                vocabulary=_tokens(column),
                oov_token=_unused("[UNK]", column.vocabulary),
                name=_unused(f"lookup_{place}", taken),
            )
            raw = ops.cast(lookup(raw), "float32")
        codes.append(raw)
    joined = layers.Concatenate(name=_unused("columns", taken), dtype="float32")(codes)
    return keras.Model(inputs, model(joined), name="table")


def _normalization(training: NDArray[Any]) -> Any:
    """Return the layer that standardizes each column by its training values; NaN does not count.

    Its numbers are set rather than adapted, because `adapt` knows no missing values, and computes in float32.
    """
    from keras import layers

    numbers = training.astype(np.float64)
    is_known = ~np.isnan(numbers)
    n_known = np.maximum(is_known.sum(axis=0), 1)
    mean = np.where(is_known, numbers, 0).sum(axis=0) / n_known
    variance = (np.where(is_known, numbers - mean, 0) ** 2).sum(axis=0) / n_known
    variance[variance == 0] = 1  # one value in all the training: another one must not become a million
    layer = layers.Normalization(dtype="float32")
    layer.build((None, training.shape[1]))
    layer.set_weights([mean, variance, np.array(len(training))])
    layer.finalize_state()
    return layer


def _tokens(column: Column) -> list[str]:
    """Return the texts that have a code; one that stands for nothing if training has no category at all."""
    return list(column.vocabulary) or ["-"]


def _unused(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name
