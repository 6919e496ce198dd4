"""TFRecord files as examples: their classes, splits and names."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.search.data.sources.records.record_files import find, images_of, png, refusal, row, write
from tunefront.search.data.sources.tfrecords import EncodedRecord

pytestmark = pytest.mark.usefixtures("keras")  # TensorFlow, on the CPU


def test_find_gives_every_image_with_its_class_name_and_place(any_folder: Path) -> None:
    write(any_folder / "birds.tfrecord-00000-of-00002", [row(png(0), 1, "owl"), row(png(1), 0, "crow")])
    write(any_folder / "birds.tfrecord-00001-of-00002", [row(png(2), 1, "owl")])
    examples = find(any_folder)
    assert images_of(examples) == [png(0), png(1), png(2)]
    assert examples.labels.tolist() == [1, 0, 1]
    assert examples.labels.dtype == np.int64
    assert examples.class_names == ["crow", "owl"]
    assert examples.names[1:] == [
        f"{any_folder}/birds.tfrecord-00000-of-00002[1]",
        f"{any_folder}/birds.tfrecord-00001-of-00002[0]",
    ]
    assert examples.splits is None


def test_an_image_is_read_without_tensorflow_when_its_reader_was_pickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), 1)])
    pickled = pickle.dumps(find(tmp_path).content[1])
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    read = pickle.loads(pickled)
    assert isinstance(read, EncodedRecord)
    assert read() == png(1)


def test_a_stamp_is_another_one_when_the_record_or_the_file_is(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), 1)])
    before = [read.stamp() for read in find(tmp_path).content]  # type: ignore[union-attr]
    assert len(set(before)) == 2
    assert [read.stamp() for read in find(tmp_path).content] == before  # type: ignore[union-attr]
    write(file, [row(png(0), 0), row(png(1), 1), row(png(2), 1)])
    assert not {read.stamp() for read in find(tmp_path).content} & set(before)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("classes", "class_names", "labels"),
    [
        ([(1, None), (2, None), (1, None)], ["1", "2"], [0, 1, 0]),  # numbers may start at 1
        ([(10, None), (9, None)], ["9", "10"], [1, 0]),  # in the order of numbers
        ([(5, "a"), (3, "b"), (5, "a")], ["b", "a"], [1, 0, 1]),  # in the order of their numbers
        ([(5, ""), (3, "")], ["3", "5"], [1, 0]),
        ([(None, "b"), (None, "a")], ["a", "b"], [1, 0]),
        ([(7, "b"), (None, "a"), (None, "b")], ["a", "b"], [1, 0, 1]),
        ([(135, "crane"), (518, "crane"), (0, "bus")], ["bus", "crane 135", "crane 518"], [1, 2, 0]),
        ([(None, "ä\u4e2d"), (None, "a")], ["a", "ä\u4e2d"], [1, 0]),
    ],
)
def test_classes_come_from_numbers_and_texts(
    tmp_path: Path, classes: list[tuple[int | None, str | None]], class_names: list[str], labels: list[int]
) -> None:
    write(tmp_path / "a.tfrecord", [row(png(i), *found) for i, found in enumerate(classes)])
    examples = find(tmp_path)
    assert (list(examples.class_names), examples.labels.tolist()) == (class_names, labels)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "0:background\n1:a b\n2:c:d\n3:never\n"),
        ("label.labels.txt", "background\na b\nc:d\nnever\n"),
    ],
)
def test_class_names_come_from_a_file_of_labels_when_there_is_one(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    write(tmp_path / "a.tfrecord", [row(png(0), 2, "ignored"), row(png(1), 1)])
    examples = find(tmp_path)
    assert (list(examples.class_names), examples.labels.tolist()) == (["a b", "c:d"], [1, 0])


def test_white_space_around_texts_is_none(tmp_path: Path) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0, "c0"), row(png(1), 0, "c0 "), row(png(2), 1, " c1")])
    assert find(tmp_path).class_names == ["c0", "c1"]
    write(tmp_path / "a.tfrecord", [row(png(0), 0, "crane"), row(png(1), 1, "crane ")])
    assert find(tmp_path).class_names == ["crane 0", "crane 1"]
    write(tmp_path / "a.tfrecord", [row(png(0), None, "b"), row(png(1), None, " ")])
    assert "and so no class" in refusal(tmp_path)


def test_a_pattern_or_a_file_chooses_files(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path / f"part{number}.bin", [row(png(number), number)])
    (tmp_path / "other.bin").write_text("no record")
    assert len(find(tmp_path / "part*.bin")) == 2
    assert images_of(find(tmp_path / "part1.bin")) == [png(1)]


def test_other_keys_are_read_when_a_spec_names_them(tmp_path: Path) -> None:
    write(tmp_path / "tfds.tfrecord", [{"image": png(0), "label": 1}, {"image": png(1), "label": 0}])
    examples = find(tmp_path, image_key="image", label_key="label")
    assert (images_of(examples), examples.labels.tolist()) == ([png(0), png(1)], [1, 0])
