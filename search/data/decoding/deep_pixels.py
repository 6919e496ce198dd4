"""Images of 16 bits a channel, which often use only 12 or 8: their values, and the conversion to 8 bits."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL_DEPTH = 16
_DEPTHS = (8, 10, 12, 14, FULL_DEPTH)  # bits of scanners and cameras
# The mode with which Pillow unpacks the upper byte of each value -> the mode that unpacks the lower byte instead.
_LOWER_BYTES = {"16B": "16L", "16L": "16B", "16N": "16B" if np.little_endian else "16L"}


@dataclass(frozen=True)
class Deep:
    """Facts on the values of an image of 16 bits a channel, before they are scaled.

    Attributes:
        maximum: The largest value.
        digest: A digest of all values at full depth.
    """

    maximum: int
    digest: str

    @classmethod
    def of(cls, values: NDArray[np.uint16]) -> Deep:
        digest = hashlib.blake2b(f"{values.shape}".encode(), digest_size=16)
        digest.update(np.ascontiguousarray(values).tobytes())
        return cls(int(values.max()), digest.hexdigest())


def depth_of(maximum: int) -> int:
    """Return the fewest of 8, 10, 12, 14 and 16 bits that hold values up to `maximum`.

    Raises:
        ValueError: If 16 are too few.
    """
    for depth in _DEPTHS:
        if maximum < 2**depth:
            return depth
    raise ValueError(f"{maximum} has more than {FULL_DEPTH} bits")


def to_8_bits(values: NDArray[np.uint16], depth: int) -> NDArray[np.uint8]:
    """Return the upper 8 of `depth` bits; larger values become 255."""
    pixels: NDArray[np.uint8] = np.minimum(values >> (depth - 8), 255).astype(np.uint8)
    return pixels


def deep_values(image: Any, data: bytes) -> NDArray[np.int64] | None:
    """Return the values of an opened image of 16 bits a channel, upright; None for any other image.

    The shape is (height, width) for grey images and (height, width, 3) for colours. Pillow gives only the upper 8 of
    16 bits of colours, so the lower 8 are unpacked from the same bytes once more.

    Args:
        data: The encoded file that `image` was opened from.
    """
    from PIL import Image, ImageOps

    if image.mode.startswith("I"):
        return np.asarray(ImageOps.exif_transpose(image)).astype(np.int64)
    packing = _packing(image)
    if packing == "LA;16B":  # Pillow unpacks these in one byte order only, so each value is read as two channels
        pairs = np.asarray(ImageOps.exif_transpose(_reopen(Image, data, image.format, lambda old: "RGBA")))
        grey: NDArray[np.int64] = pairs[..., 0].astype(np.int64) << 8 | pairs[..., 1]
        return grey
    order = packing[-3:]
    if image.mode not in ("RGB", "RGBA") or order not in _LOWER_BYTES:
        return None
    lower = _reopen(Image, data, image.format, lambda old: old.replace(order, _LOWER_BYTES[order]))
    bytes_of = [np.asarray(ImageOps.exif_transpose(part))[..., :3].astype(np.int64) for part in (image, lower)]
    values: NDArray[np.int64] = bytes_of[0] << 8 | bytes_of[1]
    return values


def _packing(image: Any) -> str:
    """Return how the file packs its values, in Pillow's words, such as ``RGB;16B``; empty if it does not tell."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0].args
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _reopen(module: Any, data: bytes, format_: str, packing: Callable[[str], str]) -> Any:
    """Open the same image again, with its values unpacked in another way."""
    image = module.open(io.BytesIO(data), formats=[format_])
    image.tile = [tile._replace(args=_replaced(tile.args, packing)) for tile in image.tile]
    image.load()
    return image


def _replaced(arguments: Any, packing: Callable[[str], str]) -> Any:
    if isinstance(arguments, tuple):
        return (packing(arguments[0]), *arguments[1:])
    return packing(arguments)
