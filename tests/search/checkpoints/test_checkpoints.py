from __future__ import annotations

import errno
import hashlib
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tunefront.search.checkpoints.checkpoint_file import opened_checkpoint, write_checkpoint
from tunefront.search.checkpoints.header import CheckpointHeader
from tunefront.search.checkpoints.trial_folder import (
    folder_of,
    newest_whole,
    remove_checkpoints,
    remove_older,
    remove_others,
)

IDENTITY = {"seed": "7", "candidate": '{"batch_size": 32}'}
ARRAYS = [
    ("model/0", np.arange(600, dtype=np.float32).reshape(20, 30) / 7),
    ("model/1", np.array([2**63 - 1, -5], np.int64)),
    ("optimizer/0", np.float32(0.1) * np.ones((), np.float32)),
    ("seeds", np.array([1, 4294967295], np.uint32)),
]


def written(folder: Path, n_epochs: int, arrays: list[tuple[str, NDArray[Any]]] = ARRAYS) -> CheckpointHeader:
    header = CheckpointHeader(n_epochs, n_epochs, IDENTITY, ("a CPU",), 1.5e6, 12.25)
    return write_checkpoint(folder, header, {"best": 0.1 + n_epochs, "kept": None}, arrays)


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path: Path) -> None:
    header = written(tmp_path / "a b" / "trial-3", 2)
    assert newest_whole(tmp_path / "a b" / "trial-3") == header
    assert header == CheckpointHeader(2, 2, IDENTITY, ("a CPU",), 1.5e6, 12.25, header.digest)
    with opened_checkpoint(tmp_path / "a b" / "trial-3", header) as content:
        assert content.state == {"best": 2.1, "kept": None}
        for name, array in ARRAYS:
            found = content.array(name)
            assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
        with pytest.raises(KeyError):
            content.array("model/2")


def test_a_file_is_an_npz_whose_name_holds_its_sha256(tmp_path: Path) -> None:
    header = written(tmp_path, 12)
    (path,) = tmp_path.iterdir()
    assert path.name == f"12-{hashlib.sha256(path.read_bytes()).hexdigest()}.npz" == header.file_name
    with np.load(path, allow_pickle=False) as loaded:
        np.testing.assert_array_equal(loaded["model/0"], ARRAYS[0][1])
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("header.json"))["identity"] == IDENTITY
        assert archive.testzip() is None


@pytest.mark.parametrize("twentieth", range(20))
@pytest.mark.parametrize("is_cut", [True, False])
def test_the_older_one_counts_when_the_newest_is_torn(tmp_path: Path, twentieth: int, is_cut: bool) -> None:
    older, newest = written(tmp_path, 3), written(tmp_path, 4)
    path = tmp_path / newest.file_name
    content = bytearray(path.read_bytes())
    place = twentieth * len(content) // 20
    if is_cut:
        del content[place:]
    else:
        content[place] ^= 1
    path.write_bytes(content)
    assert newest_whole(tmp_path) == older
    remove_others(tmp_path, older)
    assert [path.name for path in tmp_path.iterdir()] == [older.file_name]


def test_two_generations_stay_and_epochs_are_compared_as_numbers(tmp_path: Path) -> None:
    headers = [written(tmp_path, n) for n in (2, 9, 10)]
    (tmp_path / ".4000000.partial").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("a person's own")
    remove_older(tmp_path)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == sorted([headers[1].file_name, headers[2].file_name, "notes.txt"])
    assert newest_whole(tmp_path) == headers[2]
    assert newest_whole(tmp_path, at_most=9) == headers[1]
    assert newest_whole(tmp_path, at_most=8) is None


def test_with_folds_the_epochs_of_all_of_them_order_checkpoints(tmp_path: Path) -> None:
    first = replace(written(tmp_path, 5), digest="")
    later = write_checkpoint(tmp_path, replace(first, n_epochs=8), {}, [])
    assert newest_whole(tmp_path) == later
    assert (later.epoch, later.n_epochs) == (5, 8)


@pytest.mark.parametrize("is_there", [True, False])
def test_no_checkpoint_where_none_was_written(tmp_path: Path, is_there: bool) -> None:
    folder = folder_of(tmp_path, 3)
    assert folder == tmp_path / "checkpoints" / "trial-3"
    if is_there:
        folder.mkdir(parents=True)
        (folder / f"4-{'0' * 64}.npz").write_bytes(b"")
        (folder / "5-1.npz").write_bytes(b"no digest")
        nothing = hashlib.sha256(b"no archive").hexdigest()
        (folder / f"6-{nothing}.npz").write_bytes(b"no archive")
    assert newest_whole(folder) is None
    remove_older(folder)
    remove_checkpoints(folder)
    assert not folder.exists()


def test_a_file_that_was_renamed_to_another_epoch_is_none(tmp_path: Path) -> None:
    header = written(tmp_path, 3)
    (tmp_path / header.file_name).rename(tmp_path / f"9-{header.digest}.npz")
    assert newest_whole(tmp_path) is None


def test_objects_are_neither_written_nor_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        written(tmp_path, 1, [("model/0", np.array([{"a": 1}], dtype=object))])
    assert list(tmp_path.iterdir()) == []

    path = tmp_path / "objects.npz"
    np.savez(path, pickled=np.array([os.system], dtype=object))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("header.json", json.dumps({"epoch": 1, "n_epochs": 1, "identity": {}, "devices": []}))
        archive.writestr("state.json", "{}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.rename(tmp_path / f"1-{digest}.npz")
    header = newest_whole(tmp_path)
    assert header is not None
    with opened_checkpoint(tmp_path, header) as content, pytest.raises(ValueError, match="allow_pickle"):
        content.array("pickled")


def test_what_was_there_stays_when_a_disk_is_full(tmp_path: Path) -> None:
    older = written(tmp_path, 3)

    def arrays() -> Any:
        yield ARRAYS[0]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(tmp_path, replace(older, n_epochs=4), {}, arrays())
    assert [path.name for path in tmp_path.iterdir()] == [older.file_name]
    assert newest_whole(tmp_path) == older


def test_removing_follows_no_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    header = written(other, 3)
    folder = folder_of(tmp_path, 1)
    folder.parent.mkdir()
    folder.symlink_to(other)
    remove_checkpoints(folder)
    assert not folder.is_symlink()
    assert newest_whole(other) == header


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (IDENTITY, ""),
        ({**IDENTITY, "seed": "8"}, "seed was 7 and is 8"),
        ({"seed": "7"}, 'candidate was {"batch_size": 32} and is not noted'),
        ({**IDENTITY, "keras": "3"}, "keras was not noted and is 3"),
    ],
)
def test_a_header_tells_what_differs(identity: dict[str, str], expected: str) -> None:
    assert CheckpointHeader(1, 1, IDENTITY).difference(identity) == expected
