"""What is missing or broken in TFRecord files, and what is said of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.search.data.sources.records.record_files import Row, find, png, refusal, row, write

pytestmark = pytest.mark.usefixtures("keras")  # TensorFlow, on the CPU


def test_a_pointer_of_git_lfs_is_no_record_file(tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n")
    assert refusal(tmp_path).endswith(
        "a.tfrecord is a pointer that Git LFS left in place of the file: run git lfs pull"
    )


def test_find_refuses_when_a_record_is_damaged(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), 1)])
    data = file.read_bytes()
    file.write_bytes(data[:-60] + b"\0\0\0\0" + data[-56:])
    assert refusal(tmp_path).startswith(f"{file}: record 1 is corrupt or cut off (corrupted record at ")


@pytest.mark.parametrize("n_left", [5, 11, 14, 60])
def test_find_refuses_when_a_file_is_cut_off(tmp_path: Path, n_left: int) -> None:
    first = len(write(tmp_path / "a.tfrecord", [row(png(0), 0)]).read_bytes())
    file = write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), 1)])
    file.write_bytes(file.read_bytes()[: first + n_left])
    assert re.match(re.escape(f"{file}: record 1 is ") + "(corrupt or )?cut off", refusal(tmp_path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "are all empty: write them again"),
        (b"This is some text, and nothing else.", "a.tfrecord: record 0 is corrupt or cut off"),
    ],
)
def test_find_refuses_when_a_file_has_no_records(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "a.tfrecord").write_bytes(content)
    assert expected in refusal(tmp_path)


def test_find_refuses_when_a_record_is_no_example(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        writer.write(b"\xff\xff\xff")
    assert (
        refusal(tmp_path) == f"{tmp_path}/a.tfrecord[0] is no tf.train.Example: other kinds of records cannot be read"
    )


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (
            {"image": png(1), "image/class/label": 1},
            "data.image_key: {}[1] has no 'image/encoded'. Its features: image, ",
        ),
        ({"image/encoded": png(1)}, "data.label_key: {}[1] has neither 'image/class/label' nor 'image/class/text'"),
        ({**row(png(1), 1), "image/encoded": [b"a", b"b"]}, "data.image_key: {}[1] has 2 values of 'image/encoded'"),
        ({**row(png(1)), "image/class/label": b"1"}, "data.label_key: {}[1] has a bytes_list as 'image/class/label'"),
        (row(png(1), 0, "b"), "{}[1]: class 0 is 'b' here and 'a' in an earlier record"),
        (row(png(1), None, "b"), ""),
    ],
)
def test_find_names_the_record_and_the_key_when_a_record_does_not_fit(
    tmp_path: Path, second: Row, expected: str
) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0, "a"), second])
    if expected:
        assert refusal(tmp_path).startswith(expected.format(tmp_path / "a.tfrecord"))
    else:
        assert len(find(tmp_path)) == 2


def test_find_refuses_when_some_classes_are_numbers_and_others_texts(tmp_path: Path) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), None, "b")])
    assert refusal(tmp_path).startswith(f"{tmp_path}/a.tfrecord[0]: has its class as a number, and others have theirs")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("0:a\n", "a.tfrecord[1]: its class is 1, and labels.txt names no such class: add it there"),
        ("0:a\n1:a\n", "labels.txt: has a number or a name twice"),
        ("0:a\n0:b\n", "labels.txt: has a number or a name twice"),
        (b"\xff\xfe\xff", "labels.txt: cannot be read as UTF-8 text"),
        ("0:ä\n".encode("utf-16"), "labels.txt: cannot be read as UTF-8 text ("),
    ],
)
def test_find_refuses_when_the_file_of_labels_does_not_fit(tmp_path: Path, labels: str | bytes, expected: str) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), 1)])
    (tmp_path / "labels.txt").write_bytes(labels if isinstance(labels, bytes) else labels.encode())
    assert refusal(tmp_path).startswith(f"{tmp_path}/{expected}")


def test_find_refuses_when_there_are_several_files_of_labels(tmp_path: Path) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0)])
    for name in ("labels.txt", "label.labels.txt"):
        (tmp_path / name).write_text("a\n")
    assert "(label.labels.txt, labels.txt): leave one" in refusal(tmp_path)


def test_find_names_the_files_that_are_missing_from_a_numbered_set(tmp_path: Path) -> None:
    for number in (0, 2):
        write(tmp_path / f"train-{number:05}-of-00004.tfrecord", [row(png(number), 0)])
    message = refusal(tmp_path)
    assert "2 files of a numbered set are not there" in message
    assert message.endswith("  train-00001-of-00004.tfrecord\n  train-00003-of-00004.tfrecord")
    assert len(find(tmp_path / "train-*")) == 2  # a pattern says that this is meant


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("nowhere", "data.path: there is no folder '{}/nowhere'"),
        ("none-*.tfrecord", "data.path: no file fits the pattern '{}/none-*.tfrecord'"),
        ("", "data.path: {} has no TFRecord files: "),
    ],
)
def test_find_refuses_when_no_file_is_meant(tmp_path: Path, path: str, expected: str) -> None:
    (tmp_path / "readme.md").touch()
    message = refusal(tmp_path / path)
    assert message.startswith(expected.format(tmp_path))
    assert path or "readme.md" in message


def test_find_says_what_to_install_when_tensorflow_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.tfrecord", [row(png(0), 0)])
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert refusal(tmp_path).endswith("TensorFlow, which is not installed: pip install tensorflow")


def test_an_image_is_unreadable_when_its_file_has_become_shorter(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tfrecord", [row(png(0), 0)])
    (read,) = find(tmp_path).content
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(OSError, match="shorter"):
        read()
