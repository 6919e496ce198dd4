"""Backbones of keras.applications: preprocessing, weights, freezing, saving. Nothing is downloaded."""

from __future__ import annotations

import fcntl
import gc
import importlib
import re
import shutil
import tempfile
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.spaces.write_backbone_layers import structure
from tunefront.spaces.architectures import ARCHITECTURES, BACKBONE_NAMES
from tunefront.spaces.architectures.backbone_layers import structures
from tunefront.spaces.architectures.backbone_weights import build_backbone
from tunefront.spaces.architectures.backbones import BACKBONES, preprocess
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.freezing import find_backbone, freeze
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space

SMALL = {"weights": "none", "freeze_fraction": 0.0, "dropout": 0.0, "width": 0.35}
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


def build(name: str, settings: dict[str, Any], image_shape: tuple[int, int, int] = (32, 32, 3)) -> Any:
    known = ARCHITECTURES[name].settings
    chosen = {key: value for key, value in {**SMALL, **settings}.items() if key in known or key not in SMALL}
    candidate = Candidate(name, chosen, "adam", {"learning_rate": 0.001})
    return Space.from_table({}).build(candidate, image_shape, 10)


def pixels(*shape: int) -> Any:
    return np.random.default_rng(1).integers(0, 256, size=shape).astype("uint8")


@pytest.fixture
def float32_afterwards(keras: Any) -> Iterator[None]:
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


# All backbones


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
def test_pixels_are_preprocessed_exactly_under_mixed_precision(
    keras: Any, float32_afterwards: None, mode: Any, precision: str
) -> None:
    images = pixels(2, 5, 4, 3)
    outputs = []
    for policy in (precision, "float32"):
        keras.config.set_dtype_policy(policy)
        inputs = keras.Input((5, 4, 3))
        outputs.append(np.asarray(keras.Model(inputs, preprocess(mode, inputs))(images)))
    np.testing.assert_array_equal(*outputs)


# The head


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


# Weights of a file


