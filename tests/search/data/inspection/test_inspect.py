"""The report on a dataset, for programs and in a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter
from rich.console import Console

from tunefront.commands.data_table import render
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.inspection.data_report import ClassCount, DataReport, OriginalSizes
from tunefront.search.data.inspection.inspect import inspect
from tunefront.search.data.sources import DataTable


def report_on(**table: Any) -> DataReport:
    source = TypeAdapter(DataTable).validate_python(table)
    return inspect(prepare(source, seed=1), source)


def write_npz(folder: Path, values: np.ndarray, labels: Any, **arrays: Any) -> dict[str, Any]:
    np.savez(folder / "arrays.npz", x=values, y=labels, **arrays)
    return {"source": "npz", "path": str(folder / "arrays.npz")}


def different(n: int, *shape: int) -> np.ndarray:
    """Return images of which no two are the same, and none has one value only."""
    values = np.zeros((n, *shape), dtype=np.uint8)
    values.reshape(n, -1)[:, 0] = np.arange(n) % 200 + 1
    values.reshape(n, -1)[:, 1] = np.arange(n) // 200
    return values


def shown(report: DataReport, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(render(report))
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]


def test_the_report_counts_classes_and_splits(digits: Dataset) -> None:
    report = inspect(digits, TypeAdapter(DataTable).validate_python({"source": "digits"}))
    assert report.splits == {"train": 1079, "validation": 359, "test": 359}
    for split in ("train", "validation", "test"):
        counted = [getattr(found, split) for found in report.classes]
        assert counted == np.bincount(digits.split(split).labels).tolist()
    assert [found.name for found in report.classes] == list("0123456789")
    assert (report.most_frequent.name, report.most_frequent.total) == ("3", 183)
    assert (report.least_frequent.name, report.least_frequent.total) == ("8", 174)
    assert report.imbalance == pytest.approx(183 / 174)
    assert (report.image_shape, report.value_type, report.value_range) == ((8, 8, 1), "uint8", (0, 255))
    assert (report.original_sizes, report.n_constant, report.notes) == (None, 0, {})
    assert not any([*report.copies.within.values(), *report.copies.across.values(), report.copies.n_contradictory])


def test_the_report_counts_fold_0_as_validation_when_there_are_folds(tmp_path: Path) -> None:
    table = write_npz(tmp_path, different(60, 3, 3), np.arange(60) % 2)
    report = report_on(**table, folds=4)
    assert (report.folds, report.splits) == (4, {"train": 36, "validation": 12, "test": 12})
    assert report.classes == (ClassCount("0", 18, 6, 6), ClassCount("1", 18, 6, 6))
    assert "fold 0 of 4" in shown(report)


def test_the_report_finds_copies_contradictions_and_blank_images(tmp_path: Path) -> None:
    values, labels = different(40, 3, 3), np.arange(40) % 2
    values[2], values[3], values[5] = values[0], values[0], 7
    report = report_on(**write_npz(tmp_path, values, labels))
    assert sum(report.copies.within.values()) == 2  # copies follow their original into its split
    assert set(report.copies.across.values()) == {0}
    assert (report.copies.n_contradictory, report.n_constant) == (3, 1)
    text = shown(report)
    assert "2 exact copies of other examples inside" in text
    assert "3 examples with the content of another one, but not its class" in text
    assert "1 example of one value only" in text


def test_the_report_finds_what_is_in_two_splits(tmp_path: Path) -> None:
    # Preparing lets no copy through, so the test changes an array in the cache.
    table = write_npz(tmp_path, different(40, 3, 3), np.arange(40) % 2)
    source = TypeAdapter(DataTable).validate_python(table)
    dataset = prepare(source, seed=1)
    images = np.load(Path(dataset.folder) / "images.npy")
    images[-1] = images[0]
    np.save(Path(dataset.folder) / "images.npy", images)
    report = inspect(dataset, source)
    assert report.copies.across == {"train and validation": 0, "train and test": 1, "validation and test": 0}
    assert "1 example in both train and test" in shown(report)


def test_the_report_says_what_preparing_left_out(tmp_path: Path) -> None:
    values, labels = different(41, 3, 3), [*(["a", "b"] * 20), "rare"]
    report = report_on(**write_npz(tmp_path, values, labels), rare_classes="drop")
    assert list(report.notes.values()) == [1]
    assert "rare" not in [found.name for found in report.classes]
    assert "noticed while preparing it" in shown(report)


def write_folder(folder: Path, sizes: list[tuple[int, int]]) -> None:
    """Write two classes with an image of each size (height and width)."""
    for number, (height, width) in enumerate(sizes * 2):
        name = "one" if number < len(sizes) else "two [bold]"
        (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = np.full((height, width, 3), number * 5, dtype=np.uint8)
        pixels[0, 0] = 255
        Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_the_report_has_the_sizes_of_the_original_files(any_folder: Path) -> None:
    sizes = [(10, 20), (30, 30), (8, 6), (12, 20), (11, 20)]
    write_folder(any_folder / "photos", sizes)
    report = report_on(source="folder", path=str(any_folder / "photos"), image_size=16)
    assert report.image_shape == (16, 16, 3)
    assert report.original_sizes == OriginalSizes((8, 6), (11, 20), (30, 30), 10, 10)
    text = shown(report)
    assert "smallest 8 x 6, median 11 x 20, largest 30 x 30" in text
    assert "two [bold]" in text


def test_the_report_measures_some_files_when_there_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunefront.search.data.inspection.inspect._MAX_MEASURED", 4)
    write_folder(tmp_path / "photos", [(10, 20)] * 5)
    report = report_on(source="folder", path=str(tmp_path / "photos"))
    assert report.original_sizes == OriginalSizes((10, 20), (10, 20), (10, 20), 4, 10)
    assert "(of 4 of 10 files)" in shown(report)


def test_the_report_describes_values_that_are_no_images(tmp_path: Path) -> None:
    values = np.linspace(-1.5, 2.5, 200, dtype=np.float32).reshape(40, 5)
    report = report_on(**write_npz(tmp_path, values, np.arange(40) % 2))
    assert (report.value_type, report.value_range, report.image_shape) == ("float32", (-1.5, 2.5), (5,))
    assert "values of shape (5,), no images" in shown(report)


def test_the_report_survives_json(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", [(10, 20), (30, 30), (8, 6), (12, 20)])
    report = report_on(source="folder", path=str(tmp_path / "photos"), image_size=16)
    data = json.loads(json.dumps(report.as_json()))
    assert DataReport.from_json(data) == report
    assert (data["imbalance"], data["most_frequent_class"]) == (1.0, "one")
    assert data["classes"][0] == {"name": "one", "train": 2, "validation": 1, "test": 1}


def test_the_report_shows_every_class_when_there_are_few(digits: Dataset) -> None:
    lines = shown(inspect(digits, TypeAdapter(DataTable).validate_python({"source": "digits"}))).splitlines()
    assert lines[0] == "digits: 1,797 examples in 10 classes"
    assert any(line.split()[:5] == ["3", "110", "36", "37", "183"] for line in lines)
    assert "most frequent: 3 (183); least frequent: 8 (174); ratio 1.05" in lines
    assert lines[-1] == "no copies, no contradictory classes, nothing left out"


def test_the_report_shows_extremes_and_a_summary_when_there_are_thousands_of_classes(tmp_path: Path) -> None:
    # The classes have 1, 2, 5 or 12 examples in turn.
    labels = np.repeat(np.arange(2000), np.tile([1, 2, 5, 12], 500))
    values = np.zeros((len(labels), 2, 2), dtype=np.uint8)
    values.reshape(-1, 4)[:, :2] = np.stack([np.arange(len(labels)) % 256, np.arange(len(labels)) // 256], axis=1)
    report = report_on(**write_npz(tmp_path, values, labels), rare_classes="train")
    text = shown(report)
    assert len(text.splitlines()) < 50
    rows = [line.split() for line in text.splitlines()]
    for row in (["1", "example", "500", "25%"], ["2", "to", "4", "500", "25%"], ["5", "to", "9", "500", "25%"]):
        assert row in rows
    assert ["10", "and", "more", "500", "25%"] in rows
    assert "(12, as 499 others); least frequent: 0 (1, as 499 others); ratio 12" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_report_fits_the_terminal_when_names_are_long(tmp_path: Path, width: int) -> None:
    table = write_npz(tmp_path, different(40, 3, 3), np.array(["a" * 300, "b" * 20] * 20))
    assert max(len(line) for line in shown(report_on(**table), width).splitlines()) <= width
