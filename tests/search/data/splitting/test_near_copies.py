"""Images in different splits that look alike: found as by comparing all pairs, and noted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.search.data.pictures import source
from tunefront.commands.data_table import render
from tunefront.search.data.cache import prepare
from tunefront.search.data.splitting.near_copies import MAX_DIFFERENCE, NEAR_COPIES, near_copies, thumbnails_of

NOBODY = (lambda done, total: None,)


def photo(seed: int, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Return a smooth image of colours."""
    few = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(few).resize((size[1], size[0]), Image.Resampling.BICUBIC)


def pairs_by_hand(thumbnails: np.ndarray[Any, Any], parts: np.ndarray[Any, Any], order: list[int]) -> dict[int, float]:
    """Return the smallest difference of every image to one of an earlier part, if it is small enough."""
    found = {}
    for row, part in enumerate(parts):
        earlier = thumbnails[np.isin(parts, order[: order.index(part)])]
        differences = np.abs(earlier - thumbnails[row]).mean(axis=1)
        if len(earlier) and differences.min() <= MAX_DIFFERENCE:
            found[row] = float(differences.min())
    return found


@pytest.mark.parametrize("noise", [0.5, 1.5, 2.5, 3.0])
def test_near_copies_are_those_of_comparing_all_pairs(noise: float) -> None:
    draws = np.random.default_rng(7)
    originals = draws.uniform(0, 255, (300, 4, 4)).repeat(4, axis=1).repeat(4, axis=2).reshape(300, -1)
    thumbnails = originals[draws.integers(0, 300, 600)] + draws.normal(0, noise, (600, 256))
    thumbnails = thumbnails.astype(np.float32)
    parts, order = draws.choice([0, 1, -1], 600, p=[0.5, 0.3, 0.2]), [0, 1, -1]
    found = near_copies(thumbnails, parts, order)
    expected = pairs_by_hand(thumbnails, parts, order)
    assert {pair.row: pair.difference for pair in found} == pytest.approx(expected)
    assert (len(expected) > 100) is (noise < 2)
    for pair in found:
        assert order.index(parts[pair.other]) < order.index(parts[pair.row])
        difference = np.abs(thumbnails[pair.row] - thumbnails[pair.other]).mean()
        assert pair.difference == pytest.approx(difference)


def test_a_copy_behind_nearer_means_is_found() -> None:
    # Ten images have the same means of 4 x 4 fields as the first, but look otherwise; the eleventh is its copy.
    draws = np.random.default_rng(1)
    first = draws.uniform(50, 200, 256)
    checks = (np.indices((16, 16)).sum(axis=0) % 2 * 2 - 1).reshape(-1)
    others = [first + 10 * (1 + number) * checks for number in range(10)]
    copy = first + 1.0
    thumbnails = np.array([first, *others, copy], dtype=np.float32)
    parts = np.array([1] + [0] * 11)
    assert [(pair.row, pair.other) for pair in near_copies(thumbnails, parts, [0, 1])] == [(0, 11)]


def test_images_without_contrast_and_parts_that_are_left_out_are_not_looked_at() -> None:
    thumbnails = np.random.default_rng(1).uniform(0, 255, (1, 256)).repeat(4, axis=0).astype(np.float32)
    assert near_copies(thumbnails, np.array([0, -3, 0, -3]), [0, 1, -1]) == []
    assert near_copies(np.full((4, 256), 9, np.float32), np.array([0, 1, 0, -1]), [0, 1, -1]) == []


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 50), (224, 224)])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_thumbnails_are_means_of_grey(size: tuple[int, int], n_channels: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, *size, n_channels), dtype=np.uint8)
    thumbnails = thumbnails_of(images, np.array([4, 0, 2]), *NOBODY).reshape(3, 16, 16)
    weights = [0.299, 0.587, 0.114] if n_channels == 3 else [1]
    grey = (images[[4, 0, 2]] * weights).sum(axis=-1)
    tops, lefts = ([int(place * side / 16) for place in range(17)] for side in size)
    for row in range(16):
        for column in range(16):
            field = grey[:, tops[row] : tops[row + 1], lefts[column] : lefts[column + 1]]
            assert thumbnails[:, row, column] == pytest.approx(field.mean(axis=(1, 2)), abs=1e-3)


@pytest.mark.parametrize("folds", [0, 3])
def test_a_photo_that_was_saved_again_is_noted_with_both_names_and_stays(tmp_path: Path, folds: int) -> None:
    folder = tmp_path / "images"
    for number in range(24):
        path = folder / ("train" if number < 16 else "test") / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        photo(number).save(path)
    photo(0).save(folder / "test" / "b" / "again.jpg", quality=60)
    photo(16).save(folder / "test" / "a" / "inside.jpg", quality=60)  # no leak: both are in the test split
    dataset = prepare(source(folder, folds=folds), seed=1)
    assert dataset.n_test == 10
    note = "images look like one in another split, and may be the same photo"
    assert dataset.notes[note] == 1
    text = (Path(dataset.folder) / NEAR_COPIES).read_text()
    again, original = re.escape(f"{folder}/test/b/again.jpg"), re.escape(f"{folder}/train/a/0.png")
    side = r"fold \d" if folds else "(train|validation)"
    assert re.fullmatch(rf"{again} \(test\) looks like {original} \({side}\): mean difference \S+ of 255\n", text), text


def test_small_images_are_not_compared(tmp_path: Path) -> None:
    for number in range(10):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.asarray(photo(0, (31, 40))).copy()
        image[0, 0, 0] = number
        Image.fromarray(image).save(path)
    assert prepare(source(tmp_path / "images"), seed=1).notes == {}


def test_a_report_shows_the_first_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from tunefront.search.data.inspection.inspect import inspect

    for number in range(40):
        path = tmp_path / "images" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        photo(number // 2).save(path, quality=60 + number % 2 * 30)
    spec = source(tmp_path / "images")
    dataset = prepare(spec, seed=1)
    n_pairs = sum(dataset.notes.values())
    assert n_pairs > 5
    Console(width=400).print(render(inspect(dataset, spec)))
    printed = capsys.readouterr().out
    assert printed.count("looks like") == 5
    assert f"and {n_pairs - 5} more pairs" in printed
    assert str(Path(dataset.folder) / NEAR_COPIES) in printed
