"""TFRecord files that are compressed."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.search.data.sources.records.record_files import find, png, prepared, refusal, row, serialized, write
from tunefront.search.data.cache_folder import cache_folder

pytestmark = pytest.mark.usefixtures("keras")  # TensorFlow, on the CPU


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
