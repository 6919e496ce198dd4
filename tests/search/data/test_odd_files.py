"""Pipes, devices, and files that state more data than they have: refused at once, before anything is read."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.data.examples import DataError
from tunefront.search.data.sources import DataTable
from tunefront.search.data.sources.source import Source
from tunefront.search.replay.recording import RecordingError, read_recording
from tunefront.search.system.regular_files import read_text_file
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.user_code.objects import load_object


def source(**table: Any) -> Source:
    from pydantic import TypeAdapter

    made: Source = TypeAdapter(DataTable).validate_python(table)
    return made


def refused(table: Source, look: Callable[[Source], object]) -> str:
    with pytest.raises(DataError) as caught:
        look(table)
    return str(caught.value)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("look", [lambda one: one.check_files(), lambda one: one.find()], ids=["check", "find"])
@pytest.mark.parametrize("kind", ["npz", "table", "tfrecords"])
def test_a_pipe_is_no_data(pipe: Path, kind: str, look: Callable[[Source], object]) -> None:
    message = refused(source(source=kind, path=str(pipe)), look)
    assert message.startswith(f"data.path: {pipe} cannot be read: it is a pipe, and no file")


def test_a_pipe_is_no_folder(pipe: Path) -> None:
    assert "is no folder" in refused(source(source="folder", path=str(pipe)), lambda one: one.check_files())


def test_a_device_is_no_data() -> None:
    message = refused(source(source="npz", path="/dev/zero"), lambda one: one.check_files())
    assert "it is a device, and no file" in message


def test_a_pipe_is_no_recording(pipe: Path) -> None:
    with pytest.raises(RecordingError, match="it is a pipe, and no file"):
        read_recording(pipe)


def test_a_pipe_is_no_code(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "space.py")
    with pytest.raises(SpaceError, match="there is no file"):
        load_object(f"{tmp_path / 'space.py'}:Mine")


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def npz(path: Path, **members: bytes) -> Source:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return source(source="npz", path=str(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (header((10**6, 10**6)), "its array x promises 1,000,000,000,000 bytes, and has 0"),
        (header((3, 4)) + b"12345", "its array x promises 12 bytes, and has 5"),
        (header((10**30,)) + b"1", "promises"),
        (header((2,), "|O") + b"1234", "x is one of arrays of objects, which are refused"),
        (b"\x93NUMPY\x09\x09", "its array x: "),
        (b"hello", "its array x: "),
        (header((1,)).replace(b"u1'", b"u1'" + b" " * 20_000), "its array x: "),
        (
            b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + bytes(10**6),
            "its header promises 2,147,483,648 bytes",
        ),
        (b"\x93NUMPY\x01\x00" + (9000).to_bytes(2, "little") + b"-" * 9000, "its array x: "),  # too deep to parse
    ],
)
def test_an_array_that_promises_what_is_not_there_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    message = refused(npz(tmp_path / "data.npz", x=content, y=header((0,))), lambda one: one.check_files())
    assert expected in message
    assert "pickle=" not in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("x", "codes", "expected"),
    [
        (header((10**30, 0)), (1, 2), "its array x: "),
        (header((2, 1)) + b"ab", (0x61, 0x110000), "its array y has characters in it that there are not"),
        (header((2, 1)) + b"ab", (0xD800, 0x61), "its array y has characters in it that there are not"),
    ],
)
def test_an_array_that_cannot_be_is_refused(tmp_path: Path, x: bytes, codes: tuple[int, int], expected: str) -> None:
    y = header((2,), "<U1") + b"".join(code.to_bytes(4, "little") for code in codes)
    assert expected in refused(npz(tmp_path / "data.npz", x=x, y=y), lambda one: one.find())


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_texts_of_real_characters_are_labels(tmp_path: Path, byte_order: str) -> None:
    labels = np.array(["\u00e9", "\U0001f600", "x"], dtype=f"{byte_order}U2")
    np.savez(tmp_path / "data.npz", x=np.zeros((3, 4), np.float32), y=labels)
    assert source(source="npz", path=str(tmp_path / "data.npz")).find().class_names == ["x", "\u00e9", "\U0001f600"]


@pytest.mark.parametrize("kind", ["npz", "table", "folder", "tfrecords"])
def test_a_home_folder_of_nobody_is_not_there(kind: str) -> None:
    message = refused(source(source=kind, path="~nobody-here/data"), lambda one: one.check_files())
    assert "'~nobody-here/data'" in message


def test_more_than_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 1_000_000

    zeros = npz(tmp_path / "data.npz", x=header((2_000_000,)) + bytes(2_000_000), y=header((0,)))
    assert Path(tmp_path / "data.npz").stat().st_size < 10_000  # it is packed well
    zeros.check_files()
    monkeypatch.setattr("psutil.virtual_memory", lambda: Memory)
    assert "its arrays take 0.0 GB, and 0.0 GB of memory are free" in refused(zeros, lambda one: one.check_files())


@pytest.mark.parametrize("content", [b"(lp0\nI1\na.", b"\x80\x04]\x94.", b"not at all"])
def test_numpys_advice_to_trust_a_file_is_not_passed_on(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    message = refused(source(source="npz", path=str(tmp_path / "data.npz")), lambda one: one.find())
    assert "allow_pickle" not in message
    (tmp_path / "own.py").write_text(
        f"import numpy\ndef load():\n    return numpy.load({str(tmp_path / 'data.npz')!r})\n"
    )
    message = refused(source(source="own", object=f"{tmp_path / 'own.py'}:load"), lambda one: one.find())
    assert "raised " in message
    assert "allow_pickle" not in message


def test_a_record_that_promises_terabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes((2**42).to_bytes(8, "little") + bytes(100))
    message = refused(source(source="tfrecords", path=str(path)), lambda one: one.check_files())
    assert "record 0 is corrupt or cut off (it promises 4,398,046,511,104 bytes, and the file has 108)" in message


def test_a_packed_text_is_read_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunefront.search.system.regular_files._MAX_TEXT_BYTES", 1000)
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a" * 1000))
    assert read_text_file(path) == b"a" * 1000
    path.write_bytes(gzip.compress(b"a" * 1001))
    with pytest.raises(OSError, match="more than 1,000 bytes"):
        read_text_file(path)
    with pytest.raises(RecordingError, match="cannot be read .it has more than 1,000 bytes"):
        read_recording(path)
