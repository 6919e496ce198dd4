"""TFRecord files as examples: their classes, splits and names, and what is broken in them."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from tunefront.search.data.cache import prepare
from tunefront.search.data.cache_folder import cache_folder
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError, Examples
from tunefront.search.data.sources import DataTable
from tunefront.search.data.sources.tfrecords import EncodedRecord

pytestmark = pytest.mark.usefixtures("keras")  # TensorFlow, on the CPU

Row = dict[str, int | bytes | list[bytes]]


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def row(image: bytes, label: int | None = None, text: str | None = None) -> Row:
    found: Row = {"image/encoded": image, "image/format": b"png"}
    if label is not None:
        found["image/class/label"] = label
    if text is not None:
        found["image/class/text"] = text.encode()
    return found


def serialized(values: Row) -> bytes:
    import tensorflow as tf

    features = {}
    for key, value in values.items():
        if isinstance(value, int):
            features[key] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            texts = value if isinstance(value, list) else [value]
            features[key] = tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
    data: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return data


def write(path: Path, rows: Sequence[Row]) -> Path:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for values in rows:
            writer.write(serialized(values))
    return path


def prepared(path: Path) -> Dataset:
    return prepare(TypeAdapter(DataTable).validate_python({"source": "tfrecords", "path": str(path)}), seed=1)


def find(path: Path | str, **keys: Any) -> Examples:
    return TypeAdapter(DataTable).validate_python({"source": "tfrecords", "path": str(path), **keys}).find()


def images_of(examples: Examples) -> list[bytes]:
    return [read() for read in examples.content]


# What is found


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


def test_a_pointer_of_git_lfs_is_no_record_file(tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n")
    assert refusal(tmp_path).endswith(
        "a.tfrecord is a pointer that Git LFS left in place of the file: run git lfs pull"
    )


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


# What is missing or broken


def refusal(path: Path | str, **keys: Any) -> str:
    with pytest.raises(DataError) as raised:
        find(path, **keys)
    return str(raised.value)


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


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, "members"], ids=["gzip", "zlib", "gzip members"])
def test_compressed_files_are_read_as_plain_ones_are(tmp_path: Path, pack: Any) -> None:
    rows = [row(png(number), number % 2) for number in range(20)]
    (tmp_path / "plain").mkdir()
    plain = write(tmp_path / "plain" / "a.tfrecord", rows)
    packed = tmp_path / "packed" / "a.tfrecord.gz"
    packed.parent.mkdir()
    data = plain.read_bytes()
    packed.write_bytes(
        b"".join(gzip.compress(part) for part in (data[:777], data[777:])) if pack == "members" else pack(data)
    )
    expected, found = find(plain.parent), find(packed.parent)
    assert [read() for read in found.content] == [read() for read in expected.content]
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.names[3] == f"{packed}[3]"
    assert prepared(packed.parent).fingerprint == prepared(plain.parent).fingerprint


def test_files_that_tensorflow_compressed_are_read(tmp_path: Path) -> None:
    import tensorflow as tf

    plain = write(tmp_path / "a.tfrecord", [row(png(number), number % 2) for number in range(4)])
    records = list(tf.compat.v1.io.tf_record_iterator(str(plain)))
    for kind in ("GZIP", "ZLIB"):
        (tmp_path / kind).mkdir()
        with tf.io.TFRecordWriter(str(tmp_path / kind / "a.tfrecord"), options=kind) as writer:
            for record in records:
                writer.write(record)
        assert [read() for read in find(tmp_path / kind).content] == [png(number) for number in range(4)]


def test_a_compressed_file_is_unpacked_once_and_again_when_it_changes(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tfrecord", [row(png(0), 0), row(png(1), 1)])
    file.write_bytes(gzip.compress(file.read_bytes()))
    find(tmp_path)
    (copy,) = (cache_folder() / "records").iterdir()
    before = copy.stat().st_ino
    find(tmp_path)
    assert [path.stat().st_ino for path in (cache_folder() / "records").iterdir()] == [before]
    file = write(tmp_path / "a.tfrecord", [row(png(2), 0), row(png(3), 1)])
    file.write_bytes(gzip.compress(file.read_bytes()))
    assert [read() for read in find(tmp_path).content] == [png(2), png(3)]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize(("damage", "expected"), [("cut", "is cut off"), ("flip", "is corrupt")])
def test_damaged_compressed_files_are_refused_with_their_name(
    tmp_path: Path, pack: Any, damage: str, expected: str
) -> None:
    file = write(tmp_path / "a.tfrecord", [row(png(number), 0) for number in range(50)])
    data = bytearray(pack(file.read_bytes()))
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[-3] ^= 255  # part of the checksum at the end
    file.write_bytes(data)
    message = refusal(tmp_path)
    assert message.startswith(f"{file}: its compressed data {expected}")
    assert list((cache_folder() / "records").iterdir()) == []


@pytest.mark.parametrize("n_bytes", [0x8B1F, 0x9C78, 0xDA78, 0x0178])
def test_plain_files_whose_first_length_looks_like_compression_are_read(tmp_path: Path, n_bytes: int) -> None:
    import tensorflow as tf

    example = {**row(png(0), 0), "padding": b""}
    n_least = len(serialized(example))
    records = [serialized({**example, "padding": bytes(n_bytes - n_least - n_more)}) for n_more in range(16)]
    record = next(record for record in records if len(record) == n_bytes)
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        writer.write(record)
    assert len(find(tmp_path)) == 1


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
