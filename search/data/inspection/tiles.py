"""Images and texts of one size and style, of which sheets are made."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

BACKGROUND = "#ffffff"
TEXT_COLOUR = "#1f2937"
DIM_COLOUR = "#4b5563"
FRAME_COLOUR = "#d1d5db"  # shows where a white image ends
TILE = 96  # pixels of an image's longer side


def are_drawable(images: NDArray[Any]) -> bool:
    """Return whether values are images of 1 or 3 channels, shape (n, height, width, channels)."""
    return images.ndim == 4 and images.shape[3] in (1, 3) and images.dtype == np.uint8


def tile_of(image: NDArray[np.uint8]) -> Any:
    """Return an image at the size of the sheet, its sides in proportion."""
    from PIL import Image

    height, width = image.shape[:2]
    scale = TILE / max(height, width)
    if scale > 1:
        scale = float(int(scale))  # every pixel becomes a square of the same size
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).convert("RGB")
    return pixels.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def legible(text: str, font: Any) -> str:
    """Return the text without characters that the font cannot draw; empty if nothing is left.

    Accents are dropped, and other characters become ``?``. Pillow's own font knows little beyond ASCII, and other fonts
    differ between machines.
    """
    unknown = _drawn("\U0010ffff", font)
    letters = []
    for letter in unicodedata.normalize("NFC", " ".join(text.split())):
        plain = letter if _drawn(letter, font) != unknown else unicodedata.normalize("NFKD", letter)[0]
        letters.append(plain if _drawn(plain, font) != unknown else "?")
    return "".join(letters) if set(letters) - {"?", " "} else ""


def _drawn(letter: str, font: Any) -> tuple[Any, bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def fitting(text: str, font: Any, width: float) -> str:
    """Return the text as one line of at most `width` pixels, cut off with an ellipsis if it is too long."""
    shown = text
    while font.getlength(shown) > width:
        shown = shown.removesuffix("…")[:-1].rstrip() + "…"
    return shown
