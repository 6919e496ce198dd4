"""The picture of some images of each class: what is on it, at any size of image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from tests.search.data.arrays import noise, prepared
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.inspection.contact_sheet import write_contact_sheet
from tunefront.search.data.inspection.tiles import fitting, legible

RED, BLUE = (255, 0, 0), (0, 0, 255)


def sheet_of(dataset: Dataset, folder: Path, **keys: int) -> np.ndarray:
    path = write_contact_sheet(dataset, folder / "sheet.png", **keys)
    assert path == folder / "sheet.png"
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image)


def contains(sheet: np.ndarray, tile: np.ndarray) -> bool:
    """Return whether the tile is somewhere on the sheet, pixel by pixel."""
    height, width = (size - part + 1 for size, part in zip(sheet.shape[:2], tile.shape[:2], strict=True))
    fits = np.ones((height, width), dtype=bool)
    for y, x in np.ndindex(tile.shape[0] // 24, tile.shape[1] // 24):
        fits &= (sheet[24 * y : 24 * y + height, 24 * x : 24 * x + width] == tile[24 * y, 24 * x]).all(axis=2)
    return any(np.array_equal(sheet[y : y + tile.shape[0], x : x + tile.shape[1]], tile) for y, x in np.argwhere(fits))


def test_the_sheet_has_images_of_the_classes_enlarged_without_smoothing(digits: Dataset, tmp_path: Path) -> None:
    sheet = sheet_of(digits, tmp_path, n_images=2)
    train = digits.split("train")
    for label in (0, 9):
        first = train.images[np.flatnonzero(train.labels == label)[0]]
        enlarged = np.repeat(np.repeat(np.repeat(first, 12, axis=0), 12, axis=1), 3, axis=2)
        assert contains(sheet, enlarged)


def test_the_sheet_has_rows_of_one_class_in_the_classes_order(tmp_path: Path) -> None:
    values = noise(40, 250, 250, 3) // 16
    labels = np.array(["blue", "red"] * 20)
    values[labels == "blue"] += np.array(BLUE, dtype=np.uint8) // 2
    values[labels == "red"] += np.array(RED, dtype=np.uint8) // 2
    sheet = sheet_of(prepared(tmp_path, values, labels), tmp_path).astype(int)
    is_blue = (sheet[..., 2] - sheet[..., 0] > 80).any(axis=1)
    is_red = (sheet[..., 0] - sheet[..., 2] > 80).any(axis=1)
    assert np.flatnonzero(is_blue).max() < np.flatnonzero(is_red).min()
    assert (is_blue.sum(), is_red.sum()) == (96, 96)  # 250 pixels are shrunk to 96


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 200, 3), (200, 5, 1), (64, 64, 3), (95, 97, 3), (8, 8)], ids=str)
def test_the_sheet_is_tidy_at_any_size(tmp_path: Path, shape: tuple[int, ...]) -> None:
    dataset = prepared(tmp_path, noise(90, *shape), np.arange(90) % 3)
    sheet = sheet_of(dataset, tmp_path)
    for edge in (sheet[:10], sheet[-10:], sheet[:, :10], sheet[:, -10:]):
        assert (edge == 255).all()  # nothing reaches into the margin
    assert 3 * 48 < sheet.shape[0] < 3 * 110 + 100  # rows are as high as their text at least


def test_the_sheet_shows_evenly_spread_classes_when_there_are_many(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, noise(400, 8, 8, 1), np.arange(400) % 40, validation_fraction=0.3, test_fraction=0.3)
    few, all_ = sheet_of(dataset, tmp_path), sheet_of(dataset, tmp_path, n_classes=100)
    assert (few.shape[0] - 78) // 102 == 12
    assert (all_.shape[0] - 78) // 102 == 40


def test_nothing_is_written_when_the_values_are_no_images(tmp_path: Path) -> None:
    for values in (noise(40, 6), noise(40, 4, 4, 2), noise(40, 4, 4, 3) / 255):
        assert write_contact_sheet(prepared(tmp_path, values, np.arange(40) % 2), tmp_path / "sheet.png") is None
    assert not (tmp_path / "sheet.png").exists()


def test_a_sheet_goes_to_a_new_folder_and_replaces_an_older_one(digits: Dataset, any_folder: Path) -> None:
    path = any_folder / "new" / "sheet.png"
    for n_images in (1, 2):
        assert write_contact_sheet(digits, path, n_images=n_images) == path
    with Image.open(path) as image:
        assert image.width > 250


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("T-shirt/top", "T-shirt/top"),
        ("Ärzte & Öl", "Arzte & Ol"),
        ("A\u0308rzte", "Arzte"),  # as macOS writes it
        ("\u732b neko", "? neko"),
        ("\u732b", ""),
        ("two\nlines", "two lines"),
    ],
)
def test_names_are_written_in_letters_that_the_font_has(name: str, expected: str) -> None:
    assert legible(name, ImageFont.load_default(16)) == expected


def test_names_are_cut_off_when_they_are_too_long() -> None:
    font = ImageFont.load_default(16)
    assert fitting("short", font, 240) == "short"
    cut = fitting("a name that is far too long for its place", font, 240)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 240


def test_the_sheet_is_not_written_through_a_link(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "sheet.png").symlink_to("theirs")
    with pytest.raises(OSError, match="this is a link, and links are not followed here"):
        write_contact_sheet(digits, tmp_path / "sheet.png")
    assert (tmp_path / "theirs").read_text() == "theirs"
