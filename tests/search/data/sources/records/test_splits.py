"""The split of each record file, by its name or its folder's, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.search.data.sources.records.record_files import find, png, prepared, refusal, row, write
from tunefront.search.data.sources.records.splits import split_of

pytestmark = pytest.mark.usefixtures("keras")  # TensorFlow, on the CPU


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train-00000-of-00001", "train"),
        ("validation-00003-of-00128", "validation"),
        ("val.tfrecord", "validation"),
        ("TEST_01.tfrec", "test"),
        ("flowers_train_00000-of-00005.tfrecord", "train"),
        ("oxford_flowers102-test.tfrecord-00000-of-00002", "test"),
        ("birds.tfrecord", None),
        ("training.tfrecord", "train"),
        ("valley-00000-of-00001", None),
    ],
)
def test_split_of_reads_the_words_of_a_name(name: str, expected: str | None) -> None:
    assert split_of(Path("records") / name, Path("records")) == expected


def test_splits_are_those_of_the_files_names(tmp_path: Path) -> None:
    for number, split in enumerate(("test", "train", "validation")):
        write(tmp_path / f"{split}-00000-of-00001", [row(png(number), 0), row(png(number + 3), 1)])
    assert find(tmp_path).splits == [*("test",) * 2, *("train",) * 2, *("validation",) * 2]


def test_there_are_no_splits_when_all_files_are_of_training(tmp_path: Path) -> None:
    write(tmp_path / "train-00000-of-00001", [row(png(0), 0), row(png(1), 1)])
    assert find(tmp_path).splits is None


def write_files(folder: Path, names: Sequence[str]) -> None:
    """Write a file of two records of two classes under each name."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, [row(png(2 * number), 0), row(png(2 * number + 1), 1)])


@pytest.mark.parametrize(
    ("names", "path", "expected"),
    [
        (["testset.tfrecord", "trainset.tfrecord"], "", ["test", "train"]),
        (["flowersTest.tfrecord", "flowersTrain.tfrecord"], "", ["test", "train"]),
        (["TestSet-1.tfrec", "TrainSet-1.tfrec"], "", ["test", "train"]),
        (["CIFARtest.tfrecord", "CIFARtrain.tfrecord"], "", ["test", "train"]),
        (["flowerstest-00000-of-00001", "flowerstrain-00000-of-00001"], "", ["test", "train"]),
        (["testdata.tfrecord", "traindata1.tfrecord", "traindata2.tfrecord"], "", ["test", "train", "train"]),
        (["contest.tfrecord", "restrain.tfrecord"], "", None),
        (["test/a.tfrecord", "train/a.tfrecord"], "", ["test", "train"]),
        (["test/a.tfrecord", "train/a.tfrecord"], "*/*.tfrecord", ["test", "train"]),
        (["x/test/a.tfrecord", "x/train/a.tfrecord"], "*/*/*.tfrecord", ["test", "train"]),
        (["TestImages/a.tfrecord", "TrainImages/a.tfrecord"], "", ["test", "train"]),
        (["train/a.tfrecord", "train/val.tfrecord"], "*/*", None),
        (["train/a.tfrecord", "train/b.tfrecord"], "train", None),
        (["train/part-val.tfrecord", "val/a.tfrecord", "train/train.tfrecord"], "", ["val", "train", "val"]),
        (["test.tfrecord"], "", None),
    ],
)
def test_splits_are_those_of_words_in_names_of_files_or_else_of_folders(
    any_folder: Path, names: list[str], path: str, expected: list[str] | None
) -> None:
    write_files(any_folder / "r", names)
    if names[-1] == "train/val.tfrecord":
        assert "and " + str(any_folder / "r/train/a.tfrecord") + " has not" in refusal(any_folder / "r" / path)
        return
    splits = find(any_folder / "r" / path).splits
    given = splits and [split.replace("validation", "val") for split in splits]
    assert given == (expected and [split for split in expected for _ in range(2)])


def test_files_of_one_name_in_folders_of_splits_are_noted_with_their_folders(tmp_path: Path) -> None:
    write_files(tmp_path / "r", ["test/a.tfrecord", "train/a.tfrecord", "train/b.tfrecord"])
    assert find(tmp_path / "r").notes == {
        "record files are the train split, by name: train/a.tfrecord to train/b.tfrecord": 2,
        "record file is the test split, by name: test/a.tfrecord": 1,
    }


@pytest.mark.parametrize("place", ["labels.txt", "test/labels.txt", "train/labels.txt"])
def test_class_names_may_lie_in_or_around_the_folders_of_splits(tmp_path: Path, place: str) -> None:
    write_files(tmp_path, ["test/a.tfrecord", "train/a.tfrecord"])
    (tmp_path / place).write_text("crow\nowl\n")
    assert find(tmp_path).class_names == ["crow", "owl"]
    (tmp_path / "train" / "more.labels.txt").write_text("crow\nowl\n")
    if place != "train/labels.txt":
        assert find(tmp_path).class_names == ["crow", "owl"]
        (tmp_path / "train" / "more.labels.txt").write_text("owl\ncrow\n")
        assert "have different files of class names: leave one" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("names", "path", "expected"),
    [
        (
            ["r/test.tfrecord", "r/validation.tfrecord"],
            "r",
            "of the record files in {}/r, such as test.tfrecord (test) and validation.tfrecord (validation), no file "
            "is for training: add those with train in their names; or rename",
        ),
        (["r/test/a.tfrecord", "r/val/a.tfrecord"], "r/*/*", "such as test/a.tfrecord (test) and val/a.tfrecord (val"),
        (["r/train/a.tfrecord", "r/extra/a.tfrecord"], "r", "and {}/r/extra/a.tfrecord has not: rename it"),
        (["r/train/a.tfrecord", "r/dev/a.tfrecord"], "r", "and {}/r/dev/a.tfrecord has not: rename it"),
        (
            ["r/a.tfrecord", "r/test/b.tfrecord"],
            "r",
            "{}/r has record files in it, such as a.tfrecord, and others in its folder test: move them together",
        ),
        (["r/one/a.tfrecord", "r/two/b.tfrecord"], "r", "for others give a pattern such as {}/r/*/*. It has:"),
        (["r/train/a-00000-of-00002.tfrecord", "r/test/a-00000-of-00001.tfrecord"], "r", "1 files of a numbered set"),
    ],
)
def test_record_files_that_would_be_pooled_or_left_out_are_refused(
    any_folder: Path, names: list[str], path: str, expected: str
) -> None:
    write_files(any_folder, names)
    message = refusal(any_folder / path)
    assert message.startswith("data.path: ")
    assert expected.replace("{}", str(any_folder)) in message


def test_which_file_is_which_split_is_noted(tmp_path: Path) -> None:
    for number in range(3):
        name = f"train-0000{number}-of-00003"
        write(tmp_path / name, [row(png(10 * number + place), place % 2) for place in range(8)])
    write(tmp_path / "testing.tfrecord", [row(png(100 + place), place % 2) for place in range(4)])
    notes = prepared(tmp_path).notes
    assert notes["record files are the train split, by name: train-00000-of-00003 to train-00002-of-00003"] == 3
    assert notes["record file is the test split, by name: testing.tfrecord"] == 1


def test_find_refuses_when_only_some_files_name_a_split(tmp_path: Path) -> None:
    for name in ("train.tfrecord", "extra.tfrecord"):
        write(tmp_path / name, [row(png(0), 0)])
    assert f"and {tmp_path}/extra.tfrecord has not" in refusal(tmp_path)
