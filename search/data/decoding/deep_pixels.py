"""Images of 16 bits a channel, which often use only 12 or 8: their values, and the conversion to 8 bits."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL_DEPTH = 16
_STRIP_PIXELS = 2**20  # that are worked on at a time
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
        digest.update(np.ascontiguousarray(values).data.cast("B"))
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
    pixels = np.empty(values.shape, np.uint8)
    n_rows = max(1, _STRIP_PIXELS * len(values) // values.size)
    for top in range(0, len(values), n_rows):
        rows = slice(top, top + n_rows)
        pixels[rows] = np.minimum(values[rows] >> (depth - 8), 255)
    return pixels


def deep_values(image: Any, data: bytes) -> NDArray[Any] | None:
    """Return the values of an opened image of 16 bits a channel, upright; None for any other image.

    The shape is (height, width) for grey images and (height, width, 3) for colours. Pillow gives only the upper 8 of
    16 bits of colours, so the lower 8 are unpacked from the same bytes once more. Only one of both is in memory at a
    time, because a small file may claim very many pixels.

    Args:
        image: Is turned upright itself if it is grey.
        data: The encoded file that `image` was opened from.
    """
    from PIL import Image, ImageOps

    if image.mode.startswith("I"):
        ImageOps.exif_transpose(image, in_place=True)
        found: NDArray[Any] = np.asarray(image)
        return found if image.mode == "I" else found.astype(np.uint16, copy=False)
    packing = _packing(image)
    if packing == "LA;16B":  # Pillow unpacks these in one byte order only, so each value is read as two channels
        pairs = _reopen(Image, data, image.format, lambda old: "RGBA")
        grey = np.empty((pairs.height, pairs.width), np.uint16)
        for rows, part in _strips(pairs):
            grey[rows] = part[..., 0].astype(np.uint16) << 8 | part[..., 1]
        return grey
    order = packing[-3:]
    if image.mode not in ("RGB", "RGBA") or order not in _LOWER_BYTES:
        return None
    upper = _reopen(Image, data, image.format, lambda old: old)
    values = np.empty((upper.height, upper.width, 3), np.uint16)
    for rows, part in _strips(upper):
        values[rows] = part[..., :3]
    values <<= 8
    del upper
    for rows, part in _strips(_reopen(Image, data, image.format, lambda old: old.replace(order, _LOWER_BYTES[order]))):
        values[rows] |= part[..., :3]
    return values


def _strips(image: Any) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Yield the rows of an image, and where they belong, some at a time: NumPy takes several copies of them."""
    n_rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, n_rows):
        bottom = min(top + n_rows, image.height)
        yield slice(top, bottom), np.asarray(image.crop((0, top, image.width, bottom)))


def _packing(image: Any) -> str:
    """Return how the file packs its values, in Pillow's words, such as ``RGB;16B``; empty if it does not tell."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0].args
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _reopen(module: Any, data: bytes, format_: str, packing: Callable[[str], str]) -> Any:
    """Open the same image again, upright, with its values unpacked in another way."""
    from PIL import ImageOps

    image = module.open(io.BytesIO(data), formats=[format_])
    image.tile = [tile._replace(args=_replaced(tile.args, packing)) for tile in image.tile]
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _replaced(arguments: Any, packing: Callable[[str], str]) -> Any:
    if isinstance(arguments, tuple):
        return (packing(arguments[0]), *arguments[1:])
    return packing(arguments)
