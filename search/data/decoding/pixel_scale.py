"""The scale of image values that come as arrays: pixels from 0 to 255, as tunefront's networks take, or another."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.examples import DataError

Scale = Literal["", "0..1", "-1..1", "0..255", "0..1023", "0..4095", "0..16383", "0..65535"]
_RANGES: dict[Scale, tuple[float, float]] = {
    "0..1": (0.0, 1.0),
    "-1..1": (-1.0, 1.0),
    "0..255": (0.0, 255.0),
    "0..1023": (0.0, 1023.0),
    "0..4095": (0.0, 4095.0),
    "0..16383": (0.0, 16383.0),
    "0..65535": (0.0, 65535.0),
}
_CHANNELS = (1, 2, 3, 4)


def as_pixels(values: NDArray[Any], scale: Scale, where: str) -> NDArray[Any]:
    """Return values of images on the given scale as pixels from 0 to 255, of shape (n, height, width, channels).

    Grey images get a channel axis. Without a scale nothing is changed, because the values may be no images.

    Raises:
        DataError: If the values are no images, or beyond the scale.
    """
    if not scale:
        return values
    if values.ndim not in (3, 4):
        raise DataError(
            f"data.scale: {where} has shape {values.shape}, and images have (n, height, width) or "
            "(n, height, width, channels): leave scale out where values are no images"
        )
    low, high = _RANGES[scale]
    found = float(values.min()), float(values.max())
    if found[0] < low or found[1] > high:
        fitting = [name for name, (least, most) in _RANGES.items() if least <= found[0] and found[1] <= most]
        remedy = (
            f"bring them onto it, for example with np.clip(x, {low:g}, {high:g})"
            if (found[1] - high < 0.1 * high and low - found[0] < 0.1 * high) or not fitting
            else f'write scale = "{fitting[0]}" if they are on that one'
        )
        raise DataError(
            f"data.scale: {where} has values from {found[0]:.7g} to {found[1]:.7g}, which are not on the scale "
            f'"{scale}": {remedy}'
        )
    pixels = values if scale == "0..255" else (values.astype(np.float32) - low) * np.float32(255 / (high - low))
    return pixels[..., np.newaxis] if pixels.ndim == 3 else pixels


def likely_scale(value_range: tuple[float, float]) -> Scale:
    """Return the scale, other than that of pixels, that images with such a range are probably on; empty if none.

    Integers of 10, 12, 14 or 16 bits are on the smallest scale that holds them.
    """
    low, high = value_range
    if high <= 1:
        return "0..1" if low >= 0 else "-1..1"
    if high < 256 or low < 0:
        return ""
    return next((scale for scale, (_, top) in _RANGES.items() if high <= top), "")


def are_pixels(values: NDArray[Any], scale: Scale) -> bool:
    """Return whether the values are images of pixels from 0 to 255, or are on a scale that makes them pixels."""
    return values.ndim == 4 and (values.dtype == np.uint8 or bool(scale))


def has_channels_first(image_shape: tuple[int, ...]) -> bool:
    """Return whether images have the shape (channels, height, width) where (height, width, channels) is meant."""
    if len(image_shape) != 3:
        return False
    first, _, last = image_shape
    return first in _CHANNELS and last not in _CHANNELS
