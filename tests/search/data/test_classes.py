"""The classes that a spec names, and white space around names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.data.pictures import pictures, source
from tests.search.data.sources.test_table import table
from tunefront.search.data.cache import prepare
from tunefront.search.data.classes import with_classes
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.table import TableSource


def test_white_space_around_names_of_folders_and_classes_is_none(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", classes=("a", "b"))
    pictures(tmp_path / "images", n_per_class=5, classes=("a ",), seed=77)
    for classes in ([], ["a", "b"], [" a", "b "]):
        found = with_classes(source(folder, classes=classes).find(), classes)
        assert (list(found.class_names), found.labels.tolist().count(0), len(found)) == (["a", "b"], 15, 25)
    found = with_classes(source(folder, classes=[" b ", "a"]).find(), [" b ", "a"])
    assert (list(found.class_names), found.labels.tolist().count(0)) == (["b", "a"], 10)


def test_a_folder_with_white_space_alone_is_its_class(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "images", classes=("a ", "b"))
    assert prepare(source(folder, classes=["a", "b"]), seed=1).class_names == ("a", "b")


def test_classes_named_twice_but_for_white_space_are_refused(tmp_path: Path) -> None:
    examples = source(pictures(tmp_path / "images")).find()
    with pytest.raises(DataError, match="data.classes: names 'cat' twice, but for white space: leave one of them out"):
        with_classes(examples, ["cat", "dog", "cat "])


def test_white_space_around_labels_of_a_table_and_classes_is_none(tmp_path: Path) -> None:
    path = table(tmp_path / "a", row="{n}.png, {label} ")
    classes = [" whale ", "dolphin"]
    found = with_classes(TableSource(source="table", path=str(path), classes=classes).find(), classes)
    assert (list(found.class_names), found.labels.tolist()) == (["whale", "dolphin"], [0, 1] * 10)
