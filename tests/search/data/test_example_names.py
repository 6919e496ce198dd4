"""The names of a prepared dataset's examples: each is that of the file or row whose values it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from tests.search.data.pictures import picture, pictures, source
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources import DataTable


@pytest.mark.parametrize("folds", [0, 2])
def test_each_row_has_the_name_of_its_file(any_folder: Path, folds: int) -> None:
    folder = pictures(any_folder / "my images")
    dataset = prepare(source(folder, folds=folds), seed=1)
    for split in ("train", "validation", "test"):
        fold = folds - 1 if folds and split != "test" else 0
        images, names = dataset.split(split, fold).images, dataset.names(split, fold)
        assert len(names) == len(images) > 3
        for name, image in zip(names, images, strict=True):
            np.testing.assert_array_equal(np.asarray(Image.open(folder / name)), image)
    assert len(set(dataset.names("test") + dataset.names("train") + dataset.names("validation"))) == 20


def test_a_renamed_file_has_its_new_name_and_moved_ones_need_nothing_new(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images")
    first = prepare(source(folder), seed=1)
    folder.rename(tmp_path / "moved")
    assert prepare(source(tmp_path / "moved"), seed=1) == first
    (tmp_path / "moved" / "cat" / "0.png").rename(tmp_path / "moved" / "cat" / "0 again.png")
    again = prepare(source(tmp_path / "moved"), seed=1)
    assert again.fingerprint == first.fingerprint
    names = {name for split in ("train", "validation", "test") for name in again.names(split)}
    assert "cat/0 again.png" in names
    assert "cat/0.png" not in names


def test_names_of_a_table_start_at_its_folder_of_images(tmp_path: Path) -> None:
    lines = ["file,kind"]
    for number in range(20):
        picture(tmp_path / "pictures" / f"{number}.png", number)
        lines.append(f"{number}.png,{'ab'[number % 2]}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    table = {"source": "table", "path": str(tmp_path / "table.csv"), "images": str(tmp_path / "pictures")}
    dataset = prepare(TypeAdapter(DataTable).validate_python(table), seed=1)
    assert {name.partition(".")[2] for name in dataset.names("test")} == {"png"}
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "pictures" / dataset.names("test")[2])), dataset.split("test").images[2]
    )


def test_rows_of_arrays_are_numbered(digits: Dataset, tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    name = digits.names("validation")[5]
    every = load_digits().images
    place = int(name.removeprefix("digits[").removesuffix("]"))
    np.testing.assert_array_equal(digits.split("validation").images[5][..., 0], np.round(every[place] * 255 / 16))
    values = np.random.default_rng(0).integers(0, 256, (30, 4, 4, 1), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x=values, y=np.arange(30) % 2)
    table = {"source": "npz", "path": str(tmp_path / "own.npz")}
    own = prepare(TypeAdapter(DataTable).validate_python(table), seed=1)
    assert {name.partition(":")[0] for name in own.names("train")} == {"own.npz"}


def test_data_of_an_older_tunefront_has_places(tmp_path: Path) -> None:
    dataset = prepare(source(pictures(tmp_path / "images")), seed=1)
    (Path(dataset.folder) / "names.json").unlink()
    assert dataset.names("test") == ["test[0]", "test[1]", "test[2]", "test[3]"]
