"""The decoding of one image file to pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.decoding.deep_pixels import FULL_DEPTH, Deep, deep_values, to_8_bits
from tunefront.search.data.file_kinds import describe_kind

MAX_PIXELS = 150_000_000  # 450 MB in colour; a file of some kilobytes can claim a thousand times as many
# Pillow reads more formats, but it hands EPS to Ghostscript, and films and vector drawings are no photos.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000")


class BadImageError(Exception):
    """A file is no usable image; the message says why."""


@dataclass(frozen=True)
class Decoding:
    """The settings of decoding files to pixels.

    Attributes:
        size: Height and width; None leaves each image as it is.
        resize: ``stretch`` to the size, ``crop`` the middle, or ``pad`` with black.
        bit_depth: The bits used in files of 16 bits a channel; the upper 8 of these become the pixels.
    """

    size: tuple[int, int] | None
    channels: Literal[1, 3]
    resize: Literal["stretch", "crop", "pad"]
    bit_depth: int = FULL_DEPTH


@dataclass(frozen=True)
class Picture:
    """A decoded image file.

    Attributes:
        pixels: Shape (height, width, channels).
        deep: Facts on the file's values, if it has 16 bits a channel.
    """

    pixels: NDArray[np.uint8]
    deep: Deep | None = None


def decode(read: Callable[[], bytes], decoding: Decoding) -> Picture:
    """Decode an image file, turned upright by its EXIF orientation.

    Transparency is dropped, as Keras does. A film gives its first image.

    Raises:
        BadImageError: If it cannot be read, is no image, is cut off, or too large to be decoded.
    """
    with _opened(read) as (image, data):
        from PIL import Image, ImageOps

        if image.mode == "F":
            raise BadImageError('has floating-point pixels: give such values as arrays, with source = "npz"')
        values = deep_values(image, data)
        if values is not None:
            if values.min() < 0 or values.max() >= 2**FULL_DEPTH:
                raise BadImageError('has pixels of more than 16 bits: give such values as arrays, with source = "npz"')
            values = values.astype(np.uint16, copy=False)
            facts = Deep.of(values)
            upright = Image.fromarray(to_8_bits(values, decoding.bit_depth))
            del values  # before more copies of the image are made
            return Picture(_finished(upright, decoding), facts)
        if decoding.size is not None:
            # Large JPEGs are decoded at a half, a quarter or an eighth of their size. At least twice the needed
            # pixels are left.
            image.draft(None, (2 * max(decoding.size),) * 2)
        image.load()
        return Picture(_finished(ImageOps.exif_transpose(image), decoding))


def _finished(image: Any, decoding: Decoding) -> NDArray[np.uint8]:
    resized = _resized(image.convert("RGB" if decoding.channels == 3 else "L"), decoding)
    return np.asarray(resized, dtype=np.uint8).reshape(resized.height, resized.width, decoding.channels)


def size_of(read: Callable[[], bytes]) -> tuple[int, int]:
    """Return upright height and width, from the header alone.

    Raises:
        BadImageError: For the reasons of :func:`decode`, as far as the header tells them.
    """
    with _opened(read) as (image, _):
        is_turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (image.width, image.height) if is_turned else (image.height, image.width)


@contextmanager
def _opened(read: Callable[[], bytes]) -> Iterator[tuple[Any, bytes]]:
    """Open an image file; yield the image and its encoded bytes."""
    from PIL import Image

    try:
        data = read()
        if not data:
            raise BadImageError("is empty (0 bytes)")
        Image.init()
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata, which nothing here depends on
            # Pillow itself only warns of up to twice as many pixels as it allows, and refuses more.
            image = Image.open(io.BytesIO(data), formats=[name for name in _FORMATS if name in Image.OPEN])
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            yield image, data
    except BadImageError:
        raise
    except Image.DecompressionBombError as error:
        raise BadImageError(f"has more than {MAX_PIXELS:,} pixels: make it smaller") from error
    except OSError as error:  # Pillow's UnidentifiedImageError is one too
        unidentified = "cannot identify image file" in str(error)
        raise BadImageError(describe_kind(data) if unidentified else error.strerror or str(error)) from error
    except Exception as error:  # Pillow's decoders raise errors of nearly any type on broken files
        raise BadImageError(f"cannot be decoded ({type(error).__name__}: {error})") from error


def _resized(image: Any, decoding: Decoding) -> Any:
    from PIL import Image, ImageOps

    if decoding.size is None or decoding.size == (image.height, image.width):
        return image
    height, width = decoding.size
    # When it shrinks, Lanczos averages over all source pixels, so that none is left out.
    filter_ = Image.Resampling.LANCZOS
    if decoding.resize == "stretch":
        return image.resize((width, height), filter_)
    if decoding.resize == "crop":
        return ImageOps.fit(image, (width, height), filter_)
    scale = min(width / image.width, height / image.height)
    inner = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), filter_)
    padded = Image.new(image.mode, (width, height))
    padded.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return padded
