"""CSV files that name image files and their classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.search.data.pictures import picture
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.class_order import in_order
from tunefront.search.data.sources.table import TableSource


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


TABLE_VARIANTS = {  # beside twenty images whose classes alternate
    "an index as pandas writes it": (",file,class", "{n},{n}.png,{label}"),
    "an index from 1": (",file,class", "{i},{n}.png,{label}"),
    "a comma at the end": ("file,class,", "{n}.png,{label},"),
    "a comma at the end of rows alone": ("file,class", "{n}.png,{label},"),
    "white space": (" file , class", " {n}.png ,  {label} "),
    "blank lines": ("\nfile,class\n", "{n}.png,{label}\n  ,"),
    "no header": ("0.png,whale", "{i}.png,{next}"),
    "quotes": ('"file","class"', '"{n}.png","{label}"'),
    "Windows lines": ("file,class\r", "{n}.png,{label}\r"),
}


@pytest.mark.parametrize("written", TABLE_VARIANTS)
def test_a_table_is_read_as_people_write_it(tmp_path: Path, written: str) -> None:
    header, row = TABLE_VARIANTS[written]
    plain = TableSource(source="table", path=str(table(tmp_path / "a"))).find()
    n_rows = 19 if written == "no header" else 20
    labels = ["whale", "dolphin"]
    lines = [row.format(n=n, i=n + 1, label=labels[n % 2], next=labels[(n + 1) % 2]) for n in range(n_rows)]
    (tmp_path / "a" / "labels.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="")
    found = TableSource(source="table", path=str(tmp_path / "a" / "labels.csv")).find()
    assert list(found.class_names) == ["dolphin", "whale"]
    assert found.labels.tolist() == plain.labels.tolist()
    assert list(found.names) == list(plain.names)


def test_line_numbers_count_blank_lines_and_lines_within_quotes(tmp_path: Path) -> None:
    path = table(tmp_path / "a", n=4)
    path.write_text('file,class,note\n0.png,cat,"two\nlines"\n\n1.png,,\n2.png,dog,\n')
    assert "rows without a class: give them one, or remove them:\n  line 5" in refused(path, label_column="class")


def test_a_one_hot_table_has_its_columns_as_classes_in_their_order(tmp_path: Path) -> None:
    path = table(tmp_path / "a", header="file,NV,MEL,age", row="{n}.png,{label},30")
    path.write_text(path.read_text().replace("whale", "1,0.0").replace("dolphin", "0,1.0"))
    found = TableSource(source="table", path=str(path), label_column=["MEL", "NV"]).find()
    assert list(found.class_names) == ["MEL", "NV"]
    assert found.labels.tolist() == [1, 0] * 10


def test_labels_of_equal_value_have_one_order(tmp_path: Path) -> None:
    assert in_order(["10", "1", "9", "01", "001"]) == ["001", "01", "1", "9", "10"]
    assert in_order(["b", "10", "9"]) == ["10", "9", "b"]


def test_classes_that_differ_in_case_alone_are_noted(tmp_path: Path) -> None:
    path = table(tmp_path / "a")
    path.write_text(path.read_text().replace("dolphin", "Whale"))
    assert read(path).notes == {"classes are called like another one but for case: Whale and whale": 2}


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
        ("file;class\n0.png;cat\n", {}, ["has one column, 'file;class'", "separated by commas", "semicolons"]),
        ("file,class\n0.png,cat\n\n1.png,a,b\n", {}, ["not one value for each of the 2 columns", "line 4: 3 values"]),
        ("file,class,class\n0.png,cat,dog\n", {}, ["two columns are called 'class'"]),
        ("path,patient,view,label\n0.png,p,v,cat\n", {}, ["path, patient, view, label: which of them is the class?"]),
        (
            "file,MEL,NV\n0.png,1,0\n\n1.png,1,1\n",
            {"label_column": ["MEL", "NV"]},
            ["not one 1 and else 0 in MEL, NV", "line 4: 1, 1"],
        ),
        ("file,MEL,NV\n0.png,1,0\n", {"label_column": ["MEL", "VN"]}, ["no column 'VN'", "Did you mean 'NV'?"]),
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
    for fragment in [str(path) if "images" not in settings and "one class only" not in message else "data", *fragments]:
        assert fragment in message


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    assert f"there is no file {str(tmp_path / 'none.csv')!r}" in refused(tmp_path / "none.csv")


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(b"file,class\n\xff\xfe,cat\n")
    assert "cannot be read as CSV with UTF-8 text" in refused(tmp_path / "odd.csv")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([], "name the columns of a one-hot table, or leave label_column out"),
        (["a", " "], "name the columns of a one-hot table"),
        (
            ["a"],
            "a one-hot table has a column for each class, two or more: for one column of class names write label_co",
        ),
        (["a", "b", "a "], "it names the column 'a' twice: leave one of them out"),
    ],
)
def test_a_list_of_label_columns_that_cannot_be_is_refused(columns: list[str], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TableSource(source="table", path="a.csv", label_column=columns)
    (found,) = caught.value.errors()
    assert found["loc"] == ("label_column",)
    assert found["msg"].startswith(f"Value error, {expected}")


def test_label_columns_may_be_written_with_white_space(tmp_path: Path) -> None:
    path = table(tmp_path / "a", n=2)
    path.write_text("file, MEL ,NV\n0.png,1,0\n1.png,0,1\n")
    found = TableSource(source="table", path=str(path), label_column=["NV ", "MEL"]).find()
    assert (list(found.class_names), found.labels.tolist()) == (["NV", "MEL"], [1, 0])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10.0", "9.0"], ["9.0", "10.0"]),
        (["1e1", "9.5", "-1", ".5"], ["-1", ".5", "9.5", "1e1"]),
        (["10", "9.0", "nan"], ["10", "9.0", "nan"]),
        (["10", "9_0"], ["10", "9_0"]),
    ],
)
def test_numbers_of_any_kind_are_in_the_order_of_their_values(labels: list[str], expected: list[str]) -> None:
    assert in_order(labels) == expected