@pytest.fixture(scope="module")
def weights_file(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a MobileNetV2 of width 0.35, built for images of 32 pixels."""
    path = tmp_path_factory.mktemp("weights") / "it's a backbone.weights.h5"
    build_backbone(BACKBONES["MobileNetV2"], "none", 0.35, (32, 32)).save_weights(path)
    return path


def test_weights_of_a_file_are_loaded_for_another_image_size(keras: Any, weights_file: Path) -> None:
    one, other = (find_backbone(build("MobileNetV2", {"weights": str(weights_file)}, (s, s, 3))) for s in (32, 64))
    another = find_backbone(build("MobileNetV2", {}))
    for first, second in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert any((first != second).any() for first, second in zip(one.get_weights(), another.get_weights(), strict=True))


def test_weights_that_pretraining_wrote_are_those_that_a_study_loads(keras: Any, tmp_path: Path) -> None:
    backbone = find_backbone(build("MobileNetV3Small", {"width": 0.5}))
    path = tmp_path / "pretrained.weights.h5"
    backbone.save_weights(path)
    settings = {"width": 0.5, "weights": str(path), "freeze_fraction": 1.0}
    loaded = find_backbone(build("MobileNetV3Small", settings, (48, 48, 1)))
    for saved, found in zip(backbone.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, found)


@pytest.mark.parametrize(
    ("case", "settings", "fragments"),
    [
        ("missing", {}, ["there is no weights file", "MobileNetV2 of width 0.35"]),
        ("no weights", {}, ["does not hold the weights of a MobileNetV2", "file signature not found"]),
        ("cut", {}, ["does not hold the weights", "truncated file"]),
        ("other width", {"width": 0.5}, ["does not hold the weights of a MobileNetV2 of width 0.5"]),
        ("other backbone", {"width": 1.0}, ["does not hold the weights of a MobileNetV3Small of width 1.0"]),
        ("whole model", {}, ["does not hold the weights of a MobileNetV2"]),
    ],
)
def test_weights_of_a_file_when_they_do_not_fit(
    keras: Any, tmp_path: Path, weights_file: Path, case: str, settings: dict[str, Any], fragments: list[str]
) -> None:
    path = tmp_path / "some.weights.h5"
    match case:
        case "no weights":
            path.write_bytes(b"nothing")
        case "cut":
            path.write_bytes(weights_file.read_bytes()[:100_000])
        case "whole model":
            build("MobileNetV2", {}).save_weights(path)
        case "other width" | "other backbone":
            shutil.copy(weights_file, path)
    name = "MobileNetV3Small" if case == "other backbone" else "MobileNetV2"
    with pytest.raises(ValueError, match="weights") as caught:
        build(name, {**settings, "weights": str(path)})
    message = str(caught.value)
    for fragment in [*fragments, repr(str(path)), name, "write the path of a .weights.h5 file that save_weights"]:
        assert fragment in message
    assert len(message) < 900


# Weights of ImageNet, with stand-ins for what Keras downloads


def give_instead_of_download(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(path))


def test_imagenet_is_what_keras_downloads(keras: Any, monkeypatch: pytest.MonkeyPatch, weights_file: Path) -> None:
    give_instead_of_download(monkeypatch, weights_file)
    downloaded = find_backbone(build("MobileNetV2", {"weights": "imagenet"}, (96, 96, 3)))
    read = find_backbone(build("MobileNetV2", {"weights": str(weights_file)}, (96, 96, 3)))
    for first, second in zip(downloaded.get_weights(), read.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_imagenet_when_there_is_no_network(keras: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_network(*_: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setattr("keras.src.backend.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(ValueError, match="could not download its ImageNet weights") as caught:
        build("VGG16", {"weights": "imagenet"})
    for fragment in ("VGG16", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "KERAS_HOME", 'weights = "none"'):
        assert fragment in str(caught.value)


def test_only_one_process_of_a_machine_downloads_a_backbone(
    keras: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    is_locked = []

    def look(*_: Any, **__: Any) -> None:
        (lock,) = tmp_path.glob("tunefront-*-VGG16.lock")
        with lock.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_locked.append(True)
        raise KeyError("stop here")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", look)
    for _ in range(2):  # and it lets go when something fails
        with pytest.raises(KeyError, match="stop here"):
            build("VGG16", {"weights": "imagenet"})
    assert is_locked == [True, True]


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("MobileNet", (0.25, 0.5, 0.75, 1.0)),
        ("MobileNetV2", (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
        ("MobileNetV3Small", (0.75, 1.0)),
        ("MobileNetV3Large", (0.75, 1.0)),
    ],
)
def test_imagenet_has_some_widths_and_none_has_all(keras: Any, name: str, widths: tuple[float, ...]) -> None:
    allowed = re.escape(", ".join(map(str, widths)))
    with pytest.raises(ValueError, match=f"{name} has no ImageNet weights for width = 0.6: write one of {allowed}"):
        build(name, {"weights": "imagenet", "width": 0.6})
    assert BACKBONES[name].imagenet_widths == widths
    assert build(name, {"width": 0.032}).count_params() < 70_000


@pytest.mark.parametrize("has_deviations", [True, False])
def test_efficientnet_sees_the_same_pixels_whoever_loads_its_weights(
    keras: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_deviations: bool
) -> None:
    # ImageNet's file holds deviations in place of variances. Keras corrects them only if it downloads the file.
    path = tmp_path / "b0.weights.h5"
    original = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    normalization = next(one for one in original.layers if isinstance(one, keras.layers.Normalization))
    deviations = np.array([0.229, 0.224, 0.225], "float32")
    normalization.adapt_mean.assign([0.485, 0.456, 0.406])
    normalization.adapt_variance.assign(deviations if has_deviations else [1.0, 1.0, 1.0])
    original.save_weights(path)
    images = pixels(2, 32, 32, 3)
    read = build("EfficientNetB0", {"weights": str(path)})
    # the input of the first convolution in both
    seen = _before_first_convolution(keras, find_backbone(read), images)
    scale = deviations if has_deviations else 1.0
    np.testing.assert_allclose(seen, (images / 255 - [0.485, 0.456, 0.406]) / scale, atol=1e-4)
    if has_deviations:
        give_instead_of_download(monkeypatch, path)
        downloaded = build("EfficientNetB0", {"weights": "imagenet"})
        downloaded.save(tmp_path / "model.keras")
        for model in (downloaded, keras.models.load_model(tmp_path / "model.keras")):
            np.testing.assert_allclose(_before_first_convolution(keras, find_backbone(model), images), seen, atol=1e-4)


def _before_first_convolution(keras: Any, backbone: Any, images: Any) -> Any:
    padding = next(layer for layer in backbone.layers if isinstance(layer, keras.layers.ZeroPadding2D))
    return np.asarray(keras.Model(backbone.input, padding.input)(images.astype("float32")))


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
