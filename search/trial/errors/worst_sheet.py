"""A picture of the images that a model gets most wrong, each with what it is and what it was taken for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Split
from tunefront.search.data.inspection.tiles import (
    BACKGROUND,
    DIM_COLOUR,
    FRAME_COLOUR,
    TEXT_COLOUR,
    are_drawable,
    fitting,
    legible,
    tile_of,
)

_N_COLUMNS = 6
_MARGIN = 16
_COLUMN_WIDTH = 152
_LINE_HEIGHT = 17
_WRONG_COLOUR = "#b3403c"


def draw_worst(
    examples: Split, answers: NDArray[np.floating], chosen: NDArray[np.int64], class_names: Sequence[str]
) -> Any:
    """Draw the chosen images in their order, six a row; None if the examples are no images of 1 or 3 channels.

    Args:
        answers: Probabilities of shape (n, k), or predicted numbers of shape (n,).
    """
    from PIL import Image, ImageDraw, ImageFont

    if not are_drawable(examples.images):
        return None
    font = ImageFont.load_default(13)
    tiles = [tile_of(image) for image in np.asarray(examples.images[chosen])]
    texts = [_texts(examples.labels[place], answers[place], class_names) for place in chosen]
    n_columns, n_rows = min(_N_COLUMNS, len(tiles)), -(-len(tiles) // _N_COLUMNS)
    height = max(image.height for image in tiles)
    pitch = height + 3 * _LINE_HEIGHT + _MARGIN
    sheet = Image.new("RGB", (_MARGIN + n_columns * _COLUMN_WIDTH, _MARGIN + n_rows * pitch), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for number, (image, lines) in enumerate(zip(tiles, texts, strict=True)):
        x = _MARGIN + number % _N_COLUMNS * _COLUMN_WIDTH
        y = _MARGIN + number // _N_COLUMNS * pitch
        draw.rectangle((x - 1, y - 1, x + image.width, y + image.height), outline=FRAME_COLOUR)
        sheet.paste(image, (x, y))
        for line, (text, colour) in enumerate(zip(lines, (TEXT_COLOUR, _WRONG_COLOUR, DIM_COLOUR), strict=True)):
            shown = fitting(legible(text, font), font, _COLUMN_WIDTH - _MARGIN)
            draw.text((x, y + height + 4 + line * _LINE_HEIGHT), shown, colour, font)
    return sheet


def _texts(label: Any, answer: NDArray[np.floating], class_names: Sequence[str]) -> tuple[str, str, str]:
    """Return three lines: what the image is, what the model said, and how sure it was or how far off."""
    if answer.ndim == 0:
        return f"{label:.4g}", f"predicted {answer:.4g}", f"off by {abs(float(answer) - float(label)):.3g}"
    taken = int(answer.argmax())
    name = class_names[taken] if taken < len(class_names) else "no class"
    return class_names[int(label)], f"taken for {name}", f"with {100 * float(answer[taken]):.1f} %"
