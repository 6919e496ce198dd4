"""The contact sheet: one picture of some images of each class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset, Split
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
from tunefront.search.system.links import refuse_link
from tunefront.search.system.regular_files import named

_GAP = 6
_MARGIN = 20
_TITLE_HEIGHT = 64
_MIN_ROW_HEIGHT = 48  # for two lines of text
_MAX_NAME_WIDTH = 240
_N_RANGES = 6  # rows of numbers to predict, each with as many training images


@dataclass(frozen=True)
class _Row:
    """A class or a range of numbers, and some of its training images."""

    number: int
    name: str
    n_train: int
    images: NDArray[np.uint8]


def write_contact_sheet(dataset: Dataset, path: Path, n_classes: int = 12, n_images: int = 8) -> Path | None:
    """Write a PNG with a row for each class; of many classes, `n_classes` evenly spread ones are shown.

    Of numbers to predict, there is a row for each sixth of the training images, from the least numbers to the largest.

    The images are evenly spread over the training split, and look as models get them. Small ones are enlarged without
    smoothing. `path` is replaced if it exists.

    Raises:
        OSError: If `path` is a link, or cannot be written.

    Returns:
        `path`; None if the values are no images of 1 or 3 channels, and nothing was written.
    """
    train = dataset.split("train")
    if not are_drawable(train.images):
        return None
    if dataset.task == "regression":
        rows = _rows_of_numbers(train, n_images)
    else:
        rows = [_row(dataset, train, int(label), n_images) for label in _spread(dataset.n_classes, n_classes)]
    sheet = _draw(rows, _title(dataset, len(rows)))
    refuse_link(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(path):
        sheet.save(path, format="PNG", optimize=True)
    return path


def _title(dataset: Dataset, n_rows: int) -> str:
    height, width = dataset.image_shape[:2]
    if dataset.task == "regression":
        return f"{dataset.source}: numbers to predict, {height} x {width} pixels"
    shown = f"{n_rows} of {dataset.n_classes:,} classes" if n_rows < dataset.n_classes else f"{n_rows} classes"
    return f"{dataset.source}: {shown}, {height} x {width} pixels"


def _rows_of_numbers(train: Split, n_images: int) -> list[_Row]:
    in_order = np.argsort(train.labels, kind="stable")
    parts = [part for part in np.array_split(in_order, _N_RANGES) if len(part)]
    return [
        _Row(
            number,
            f"{train.labels[part[0]]:.4g} to {train.labels[part[-1]]:.4g}",
            len(part),
            train.images[np.sort(part[_spread(len(part), n_images)])],
        )
        for number, part in enumerate(parts)
    ]


def _spread(n: int, n_wanted: int) -> NDArray[np.int64]:
    """Return evenly spread places among n."""
    places: NDArray[np.int64] = np.unique(np.linspace(0, n - 1, min(n_wanted, n)).round().astype(np.int64))
    return places


def _row(dataset: Dataset, train: Split, label: int, n_images: int) -> _Row:
    rows = np.flatnonzero(train.labels == label)
    return _Row(label, dataset.class_names[label], len(rows), train.images[rows[_spread(len(rows), n_images)]])


def _draw(rows: list[_Row], title: str) -> Any:
    """Draw the sheet, as wide and high as its rows need."""
    from PIL import Image, ImageDraw, ImageFont

    title_font, name_font, count_font = (ImageFont.load_default(size) for size in (20, 16, 13))
    tiles = [[tile_of(image) for image in row.images] for row in rows]
    width, height = next(tile for row in tiles for tile in row).size
    names = [fitting(legible(row.name, name_font) or f"class {row.number}", name_font, _MAX_NAME_WIDTH) for row in rows]
    counts = [f"{row.n_train:,} in train" for row in rows]
    texts = [*((name, name_font) for name in names), *((count, count_font) for count in counts)]
    left = _MARGIN + math.ceil(max(font.getlength(text) for text, font in texts)) + 2 * _MARGIN
    pitch = max(height, _MIN_ROW_HEIGHT) + _GAP
    right = max(
        left + max(len(row) for row in tiles) * (width + _GAP), _MARGIN + math.ceil(title_font.getlength(title))
    )
    sheet = Image.new("RGB", (right + _MARGIN, _TITLE_HEIGHT + len(rows) * pitch + _MARGIN - _GAP), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _TITLE_HEIGHT / 2), title, TEXT_COLOUR, title_font, anchor="lm")
    for number, images in enumerate(tiles):
        middle = _TITLE_HEIGHT + number * pitch + (pitch - _GAP) // 2
        draw.text((_MARGIN, middle - 10), names[number], TEXT_COLOUR, name_font, anchor="lm")
        draw.text((_MARGIN, middle + 11), counts[number], DIM_COLOUR, count_font, anchor="lm")
        for place, image in enumerate(images):
            x, y = left + place * (width + _GAP), middle - height // 2
            draw.rectangle((x - 1, y - 1, x + width, y + height), outline=FRAME_COLOUR)
            sheet.paste(image, (x, y))
    return sheet
