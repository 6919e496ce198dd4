"""CSV files that name image files and their classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search.data import DataError, Dataset, prepare
from search.data.sources.table import TableSource
from tests.search.data.pictures import picture


def table(folder: Path, n: int = 20, header: str = "file,class", row: str = "{n}.png,{label}") -> Path:
    """Write a CSV file of n rows beside n images, of the classes whale and dolphin."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        picture(folder / f"{number}.png", number)
    labels = ["whale", "dolphin"]
    splits = ["train", "valid", "test", "train"]
    lines = [row.format(n=number, label=labels[number % 2], split=splits[number // 2 % 4]) for number in range(n)]
    (folder / "labels.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder / "labels.csv"


def read(path: Path, **settings: Any) -> Dataset:
    return prepare(TableSource.model_validate({"source": "table", "path": str(path), **settings}), seed=1)


def refused(path: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **settings)
    return str(caught.value)


def test_a_table_of_two_columns_needs_no_more_settings(any_folder: Path) -> None:
    dataset = read(table(any_folder / "my whales"))
    assert (dataset.source, dataset.class_names, dataset.image_shape) == ("table", ("dolphin", "whale"), (8, 8, 3))
    assert (dataset.n_train, dataset.n_validation, dataset.n_test) == (12, 4, 4)


def test_columns_splits_images_and_extension_can_be_named(tmp_path: Path) -> None:
    path = table(tmp_path / "images", header="nr,where,kind,name", row="1,{split},{label},{n}", n=24)
    path.rename(tmp_path / "all.csv")
    settings = {"file_column": "name", "label_column": "kind", "split_column": "where", "extension": ".png"}
    dataset = read(tmp_path / "all.csv", images=str(tmp_path / "images"), **settings)
    assert (dataset.n_train, dataset.n_validation, dataset.n_test) == (12, 6, 6)


def test_class_names_are_texts_also_when_they_look_like_something_else(tmp_path: Path) -> None:
    path = table(tmp_path / "a")
    path.write_text(path.read_text().replace("whale", "NA").replace("dolphin", "nan"))
    assert read(path).class_names == ("NA", "nan")


def test_numbers_as_classes_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    path = table(tmp_path / "a")
    path.write_text(path.read_text().replace("whale", "10").replace("dolphin", "9"))
    assert read(path).class_names == ("9", "10")
    path.write_text(path.read_text().replace("10\n", f"{'8' * 5000}\n"))  # more digits than Python reads as a number
    assert read(path).class_names == ("8" * 5000, "9")


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = table(tmp_path / "a")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path, file_column="file").n_train == 12


def test_labels_without_their_files_are_named(tmp_path: Path) -> None:
    path = table(tmp_path / "a")
    (path.parent / "3.png").unlink()
    message = refused(path)
    assert f"{path}: 1 of 20 files are not there" in message
    assert f"line 5: {path.parent / '3.png'}" in message
    assert "data.images or data.extension" in message


def test_files_that_no_label_names_are_refused_unless_ignored(tmp_path: Path) -> None:
    path = table(tmp_path / "a")
    extra = picture(path.parent / "more" / "extra.png", 99)
    message = refused(path)
    assert "1 images in" in message
    assert str(extra) in message
    assert 'unlisted = "ignore"' in message
    assert read(path, unlisted="ignore").n_train == 12


@pytest.mark.parametrize(
    ("content", "settings", "fragments"),
    [
        ("", {}, ["is empty", "a row for each image"]),
        ("file,class\n", {}, ["is empty", "a row for each image"]),
        ("file;class\n0.png;cat\n", {}, ["has one column, 'file;class'", "separated by commas"]),
        ("file,class\n0.png,cat\n", {"label_column": "klass"}, ["data.label_column", "no column 'klass'", "'class'"]),
        ("file,class\n0.png,cat\n", {"file_column": "x"}, ["data.file_column", "Known: file, class"]),
        ("file,class\n0.png,cat\n", {"split_column": "x"}, ["data.split_column", "Known: file, class"]),
        ("file,class\n0.png,\n1.png,cat\n", {}, ["rows without a class", "line 2"]),
        ("file,class,s\n0.png,cat,dev\n", {"split_column": "s"}, ["line 2: 'dev'", "train, validation or test"]),
        ('file,class\n0.png,"cat\n', {}, ["cannot be read as CSV"]),
        ("file,class\n0.png,cat\n1.png,cat\n", {}, ["one class only (cat)"]),
        ("file,class\n0.png,cat\n", {"images": "/nowhere"}, ["data.images: there is no folder '/nowhere'"]),
    ],
)
def test_tables_that_cannot_be_used_are_refused(
    tmp_path: Path, content: str, settings: dict[str, Any], fragments: list[str]
) -> None:
    path = table(tmp_path / "a", n=2)
    path.write_text(content)
    message = refused(path, **settings)
    for fragment in [str(path) if "images" not in settings and "one class" not in message else "data", *fragments]:
        assert fragment in message


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    assert f"there is no file {str(tmp_path / 'none.csv')!r}" in refused(tmp_path / "none.csv")


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(b"file,class\n\xff\xfe,cat\n")
    assert "cannot be read as CSV with UTF-8 text" in refused(tmp_path / "odd.csv")
