"""The inputs of a candidate's model behind its augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np


def test_mixed_precision_rounds_no_value_before_the_first_layer(keras: Any) -> None:
    """A user's data may be any float32: 70001.5 would be infinite in 16 bits, and 200.07 would be 200.125."""
    from tunefront.search.trial.augmented_model import AugmentedModel
    from tunefront.search.trial.loss import TrainingLoss

    values = np.array([70001.5, 200.07, -0.1], np.float32).reshape(3, 1, 1, 1)
    try:
        keras.config.set_dtype_policy("mixed_float16")
        inputs = keras.Input((1, 1, 1))
        inner = keras.Model(inputs, keras.layers.Rescaling(1.0, dtype="float32")(inputs))
        augmented = AugmentedModel(inner, [], None, TrainingLoss(2))
        augmented.build((None, 1, 1, 1))
        for is_training in (True, False):
            seen = keras.ops.convert_to_numpy(augmented(values, training=is_training))
            np.testing.assert_array_equal(seen, values)
        assert augmented.dtype_policy.name == "mixed_float16"  # by which Keras decides to scale the loss
    finally:
        keras.config.set_dtype_policy("float32")
