"""First specs for CSV files: of columns, and of image files with several columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.example_data import write_students
from tunefront.mistakes import TunefrontError
from tunefront.search.preparation.first_spec import Purpose, first_spec
from tunefront.search.preparation.found_data import Looked, look
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec

HOUSES = ["town;rooms;area;price", *(f"{'ABC'[n % 3]};{n % 4};{n * 2.5};{n * 1000}.5" for n in range(12))]


def table(folder: Path, lines: list[str], name: str = "table.csv") -> str:
    (folder / name).write_text("\n".join(lines) + "\n")
    return str(folder / name)


def written(folder: Path, found: Looked, purpose: Purpose = "training") -> tuple[StudySpec, dict[str, Any]]:
    """Return the spec and what its [data] says beyond the defaults."""
    path = folder / "study.toml"
    path.write_text(first_spec(found, purpose))
    spec = read_spec(path)
    return spec, spec.data.model_dump(exclude_defaults=True)


def photos(folder: Path, lines: list[str]) -> str:
    """Write a table whose first column names photos, and the photos."""
    for line in lines[1:]:
        Image.new("RGB", (50, 40)).save(folder / line.partition(",")[0])
    return table(folder, lines)


def test_columns_with_classes(tmp_path: Path) -> None:
    write_students(tmp_path / "students.csv", 40)
    found = look(str(tmp_path / "students.csv"))
    assert found.said == "the classes are in the column 'result', the last one"
    assert (found.name, found.n, sum(found.counts), found.n_train) == ("students", 40, 40, 24)
    spec, data = written(tmp_path, found)
    assert data == {
        "source": "columns",
        "path": str(tmp_path / "students.csv"),
        "target": "result",
        "missing": "fill",
    }
    assert spec.space["architecture"] == "mlp"  # type: ignore[index]
    assert "--label-column" in first_spec(found)
    micro, _ = written(tmp_path, found, "microcontroller")
    assert micro.space["mlp"]["units"] == [4, 8, 16]  # type: ignore[index]


def test_columns_with_numbers_to_predict_and_another_separator(tmp_path: Path) -> None:
    found = look(table(tmp_path, HOUSES))
    assert (found.task, found.counts, found.said) == (
        "regression",
        [],
        "the numbers to predict are in the column 'price', the last one",
    )
    spec, data = written(tmp_path, found)
    assert data == {
        "source": "columns",
        "path": str(tmp_path / "table.csv"),
        "separator": ";",
        "target": "price",
        "task": "regression",
    }
    assert spec.accuracy_measure == "rmse"


@pytest.mark.parametrize(
    ("column", "target", "task"),
    [("", "species", "classification"), ("grade", "grade", "classification"), ("weight", "weight", "regression")],
)
def test_the_target_is_the_one_of_a_usual_name_or_the_one_that_is_named(
    tmp_path: Path, column: str, target: str, task: str
) -> None:
    lines = ["weight,species,grade", *(f"{n}.5,{'ab'[n % 2]},{n % 3}" for n in range(12))]
    found = look(table(tmp_path, lines), "", column)
    spec, data = written(tmp_path, found)
    assert (data["target"], spec.data.task) == (target, task)
    assert found.said == ("" if column else "the classes are in the column 'species', the one of a usual name")


def test_whole_numbers_are_classes_unless_they_are_very_many_or_hardly_repeat(tmp_path: Path) -> None:
    few = table(tmp_path, ["a,y", *(f"{n * n},{n % 5}" for n in range(120))], "few.csv")
    many = table(tmp_path, ["a,y", *(f"{n * n},{n * 3}" for n in range(120))], "many.csv")
    once = table(tmp_path, ["a,y", *(f"{n * n},{n * 3}" for n in range(20))], "once.csv")  # no split could share them
    assert [look(path).task for path in (few, many, once)] == ["classification", "regression", "regression"]


def test_a_column_of_splits_is_no_feature_and_texts_are_left_out(tmp_path: Path) -> None:
    words = ("train", "train", "train", "val", "test")
    lines = ["size,note,split,y", *(f"{n * n},note {n // 2},{words[n % 5]},{'ab'[n // 5 % 2]}" for n in range(2100))]
    found = look(table(tmp_path, lines))
    spec, data = written(tmp_path, found)
    assert (data["split_column"], data["ignore"], found.n_train) == ("split", ["note"], 1260)
    assert [column.name for column in spec.data.find().columns] == ["size"]


def test_image_files_with_several_columns(tmp_path: Path) -> None:
    lines = ["image,patient,label", *(f"{n}.png,p{n},{'ab'[n % 2]}" for n in range(6))]
    found = look(photos(tmp_path, lines))
    assert (found.said, found.counts) == ("the classes are in the column 'label', the one of a usual name", [3, 3])
    _, data = written(tmp_path, found)
    assert (data["source"], data["label_column"]) == ("table", "label")
    lines = ["image,patient,finding", *(f"{n}.png,p{n},{'ab'[n % 2]}" for n in range(6))]
    where = photos(tmp_path, lines)
    with pytest.raises(
        TunefrontError, match=r"columns patient, finding beside the image files: .*--label-column finding"
    ):
        look(where)
    assert look(where, "", "finding").counts == [3, 3]


def test_image_files_with_a_number_to_predict(tmp_path: Path) -> None:
    lines = ["age,image", *(f"{n}.25,{n}.png" for n in range(6))]
    for n in range(6):
        Image.new("RGB", (50, 40)).save(tmp_path / f"{n}.png")
    where = table(tmp_path, lines)
    found = look(where)
    spec, data = written(tmp_path, found)
    assert (data["file_column"], data["label_column"], data["task"]) == ("image", "age", "regression")
    assert spec.accuracy_measure == "rmse"
    assert found.said == "the numbers to predict are in the column 'age', the only one beside the files"


def test_columns_that_are_not_there_and_labels_that_are_none_are_refused(tmp_path: Path) -> None:
    where = table(tmp_path, HOUSES)
    with pytest.raises(TunefrontError, match="has no column 'prize'. Did you mean 'price'?"):
        look(where, "", "prize")
    with pytest.raises(TunefrontError, match="--label-column 'price' is of a CSV file, and digits is none"):
        look("digits", "", "price")
    with pytest.raises(TunefrontError, match="fewer than two classes have three rows .*--label-column"):
        look(table(tmp_path, ["a,y", "1,x", "7,x", "2,x", "5,z"]))
