"""Bare backbones with their weights: ImageNet's, those of a file, or random ones."""

from __future__ import annotations

import os
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunefront.file_lock import locked
from tunefront.spaces.architectures.backbones import Backbone
from tunefront.spaces.freezing import BACKBONE


def build_backbone(backbone: Backbone, weights: str, width: float, size: tuple[int, int]) -> Any:
    """Build the backbone without its top: colour images of that size to features of shape (batch, h, w, n).

    Args:
        weights: ``imagenet`` (Keras downloads them once), ``none``, or the path of a file of
            ``save_weights`` of such a backbone; its images may have had another size.
        width: The width multiplier; ignored for a backbone whose width is fixed.

    Raises:
        ValueError: If there are no such weights, or they do not fit.
    """
    if weights == "imagenet":
        return _build_with_imagenet(backbone, width, size)
    network = _build(backbone, None, width, size)
    if weights != "none":
        _load(network, backbone, width, Path(os.path.expanduser(weights)))
    return network


def _build(backbone: Backbone, weights: str | None, width: float, size: tuple[int, int]) -> Any:
    import keras

    options = {"alpha": width} if backbone.imagenet_widths else {}
    build = getattr(keras.applications, backbone.name)
    network = build(include_top=False, pooling=None, input_shape=(*size, 3), weights=weights, **options)
    # EfficientNetV2 finds its configuration by its name, so the backbone gets its name here, from outside.
    return keras.Model(network.input, network.output, name=BACKBONE)


def _build_with_imagenet(backbone: Backbone, width: float, size: tuple[int, int]) -> Any:
    if backbone.imagenet_widths and width not in backbone.imagenet_widths:
        raise ValueError(
            f"{backbone.name} has no ImageNet weights for width = {width}: "
            f'write one of {", ".join(map(str, backbone.imagenet_widths))}, or weights = "none"'
        )
    try:
        with _download_lock(backbone.name):
            return _build(backbone, "imagenet", width, size)
    except Exception as error:
        if "URL fetch failure" not in str(error):  # Keras raises a bare Exception
            raise
        raise ValueError(
            f"{backbone.name}: Keras could not download its ImageNet weights ({error}). Without a network, put that "
            "file into the folder models of KERAS_HOME (~/.keras if unset), which must be writable, "
            'write the path of a weights file as weights, or weights = "none"'
        ) from error


@contextmanager
def _download_lock(name: str) -> Iterator[None]:
    """Hold a lock, so that only one process of this machine downloads: Keras takes a half-downloaded file for whole."""
    path = Path(tempfile.gettempdir()) / f"tunefront-{os.getuid()}-{name}.lock"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with locked(descriptor):
        yield


def _load(network: Any, backbone: Backbone, width: float, path: Path) -> None:
    which = f"{backbone.name} of width {width}" if backbone.imagenet_widths else backbone.name
    remedy = f"write the path of a .weights.h5 file that save_weights of a {which} without its top wrote"
    if not path.is_file():
        raise ValueError(f"{backbone.name}: there is no weights file {str(path)!r}: {remedy}")
    # Keras warns of each layer that it leaves random. A file that leaves any layer random is the wrong one.
    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        try:
            network.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(
                f"{str(path)!r} does not hold the weights of a {which} ({_shorten(error)}): {remedy}"
            ) from error
    if left_out:
        raise ValueError(f"{str(path)!r} lacks weights of a {which} ({left_out[0].message}): {remedy}")
    _mend_variances(network)


def _shorten(error: BaseException) -> str:
    """Return an error's text without the values and layers that Keras lists."""
    return textwrap.shorten(str(error).split("List of objects")[0], 300)


def _mend_variances(network: Any) -> None:
    """Give EfficientNetB0 to B7 variances, where their ImageNet weights have standard deviations.

    Keras makes up for these by a further layer if it loads them itself as ``imagenet``, and only then:
    https://github.com/tensorflow/tensorflow/issues/49930
    """
    import keras

    deviations = keras.ops.convert_to_tensor([0.229, 0.224, 0.225])
    for layer in network.layers:
        if not isinstance(layer, keras.layers.Normalization) or layer.input_mean is not None:
            continue
        if keras.ops.all(keras.ops.abs(layer.adapt_variance - deviations) < 1e-3):
            layer.adapt_variance.assign(keras.ops.square(layer.adapt_variance))
            layer.finalize_state()
