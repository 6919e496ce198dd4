"""CSV files of numbers and categories, one example a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from pydantic import ValidationError

from tests.example_data import write_students
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.columns import ColumnsSource

PETS = """id,kind,weight,legs,note,result
1,cat,4.5,4,a,home
2,dog,12,4,b,home
3,cat,,4,c,shelter
4,bird,0.1,2,d,shelter
5,?,30,4,e,home
6,dog,9.25,3,f,shelter
"""
SQUARES = "\n".join(["a,y", *(f"{n * n},{n % 2}" for n in range(30))])


def source(folder: Path, text: str = PETS, **settings: Any) -> ColumnsSource:
    """Return the source of a CSV file with this text."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pets.csv"
    path.write_text(text, encoding="utf-8")
    return ColumnsSource.model_validate({"source": "columns", "path": str(path), **settings})


def refused(folder: Path, text: str = PETS, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        prepare(source(folder, text, **settings), seed=1)
    return str(caught.value)


def given(folder: Path, rows: list[str], **settings: Any) -> Dataset:
    """Prepare rows of ``split,kind,size,y``."""
    return prepare(source(folder, "\n".join(["split,kind,size,y", *rows]), split_column="split", **settings), seed=1)


def test_kinds_and_target_are_guessed_and_said(any_folder: Path) -> None:
    found = source(any_folder, missing="fill").find()
    assert [(column.name, column.kind, column.vocabulary, column.n_missing) for column in found.columns] == [
        ("weight", "number", (), 1),
        ("legs", "number", (), 0),
        ("kind", "category", ("bird", "cat", "dog"), 1),
    ]
    expected = [[4.5, 4, 2], [12, 4, 3], [np.nan, 4, 2], [0.1, 2, 1], [30, 4, 0], [9.25, 3, 3]]
    np.testing.assert_array_equal(np.asarray(found.content), np.array(expected, np.float32))
    assert (list(found.class_names), found.labels.tolist()) == (["home", "shelter"], [0, 0, 1, 1, 0, 1])
    assert dict(found.notes) == {
        "rows have their class in the column 'result', the last one: name another with target = ...": 6,
        "columns hold numbers: weight, legs": 2,
        "column holds categories: kind": 1,
        "column was left out, counting rows: id": 1,
        "column was left out, with another text in each row: note": 1,
        'cells have no value, and are filled in (missing = "fill"): weight (1), kind (1)': 2,
    }


@pytest.mark.parametrize(
    ("header", "settings", "expected"),
    [
        ("a,Target,b", {}, "Target"),
        ("y,a,b", {}, "y"),
        ("y,a,label", {}, "label"),  # two usual names: the last column
        ("y,a,b", {"ignore": ["y"]}, "b"),
        ("a,b,c", {"target": "a"}, "a"),
    ],
)
def test_the_target_is_the_named_or_usual_or_last_column(
    tmp_path: Path, header: str, settings: dict[str, Any], expected: str
) -> None:
    names = header.split(",")
    text = "\n".join([header, *(",".join(f"{name}{row % 2}" for name in names) for row in range(6))])
    assert list(source(tmp_path, text, **settings).find().class_names) == [f"{expected}0", f"{expected}1"]


def test_kinds_can_be_named(tmp_path: Path) -> None:
    settings = {"numbers": ["id"], "categories": ["legs"], "ignore": ["weight"], "missing": "fill"}
    found = source(tmp_path, **settings).find()
    assert [(column.name, column.vocabulary) for column in found.columns] == [
        ("id", ()),
        ("kind", ("bird", "cat", "dog")),
        ("legs", ("2", "3", "4")),
    ]


VARIANTS = {
    "an index as pandas writes it": (",kind,weight,y", "{n},{kind},{n}.5,{y}", {}),
    "no header": ("cat,0.5,no", "{kind},{n}.5,{y}", {}),
    "semicolons": ("kind;weight;y", "{kind};{n}.5;{y}", {"separator": ";"}),
    "tabs": ("kind\tweight\ty", "{kind}\t{n}.5\t{y}", {"separator": "\t"}),
    "white space": (" kind , weight,y", " {kind} ,  {n}.5 ,{y}", {}),
    "a header of numbers, and a target by name": ("2019,2020,y", "{kind},{n}.5,{y}", {"target": "y"}),
}


@pytest.mark.parametrize("written", VARIANTS)
def test_a_table_is_read_as_people_write_it(tmp_path: Path, written: str) -> None:
    header, row, settings = VARIANTS[written]
    first = 1 if written == "no header" else 0
    kinds = ["cat", "dog", "cat", "bird"]
    lines = [row.format(n=n, kind=kinds[n % 4], y=("no", "yes")[n % 3 == 0]) for n in range(first, 9)]
    found = source(tmp_path, "\n".join([header, *lines]), **settings).find()
    assert [column.kind for column in found.columns] == ["number", "category"]
    np.testing.assert_array_equal(np.asarray(found.content)[:, 0], np.arange(9) + 0.5)
    assert [found.columns[1].vocabulary[int(code) - 1] for code in np.asarray(found.content)[:5, 1]] == [*kinds, "cat"]
    assert found.labels.tolist()[1:] == [int(n % 3 == 0) for n in range(1, 9)]


def test_what_is_missing_is_what_pandas_reads_as_missing(tmp_path: Path) -> None:
    cells = ["", "NA", "NaN", "nan", "null", "NULL", "None", "n/a", "N/A", "<NA>", "#N/A", "1", "2.5", "-3e2"]
    text = "\n".join(["size,y", *(f'"{cell}",{"ab"[place % 2]}' for place, cell in enumerate(cells))])
    found = source(tmp_path, text, missing="fill").find()
    expected = pandas.read_csv(tmp_path / "pets.csv")["size"].to_numpy(np.float32)
    np.testing.assert_array_equal(np.asarray(found.content)[:, 0], expected)
    assert found.columns[0].n_missing == 11


def test_numbers_are_predicted_with_regression(tmp_path: Path) -> None:
    found = source(
        tmp_path, task="regression", target="weight", ignore=["note"], missing="fill", text=PETS.replace(",,", ",7,")
    ).find()
    assert found.labels.dtype == np.float32
    np.testing.assert_array_equal(found.labels, np.array([4.5, 12, 7, 0.1, 30, 9.25], np.float32))
    assert list(found.class_names) == []


def test_categories_are_those_of_the_training_split(tmp_path: Path) -> None:
    rows = ["train,b,9,no", "train,d,2,yes", "train,b,3,no", "validation,a,4,no", "validation,d,5,yes", "test,c,6,yes"]
    dataset = given(tmp_path, [*rows, "test,b,7,no"])
    assert [(column.name, column.vocabulary) for column in dataset.columns] == [("size", ()), ("kind", ("b", "d"))]
    codes = {name: dataset.split(name).images[:, 1].tolist() for name in ("train", "validation", "test")}
    assert codes == {"train": [1, 2, 1], "validation": [0, 2], "test": [0, 1]}
    what = "cells of validation or test have a category that no training example has, and count as unknown: kind (2)"
    assert dataset.notes[what] == 2


def test_a_category_of_the_validation_fold_alone_is_unknown_there(tmp_path: Path) -> None:
    write_students(tmp_path / "students.csv", 60)
    text = (tmp_path / "students.csv").read_text().replace("\nMS,", "\nRare,", 1)
    dataset = prepare(source(tmp_path, text, missing="fill", folds=4, test_fraction=0.0), seed=1)
    place = [column.name for column in dataset.columns].index("school")
    assert "Rare" in dataset.columns[place].vocabulary
    holders = [fold for fold in range(4) if "Rare" not in dataset.columns_in(fold)[place].vocabulary]
    assert len(holders) == 1
    for fold in range(4):
        known = dataset.columns_in(fold)[place].vocabulary
        train, validation = (dataset.split(name, fold).images[:, place] for name in ("train", "validation"))
        assert sorted(set(train.tolist())) == list(range(1, len(known) + 1))
        assert (0 in validation) == (fold in holders)


def test_other_categories_are_another_dataset(tmp_path: Path) -> None:
    rows = ["train,b,1,no", "train,d,2,yes", "validation,d,5,yes", "validation,b,5,no", "test,b,7,no", "test,b,6,yes"]
    first = given(tmp_path, rows)
    assert given(tmp_path, rows).fingerprint == first.fingerprint
    renamed = given(tmp_path, [row.replace(",b,", ",bee,") for row in rows])
    assert np.array_equal(renamed.split("train").images, first.split("train").images)
    assert renamed.fingerprint != first.fingerprint
    assert Dataset.read(Path(renamed.folder)).columns[1].vocabulary == ("bee", "d")


def test_equal_rows_are_examples_of_their_own_unless_they_are_said_to_be_copies(tmp_path: Path) -> None:
    text = "\n".join(["a,b,y", *(f"{n % 5},{'uvwxz'[n % 5]},{'no' if n % 5 < 3 else 'yes'}" for n in range(50))])
    apart = prepare(source(tmp_path, text), seed=1)
    together = prepare(source(tmp_path, text, equal_rows="together", rare_classes="train"), seed=1)
    assert (apart.n_train, apart.n_validation, apart.n_test) == (30, 10, 10)
    contents = [
        {tuple(row) for row in together.split(name).images.tolist()} for name in ("train", "validation", "test")
    ]
    assert not contents[0] & contents[1]
    assert not contents[0] & contents[2]
    assert apart.notes["examples have the same values as another one, and count as examples of their own"] == 45


@pytest.mark.parametrize(
    ("text", "settings", "fragments"),
    [
        (PETS, {}, ["without a value", "weight: 1", "kind: 1", 'missing = "fill"']),
        (PETS, {"target": "reslt"}, ["data.target", "no column 'reslt'", "Did you mean 'result'?"]),
        (PETS, {"ignore": ["iid"]}, ["data.ignore", "'iid'", "'id'"]),
        (PETS, {"numbers": ["kind"]}, ["data.numbers", "'kind'", "line 2: 'cat'"]),
        (PETS.replace("shelter", "home"), {}, ["data.target", "'home'", "nothing to predict"]),
        (PETS.replace("4,b,home", "4,b,"), {}, ["data.target", "1 rows", "line 3"]),
        (PETS, {"target": "weight"}, ["data.target", "line 4"]),
        ("a,y\n1,0.5\n2,0.7\n3,1.5\n", {}, ["data.target", "0.7", 'task = "regression"']),
        (PETS, {"task": "regression"}, ["data.target", "no numbers", "line 2: 'home'"]),
        ("a,b,y\n1,,p\n1,,q\n1,,p\n", {}, ["no column to predict from"]),
        ("a/b,c,y\n1.5,u,p\n2,v,q\n5,u,p\n", {}, ["'a/b'", "slashes", 'ignore = ["a/b"]']),
        ("a,a,y\n1.5,u,p\n2,v,q\n5,u,p\n", {}, ["two columns are called 'a'"]),
        ("a;y\n1;p\n2;q\n", {}, ["one column", 'separator = ";" in [data]']),
        (SQUARES.replace("49,", "x,"), {}, ["'a'", "29 numbers", "line 9: 'x'", 'categories = ["a"]']),
        ("\n".join(["a,y", *(f"w{n % 1001},{n % 2}" for n in range(1500))]), {}, ["'a'", "1,001", 'ignore = ["a"]']),
        ("a,y\n1e39,p\n2,q\n3,p\n", {"numbers": ["a"]}, ["data.numbers", "line 2: '1e39'"]),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_remedy(
    tmp_path: Path, text: str, settings: dict[str, Any], fragments: list[str]
) -> None:
    message = refused(tmp_path, text, **settings)
    for fragment in fragments:
        assert fragment in message


def test_a_column_has_one_use(tmp_path: Path) -> None:
    for settings in ({"ignore": ["kind"], "categories": ["kind"]}, {"target": "kind", "ignore": ["kind"]}):
        with pytest.raises(ValidationError, match="the column 'kind' has one use"):
            source(tmp_path, **settings)
