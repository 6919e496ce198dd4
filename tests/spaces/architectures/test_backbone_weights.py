"""Weights of backbones: those of a file, and those of ImageNet, for which nothing is downloaded."""

from __future__ import annotations

import fcntl
import re
import shutil
import tempfile
import urllib.error
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.spaces.architectures.backbone_models import build, pixels
from tunefront.spaces.architectures.backbone_weights import build_backbone
from tunefront.spaces.architectures.backbones import BACKBONES
from tunefront.spaces.freezing import find_backbone


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
