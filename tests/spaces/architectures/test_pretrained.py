"""Models with a backbone: its settings, the head behind it, what is frozen, and saving."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.spaces.architectures.backbone_models import build, pixels
from tunefront.spaces.architectures import ARCHITECTURES, BACKBONE_NAMES
from tunefront.spaces.freezing import find_backbone, freeze
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space


def test_grey_images_become_three_equal_channels(keras: Any) -> None:
    grey = pixels(2, 32, 32, 1)
    colour_model, grey_model = build("MobileNetV2", {}), build("MobileNetV2", {}, (32, 32, 1))
    grey_model.set_weights(colour_model.get_weights())
    expected = np.asarray(colour_model(np.repeat(grey, 3, axis=-1)))
    np.testing.assert_allclose(np.asarray(grey_model(grey)), expected, atol=1e-6)
    with pytest.raises(ValueError, match="4 channels"):
        build("MobileNetV2", {}, (32, 32, 4))


@pytest.mark.parametrize(
    ("settings", "layers"),
    [
        ({}, ["GlobalAveragePooling2D", "Dense"]),
        ({"pooling": "max"}, ["GlobalMaxPooling2D", "Dense"]),
        ({"pooling": "flatten", "dropout": 0.5}, ["Flatten", "Dropout", "Dense"]),
        (
            {"dense_units": 4, "dense_units_2": 3, "dropout": 0.5},
            ["GlobalAveragePooling2D", *["Dense"] * 2, "Dropout", "Dense"],
        ),
        ({"dense_units_2": 3}, ["GlobalAveragePooling2D", "Dense", "Dense"]),
    ],
)
def test_the_head_is_what_the_settings_say(keras: Any, settings: dict[str, Any], layers: list[str]) -> None:
    model = build("MobileNetV2", settings, (64, 64, 3))
    behind = model.layers[model.layers.index(find_backbone(model)) + 1 :]
    assert [type(layer).__name__ for layer in behind] == layers
    if settings.get("pooling") == "flatten":
        assert behind[0].output.shape == (None, 2 * 2 * 1280)


@pytest.mark.parametrize(("momentum", "expected"), [(0.0, 0.999), (0.9, 0.9)])
def test_every_batch_norm_has_the_momentum_that_is_set(keras: Any, momentum: float, expected: float) -> None:
    network = find_backbone(build("MobileNetV2", {"norm_momentum": momentum}))
    found = [layer.momentum for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert found == [expected] * 52


@pytest.mark.parametrize(("freeze_fraction", "n_frozen"), [(0.0, 0), (0.8, 124), (0.9, 139), (1.0, 154)])
def test_the_first_layers_are_frozen(keras: Any, freeze_fraction: float, n_frozen: int) -> None:
    model = build("MobileNetV2", {"freeze_fraction": freeze_fraction})
    layers = find_backbone(model).layers
    assert [layer.trainable for layer in layers] == [False] * n_frozen + [True] * (154 - n_frozen)
    head = 2  # kernel and bias of the classes
    freeze(find_backbone(model), 1.0)  # as in a first phase for the head
    assert len(model.trainable_weights) == head
    freeze(find_backbone(model), freeze_fraction)
    assert len(model.trainable_weights) == head + sum(len(layer.trainable_weights) for layer in layers[n_frozen:])


@pytest.mark.parametrize(
    ("name", "image_shape"),
    [
        ("MobileNetV2", (32, 32, 1)),  # tf
        ("VGG16", (32, 32, 3)),  # caffe
        pytest.param("DenseNet121", (32, 32, 3), marks=pytest.mark.slow),  # torch
        pytest.param("ConvNeXtTiny", (32, 32, 3), marks=pytest.mark.slow),  # with layers of keras.applications
    ],
)
def test_a_saved_model_gives_the_same_predictions_on_raw_pixels(
    keras: Any, tmp_path: Path, name: str, image_shape: tuple[int, int, int]
) -> None:
    model = build(name, {"freeze_fraction": 0.8}, image_shape)
    images = pixels(3, *image_shape)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))
    assert [weight.shape for weight in loaded.trainable_weights] == [weight.shape for weight in model.trainable_weights]
    assert find_backbone(loaded).count_params() == find_backbone(model).count_params()


# In a spec


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"weights": "imagnet"}, "'imagnet' is not possible here; it must be imagenet, none, or the path"),
        ({"weights": ["none", "model.keras"]}, "'model.keras' is not possible here"),
        ({"weights": True}, "True is not possible here"),
        ({"width": 0}, "0 is not possible here; it must be a number above 0.03125"),
        ({"pooling": "avg"}, "'avg' is not possible here; it must be one of average, max, flatten"),
        ({"freeze_fraction": 1.1}, "1.1 is not possible here; it must be a number from 0 to 1"),
        ({"fine_tuning_rate": 0}, "0 is not possible here; it must be a number above 0 and up to 1"),
        ({"fine_tuning_rate": 2}, "2 is not possible here"),
        ({"head_epochs": -1}, "-1 is not possible here"),
    ],
)
def test_a_setting_of_a_backbone_is_refused_when_it_is_impossible(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(problem)):
        Space.from_table({"architecture": "MobileNetV2", "MobileNetV2": settings})


def test_only_backbones_with_a_width_have_that_setting() -> None:
    with_width = {name for name in BACKBONE_NAMES if "width" in ARCHITECTURES[name].settings}
    assert with_width == {"MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"}
