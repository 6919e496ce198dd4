"""Files that are no table of recorded trainings, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tunefront.search.replay.recording import (
    RecordingError,
    check_replaceable,
    read_recording,
    write_recording,
)
from tunefront.storage.open_study import OpenStudy


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("table.csv", "a,b\n1,2\n", "this is no table that tunefront record made"),
        ("table.csv", "", "this is no table that tunefront record made"),
        ("table.csv", "# {}\na\n1\n", "this is no table that tunefront record made"),
        ("table.csv", '# {"format": 99}\na\n1\n', "has format 99, and this tunefront reads 1"),
        ("table.csv.gz", "not compressed", "cannot be read|this is no table"),
        ("table.csv", "# []\na\n1\n", "this is no table that tunefront record made"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(RecordingError, match=message) as raised:
        read_recording(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="none.csv: cannot be read .*tunefront record makes one"):
        read_recording(tmp_path / "none.csv")


def test_a_table_that_was_cut_off_at_the_end_of_a_line_is_named(recorded_study: OpenStudy, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(RecordingError, match="table.csv: was cut off: it has 2 of 3 trainings"):
        read_recording(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:-3], "was cut off"),
        (lambda text: text + text.splitlines(keepends=True)[-1], "was cut off: it has 4 of 3 trainings"),
        (
            lambda text: text.replace('"n_trainings": 3', '"n_trainings": 4') + text.splitlines(keepends=True)[-1],
            "stands there twice with the same seed",
        ),
    ],
)
def test_a_table_that_was_spoilt_is_named(
    recorded_study: OpenStudy, tmp_path: Path, spoil: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(RecordingError, match=message):
        read_recording(path)


def test_only_a_recording_may_be_written_over(recorded_study: OpenStudy, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    check_replaceable(path)
    write_recording(recorded_study, path)
    check_replaceable(path)
    path.write_text('name = "digits"\n')
    with pytest.raises(RecordingError, match="table.csv: there is such a file, it is no recording"):
        check_replaceable(path)


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_table_that_was_cut_off_is_named(recorded_study: OpenStudy, tmp_path: Path, cut: float) -> None:
    path = tmp_path / "table.csv.gz"
    write_recording(recorded_study, path)
    path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
    with pytest.raises(RecordingError, match="this is no table"):
        read_recording(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.25 0.25 0.25", "0.25 0.25"),  # curves of different lengths
        ("0.25 0.25 0.25", "0.25 much 0.25"),
        ("accuracy_by_epoch", "accuracy_by_day"),
        ("candidate,", "number,"),
    ],
)
def test_a_table_that_was_damaged_is_named(recorded_study: OpenStudy, tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "table.csv"
    write_recording(recorded_study, path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RecordingError, match="this is no table"):
        read_recording(path)


ROW = "candidate,seed,accuracy_by_epoch,train_seconds_by_epoch,validation_seconds_by_epoch\n{},0,0.5,1,1\n"


@pytest.mark.parametrize(
    ("changed", "candidate", "expected"),
    [
        ({}, "inf", "no table that tunefront record made"),
        ({"spec": []}, "0", "no table that tunefront record made"),
        ({"pruner": "none"}, "0", "no table that tunefront record made"),
        ({"training": "long"}, "0", "no table that tunefront record made"),
        ({"space": {"architecture": "vgg"}}, "0", "cannot read the spec in it (space.architecture: there is no"),
    ],
)
def test_a_table_that_others_made_is_refused_with_its_name(
    recorded_study: OpenStudy, tmp_path: Path, changed: dict[str, object], candidate: str, expected: str
) -> None:
    path, spec = tmp_path / "table.csv", recorded_study.record.spec
    header = {
        "format": 1,
        "spec": changed.get("spec", {**spec, **changed}),
        "dataset": {},
        "machines": [],
        "n_failed": 0,
    }
    path.write_text(f"# {json.dumps(header)}\n{ROW.format(candidate)}")
    with pytest.raises(RecordingError) as refused:
        read_recording(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert expected in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
