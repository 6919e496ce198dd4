"""File names of images."""

from __future__ import annotations

import os

_IMAGE_ENDINGS = frozenset(
    (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".avif", ".jp2")
)


def has_image_ending(name: str) -> bool:
    """Return whether a name has the ending of a format that can be decoded, in upper or lower case."""
    return os.path.splitext(name)[1].lower() in _IMAGE_ENDINGS
