"""The answers of a model: the same however it is called, whatever its layers, and calling never changes it."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from tunefront.spaces.architectures import ARCHITECTURES, BACKBONE_NAMES
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.settings import fixed_values
from tunefront.spaces.space import Space

OWN_ARCHITECTURES = [name for name in ARCHITECTURES if name not in BACKBONE_NAMES]
SMALL_BACKBONES = ("MobileNetV2", "MobileNetV3Small", "EfficientNetB0")
OTHERS = [pytest.param(name, marks=pytest.mark.exhaustive) for name in BACKBONE_NAMES if name not in SMALL_BACKBONES]
# These settings have batch norm and dropout if the architecture can have them.
SETTINGS = {
    "n_blocks": 2, "filters": 8, "kernel_size": 3, "batch_norm": True, "dense_units": 8, "dropout": 0.5,
    "n_stages": 2, "n_layers": 2, "units": 8, "width": 0.5, "weights": "none", "freeze_fraction": 0.0,
}  # fmt: skip


def randomize_statistics(keras: Any, model: Any) -> None:
    """Give batch norms statistics as after a training, because the initial 0 and 1 are near those of many batches."""
    draws = np.random.default_rng(2)
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(draws.normal(0, 0.3, layer.moving_mean.shape))
            layer.moving_variance.assign(draws.uniform(0.7, 1.4, layer.moving_variance.shape))


@pytest.mark.parametrize("name", [*OWN_ARCHITECTURES, *SMALL_BACKBONES, *OTHERS])
def test_a_resized_model_answers_alike_however_it_is_called(keras: Any, name: str) -> None:
    architecture = ARCHITECTURES[name]
    size = max(architecture.smallest_image, 48 if name in OWN_ARCHITECTURES else 1)
    settings = {
        **fixed_values(architecture.settings),
        **{key: value for key, value in SETTINGS.items() if key in architecture.settings},
    }
    candidate = Candidate(name, settings, "adam", {"learning_rate": 0.001}, image_size=size)
    model = Space.from_table({}).build(candidate, (size + 8, size + 4, 3), 5)
    assert any(isinstance(layer, keras.layers.Resizing) for layer in model.layers)
    images = np.random.default_rng(1).integers(0, 256, (4, size + 8, size + 4, 3)).astype("float32")
    predicted = np.asarray(model.predict_on_batch(images))
    np.testing.assert_allclose(np.asarray(model(images)), predicted, atol=1e-4)
    # `predict` is not compared too, because random statistics multiply rounding errors along hundreds of layers.
    randomize_statistics(keras, model)
    before = model.get_weights()
    inferred = np.asarray(model(images, training=False))
    for _ in range(2):
        np.testing.assert_allclose(np.asarray(model(images)), inferred, atol=1e-6)
    for weight, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)
    del model
    gc.collect()
