"""Labels that are numbers to predict, of every source that has them, and what is refused by file, key and row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from tunefront.search.data.examples import DataError
from tunefront.search.data.sources import DataTable
from tunefront.search.data.sources.arrays import examples_of_arrays
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.data.sources.own import OwnSource
from tunefront.search.data.sources.table import TableSource

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)
LABELS = [1.5, -2.0, 0.25, 7.0]


def arrays(labels: Any, **options: Any) -> Any:
    return examples_of_arrays("mine", [(None, "values", VALUES, labels)], task="regression", **options)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        np.array(LABELS)[:, np.newaxis],
        np.array([1, -2, 0, 7]),
        np.array(LABELS, dtype=object),
        np.array([str(number) for number in LABELS]),
    ],
    ids=["list", "column", "whole numbers", "objects", "texts of numbers"],
)
def test_numbers_become_float32_without_classes(labels: Any) -> None:
    found = arrays(labels)
    assert found.labels.dtype == np.float32
    assert found.labels.tolist() == np.asarray(labels, dtype=float).reshape(-1).tolist()
    assert (list(found.class_names), found.splits) == ([], None)


@pytest.mark.parametrize(
    ("labels", "fragments"),
    [
        ([1.0, float("nan"), 2.0, 3.0], ["mine: values", "label 1: nan", "1 labels are no finite numbers"]),
        ([1.0, 2.0, float("inf"), 3.0], ["label 2: inf"]),
        ([1.0, 2.0, 3.0, 1e39], ["label 3: 1e+39"]),  # infinite as float32
        (["1", "2", "three", "4"], ["label 2: 'three'", 'task = "classification"']),
        (["1", "2,5", "3", "4"], ["label 1: '2,5'", "no comma"]),
        (np.array([1.0, None, 2.0, 3.0], dtype=object), ["label 1: None"]),
        ([True, False, True, True], ["true or false", 'task = "classification"']),
        (np.array([1, True, 2, 3], dtype=object), ["label 1: True"]),
        ([1.0, 2.0, 3.0], ["4 values and 3 labels"]),
        (np.eye(4), ["shape (4, 4)", "one number"]),
        (16777216 + np.arange(4) * 0.3, ["float32", "subtract a constant"]),
    ],
)
def test_labels_that_are_no_numbers_are_named(labels: Any, fragments: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        arrays(labels)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_class_names_beside_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="class_names name classes"):
        arrays(LABELS, class_names=["a", "b"])


def test_numbers_where_classes_are_wanted_are_told_of_the_task() -> None:
    with pytest.raises(DataError, match='task = "regression"'):
        examples_of_arrays("mine", [(None, "values", VALUES, LABELS)])


def test_npz_and_own_read_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x_train=VALUES, y_train=LABELS, x_test=VALUES[:2], y_test=[3.5, 4.5])
    found = NpzSource(source="npz", path=str(tmp_path / "mine.npz"), task="regression").find()
    assert found.labels.tolist() == [*LABELS, 3.5, 4.5]
    assert found.splits == ["train"] * 4 + ["test"] * 2
    (tmp_path / "mine.py").write_text("import numpy as np\ndef load():\n    return np.eye(3), [0.5, 1.5, 2.5]\n")
    own = OwnSource(source="own", object=f"{tmp_path / 'mine.py'}:load", task="regression").find()
    assert (own.labels.dtype, own.labels.tolist()) == (np.float32, [0.5, 1.5, 2.5])


def table(folder: Path, text: str, **keys: Any) -> TableSource:
    for number in range(4):
        Image.new("L", (4, 4), number * 40).save(folder / f"{number}.png")
    (folder / "mine.csv").write_text(text)
    return TableSource(source="table", path=str(folder / "mine.csv"), task="regression", **keys)


def test_a_table_has_a_number_for_each_image(tmp_path: Path) -> None:
    source = table(tmp_path, "file,age\n0.png,41.5\n1.png, 7\n\n2.png,-3e1\n3.png,0\n")
    found = source.find()
    assert (found.labels.dtype, found.labels.tolist()) == (np.float32, [41.5, 7.0, -30.0, 0.0])


@pytest.mark.parametrize(
    ("text", "keys", "fragments"),
    [
        ("file,age\n0.png,41\n1.png,old\n2.png,\n3.png,0\n", {}, ["'age'", "line 3: 'old'", "line 4: ''"]),
        ("file,age\n0.png,41\n1.png,nan\n2.png,1\n3.png,0\n", {}, ["line 3: 'nan'"]),
        (
            "file,age,day\n0.png,1,1\n1.png,2,3\n2.png,3,3\n",
            {"split": "time", "time_column": "day"},
            ["line 4: 3 after 3"],
        ),
        (
            "file,age,day\n0.png,1,2024-02-01\n1.png,2,2024-01-31\n2.png,3,2024-03-01\n",
            {"split": "time", "time_column": "day"},
            ["data.time_column", "line 3: 2024-01-31 after 2024-02-01", "sort the rows"],
        ),
        (
            "file,age,day\n0.png,1,2024-02-01\n1.png,2,31.03.2024\n2.png,3,2024-04-01\n",
            {"split": "time", "time_column": "day"},
            ["no time", "line 3: '31.03.2024'"],
        ),
        (
            "file,age,day\n0.png,1,2024-02-01\n1.png,2,5\n2.png,3,2024-04-01\n",
            {"split": "time", "time_column": "day"},
            ["no time", "times of different kinds"],
        ),
        (
            "file,age,day\n0.png,1,1\n1.png,2,3\n",
            {"split": "time", "time_column": "date"},
            ["data.time_column", "'day'"],
        ),
    ],
)
def test_rows_of_a_table_that_are_no_numbers_or_out_of_time_are_named(
    tmp_path: Path, text: str, keys: dict[str, Any], fragments: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path, text, label_column="age", **keys).find()
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    "times", [["9", "10", "11.5", "1e2"], ["2024-01-31", "2024-01-31 09:30", "2024-02-01", "2025-01-01"]]
)
def test_times_are_compared_as_numbers_or_as_dates(tmp_path: Path, times: list[str]) -> None:
    rows = "".join(f"{number}.png,{number},{time}\n" for number, time in enumerate(times))
    found = table(tmp_path, f"file,age,day\n{rows}", split="time", time_column="day").find()
    assert found.labels.tolist() == [0, 1, 2, 3]  # the number is in the column that is left


@pytest.mark.parametrize(
    ("data", "fragments"),
    [
        ({"source": "digits", "task": "regression"}, ["own", "npz", "table"]),
        ({"source": "folder", "path": "p", "task": "regression"}, ['source = "folder"', "classes"]),
        ({"source": "tfrecords", "path": "p", "task": "regression"}, ['source = "tfrecords"']),
        ({"source": "npz", "path": "p", "task": "regression", "classes": ["a", "b"]}, ["classes", "leave it out"]),
        ({"source": "npz", "path": "p", "task": "regression", "positive_class": "a"}, ["positive_class"]),
        ({"source": "npz", "path": "p", "task": "regression", "rare_classes": "drop"}, ["rare_classes"]),
        ({"source": "digits", "split": "time"}, ["order of time", "npz"]),
        ({"source": "npz", "path": "p", "gap": 3}, ["gap = 3", 'split = "time"']),
        ({"source": "table", "path": "p", "time_column": "day"}, ["time_column", 'split = "time"']),
        ({"source": "table", "path": "p", "split": "time", "group_column": "g"}, ["group_column", "leave one"]),
        ({"source": "table", "path": "p", "task": "regression", "label_column": ["a", "b"]}, ["label_column"]),
    ],
)
def test_keys_that_do_not_fit_the_task_or_the_order_are_named(data: dict[str, Any], fragments: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(DataTable).validate_python(data)
    for fragment in fragments:
        assert fragment in str(caught.value)
