"""Every backbone of keras.applications: what it is built of, and how its pixels are preprocessed."""

from __future__ import annotations

import gc
import importlib
import re
from typing import Any

import numpy as np
import pytest

from tests.spaces.architectures.backbone_models import build, pixels
from tests.spaces.write_backbone_layers import structure
from tunefront.spaces.architectures import BACKBONE_NAMES
from tunefront.spaces.architectures.backbone_layers import structures
from tunefront.spaces.architectures.backbones import BACKBONES, preprocess
from tunefront.spaces.freezing import find_backbone, freeze

LARGE = {  # of each family but its smallest; they take seconds to build
    *("ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge", "DenseNet169", "DenseNet201"),
    *(f"EfficientNetB{size}" for size in range(1, 8)),
    *(f"EfficientNetV2{size}" for size in ("B1", "B2", "B3", "S", "M", "L")),
    *("InceptionResNetV2", "NASNetMobile", "NASNetLarge", "ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2"),
}

# The number of layers, which freeze fractions refer to, and of weights of each backbone in Keras 3.15.
KNOWN = {
    "MobileNet": (86, 3_228_864),
    "MobileNetV2": (154, 2_257_984),
    "VGG16": (19, 14_714_688),
    "ResNet50": (175, 23_587_712),
    "DenseNet121": (427, 7_037_504),
    "InceptionV3": (311, 21_802_784),
    "Xception": (132, 20_861_480),
}


def test_backbones_are_all_of_keras_applications(keras: Any) -> None:
    assert set(BACKBONE_NAMES) == {name for name in dir(keras.applications) if name[0].isupper()}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.exhaustive] if name in LARGE else []) for name in BACKBONE_NAMES]
)
def test_a_backbone_is_built_from_its_smallest_images_on(keras: Any, name: str) -> None:
    smallest = BACKBONES[name].smallest_image
    model = build(name, {"width": 1.0, "freeze_fraction": 0.8}, (smallest, smallest, 3))
    backbone = find_backbone(model)
    assert model.output_shape == (None, 10)
    assert model.layers[-2].output.shape == (None, backbone.output_shape[-1])
    n_frozen = -(-8 * len(backbone.layers) // 10)
    assert [layer.trainable for layer in backbone.layers].count(False) == n_frozen
    freeze(backbone, 0.0)
    assert structure(backbone) == structures()[name][0]
    if name in KNOWN:
        assert (len(backbone.layers), backbone.count_params()) == KNOWN[name]
    del model, backbone
    keras.backend.clear_session()
    gc.collect()  # all backbones together would fill a small machine


@pytest.mark.parametrize("name", BACKBONE_NAMES)
def test_smaller_images_are_refused_as_keras_refuses_them(keras: Any, name: str) -> None:
    smallest = BACKBONES[name].smallest_image
    with pytest.raises(ValueError, match=f"image_size = {smallest}"):
        build(name, {}, (smallest, smallest - 1, 3))
    with pytest.raises(ValueError, match=f"at least {smallest}x{smallest}"):  # Keras's own limit is the same
        getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(smallest, smallest - 1, 3))


# Keras's own modules, whose preprocess_input is what each backbone's weights were trained with
MODULES = {
    "ResNet50V2|ResNet101V2|ResNet152V2": "resnet_v2",
    "ResNet": "resnet",
    "EfficientNetV2": "efficientnet_v2",
    "EfficientNet": "efficientnet",
    "MobileNetV3": "mobilenet_v3",
    "MobileNetV2": "mobilenet_v2",
    "MobileNet": "mobilenet",
    "InceptionV3": "inception_v3",
    "InceptionResNetV2": "inception_resnet_v2",
    **{name: name.lower() for name in ("ConvNeXt", "DenseNet", "NASNet", "VGG16", "VGG19", "Xception")},
}


@pytest.mark.parametrize("name", BACKBONE_NAMES)
def test_pixels_are_preprocessed_as_keras_does_it_for_that_backbone(keras: Any, name: str) -> None:
    module_name = next(module for pattern, module in MODULES.items() if re.match(pattern, name))
    module = importlib.import_module(f"keras.applications.{module_name}")
    assert getattr(keras.applications, name).__module__ in (module_name, f"keras.src.applications.{module_name}")
    images = pixels(2, 5, 4, 3)
    inputs = keras.Input((5, 4, 3))
    model = keras.Model(inputs, preprocess(BACKBONES[name].preprocessing, inputs))
    expected = module.preprocess_input(images.astype("float32"))
    np.testing.assert_allclose(np.asarray(model(images)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_pixels_are_preprocessed_exactly_under_mixed_precision(keras: Any, mode: Any, precision: str) -> None:
    images = pixels(2, 5, 4, 3)
    outputs = []
    for policy in (precision, "float32"):
        keras.config.set_dtype_policy(policy)
        inputs = keras.Input((5, 4, 3))
        outputs.append(np.asarray(keras.Model(inputs, preprocess(mode, inputs))(images)))
    np.testing.assert_array_equal(*outputs)
