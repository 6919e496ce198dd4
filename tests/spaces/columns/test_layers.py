"""The layers in front of a network against numpy, and the model on raw columns against the one on stored values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunefront.spaces.columns.column import Column

COLUMNS = (
    Column("age", "number"),
    Column("income", "number"),
    Column("kind", "category", ("cat", "dog", "w_1")),
    Column("place", "category", ("[UNK]", "1.5")),
)
NAN = float("nan")
TRAINING = np.array([[20, 1e6, 1, 1], [30, NAN, 2, 2], [40, 3e6, 3, 0], [NAN, 2e6, 1, 2]], np.float32)
SEEN = np.array([[25, 4e6, 2, 0], [NAN, NAN, 0, 2]], np.float32)


def encode(keras: Any, values: np.ndarray, training: np.ndarray = TRAINING, columns: Any = COLUMNS) -> np.ndarray:
    from tunefront.spaces.columns.layers import encoded_columns

    inputs = keras.Input((len(columns),))
    return np.asarray(keras.Model(inputs, encoded_columns(inputs, columns, training)).predict_on_batch(values))


def test_numbers_are_standardized_by_the_training_and_categories_are_units(keras: Any) -> None:
    ages, incomes = np.array([20, 30, 40]), np.array([1e6, 3e6, 2e6])  # those that are known
    expected = [
        [(25 - ages.mean()) / ages.std(), (4e6 - incomes.mean()) / incomes.std(), 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
    ]
    np.testing.assert_allclose(encode(keras, SEEN), expected, rtol=1e-5)


def test_a_column_without_spread_or_without_values_in_training_stays_finite(keras: Any) -> None:
    training = np.array([[5, NAN, 1, 0], [5, NAN, 1, 0]], np.float32)
    found = encode(keras, np.array([[7, 3, 1, 0]], np.float32), training)
    np.testing.assert_allclose(found, [[2, 3, 1, 0, 0, 0, 0]])


@pytest.mark.parametrize("columns", [COLUMNS[:2], COLUMNS[2:]], ids=["numbers", "categories"])
def test_a_table_may_have_one_kind_of_columns(keras: Any, columns: tuple[Column, ...]) -> None:
    places = [COLUMNS.index(column) for column in columns]
    everything = encode(keras, SEEN)
    expected = everything[:, :2] if columns[0].kind == "number" else everything[:, 2:]
    np.testing.assert_array_equal(encode(keras, SEEN[:, places], TRAINING[:, places], columns), expected)


def test_large_numbers_and_many_categories_keep_their_values_under_mixed_precision(keras: Any) -> None:
    columns = (Column("income", "number"), Column("kind", "category", tuple(f"k{number}" for number in range(3000))))
    values = np.array([[1e6, 2049], [1e6 + 1, 2048]], np.float32)  # half precision has neither
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = encode(keras, values, values, columns)
    finally:
        keras.config.set_dtype_policy("float32")
    assert found[:, 0].tolist() == [-1, 1]
    assert np.nonzero(found[:, 1:])[1].tolist() == [2048, 2047]


ODD_NAMES = ("größe (cm)", "a.b:0", 'quo"te', "network", "columns", "lookup_6", "price_12", "dense")


def test_raw_columns_give_what_stored_values_give(keras: Any) -> None:
    import tensorflow as tf

    from tunefront.spaces.columns.layers import encoded_columns, on_raw_columns

    columns = [Column(name, "number") for name in ODD_NAMES[:5]]
    columns += [Column(name, "category", ("u", "v", "[UNK]")) for name in ODD_NAMES[5:]]
    codes = np.random.default_rng(1).integers(0, 4, (30, 3))
    numbers = np.where(np.random.default_rng(2).random((30, 5)) < 0.2, NAN, np.arange(150).reshape(30, 5))
    stored = np.concatenate([numbers, codes], axis=1).astype(np.float32)
    inputs = keras.Input((8,))
    outputs = keras.layers.Dense(3, "softmax", name="dense")(encoded_columns(inputs, columns, stored))
    model = keras.Model(inputs, outputs, name="columns")
    texts = np.array(["", "u", "v", "[UNK]"])[codes]
    texts[codes == 0] = ["", "never seen"][1]
    raw = {name: stored[:, place : place + 1] for place, name in enumerate(ODD_NAMES[:5])}
    raw |= {name: tf.constant(texts[:, place : place + 1]) for place, name in enumerate(ODD_NAMES[5:])}
    found = on_raw_columns(model, columns).predict(raw, verbose=0)
    np.testing.assert_array_equal(found, model.predict(stored, verbose=0))


@pytest.mark.parametrize("shape", [(4,), (3, 2)])
def test_other_values_are_flattened_and_standardized(keras: Any, shape: tuple[int, ...]) -> None:
    from tunefront.spaces.columns.layers import standardized

    values = np.random.default_rng(1).normal(50, 7, (20, *shape)).astype(np.float32)
    inputs = keras.Input(shape)
    found = keras.Model(inputs, standardized(inputs, values)).predict_on_batch(values)
    flat = values.reshape(20, -1).astype(np.float64)
    np.testing.assert_allclose(found, (flat - flat.mean(axis=0)) / flat.std(axis=0), rtol=1e-4, atol=1e-5)
