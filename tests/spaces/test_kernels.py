"""The weights that weight decay and penalties act on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.candidates import candidate
from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.space import Space

NORMED = {"batch_norm": True, "batch_norm_after": "pool", "dense_units": 4}  # kernels, biases, scales and offsets


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_weight_decay_reaches_kernels_alone(keras: Any, digits: Dataset, precision: Any) -> None:
    from tunefront.search.trial import trainable as training

    settings = {"learning_rate": 0.5, "momentum": 0.0, "nesterov": False, "weight_decay": 0.25}
    chosen = candidate(optimizer="sgd", optimizer_settings=settings, architecture_settings=NORMED)
    try:
        table = TrainingTable(precision=precision)
        trainable = training.build(Space.from_table({}), chosen, digits, table, 1)
        variables = trainable.trained.trainable_variables
        for variable in variables:
            variable.assign(keras.ops.ones(variable.shape))
        trainable.optimizer.apply([keras.ops.zeros(variable.shape) for variable in variables])
        found = {variable.path: float(np.mean(keras.ops.convert_to_numpy(variable))) for variable in variables}
    finally:
        keras.config.set_dtype_policy("float32")
    assert {path.rpartition("/")[2] for path in found} == {"kernel", "bias", "gamma", "beta"}
    # Without a gradient, decay is all that moves a weight: 1 - 0.5 * 0.25.
    assert found == {path: 0.875 if path.endswith("kernel") else 1.0 for path in found}


def test_penalties_add_what_the_kernels_alone_cost(keras: Any, digits: Dataset) -> None:
    from tunefront.search.trial import trainable

    chosen = candidate(l1=0.01, l2=0.1, architecture_settings=NORMED)
    model = trainable.build(Space.from_table({}), chosen, digits, TrainingTable(), 1).model
    kernels = [weight for weight in model.get_weights() if weight.ndim > 1]
    expected = sum(0.01 * np.abs(kernel).sum() + 0.1 * (kernel**2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_biases_and_scales_of_any_shape_are_no_kernels(keras: Any) -> None:
    from tunefront.spaces.kernels import kernels_of, without_decay

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 5)),
            layers.GRU(4, return_sequences=True),  # its bias has two dimensions
            layers.LayerNormalization(axis=(1, 2)),  # so have its scale and offset
            layers.RMSNormalization(axis=(1, 2)),
            layers.PReLU(),
            layers.SeparableConv1D(3, 2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    names = sorted(weight.name for weight in kernels_of(model))
    assert names == ["depthwise_kernel", "kernel", "kernel", "pointwise_kernel", "recurrent_kernel"]
    others = sorted(weight.name for weight in without_decay(model))
    assert others == ["alpha", "beta", "bias", "bias", "bias", "gamma", "scale"]
