from __future__ import annotations

from pathlib import Path

import pytest

from tunefront.search.deployment.measured_csv import MeasuredFileError, read_measured


def written(folder: Path, text: str) -> Path:
    path = folder / "times.csv"
    path.write_text(text)
    return path


def test_times_are_read_by_trial_and_variant(tmp_path: Path) -> None:
    path = written(tmp_path, "variant,note,trial,latency_seconds\nint8,mine,3,0.0125\n float32 ,, 4 ,1e-3\n")
    assert read_measured(path, [3, 4]) == {(3, "int8"): 0.0125, (4, "float32"): 0.001}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trial,variant\n3,int8\n", "times.csv: line 1: there is no column latency_seconds: write trial,variant,"),
        ("", "line 1: there is no column trial"),
        ("trial,variant,latency_seconds\n5,int8,0.1\n", "line 2: trial '5' is not deployed. Deployed are 3, 4"),
        ("trial,variant,latency_seconds\n3,int9,0.1\n", "line 2: there is no variant 'int9'. Did you mean 'int8'?"),
        ("trial,variant,latency_seconds\n3,int8,12 ms\n", "line 2: latency_seconds '12 ms' is no time"),
        ("trial,variant,latency_seconds\n3,int8,0\n", "line 2: latency_seconds '0' is no time"),
        ("trial,variant,latency_seconds\n3,int8\n", "line 2: latency_seconds '' is no time"),
        ("trial,variant,latency_seconds\n", "it has no rows"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MeasuredFileError) as raised:
        read_measured(written(tmp_path, text), [4, 3])
    assert message in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeasuredFileError, match="nowhere.csv: it cannot be read"):
        read_measured(tmp_path / "nowhere.csv", [1])
