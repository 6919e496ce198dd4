"""Datasets of numbers to predict: their files, random splits, folds, groups, facts, and what a person sees of them."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from tunefront.search.data.cache import ensure, is_whole, prepare
from tunefront.search.data.chance import number_chances
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.export import export_tfrecords
from tunefront.search.data.inspection.contact_sheet import write_contact_sheet
from tunefront.search.data.inspection.data_report import DataReport
from tunefront.search.data.inspection.inspect import inspect
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.data.sources.table import TableSource

N = 103


@pytest.fixture
def numbers() -> np.ndarray:
    """Labels whose large values are rare."""
    return np.random.default_rng(1).exponential(100.0, N).astype(np.float32)


def source_of(folder: Path, labels: Any, **keys: Any) -> NpzSource:
    values = np.arange(len(labels), dtype=np.float32)[:, np.newaxis]
    np.savez(folder / "mine.npz", x=values, y=labels)
    return NpzSource(source="npz", path=str(folder / "mine.npz"), task="regression", **keys)


def labels_of(found: Dataset, split: str, fold: int = 0) -> list[float]:
    labels: list[float] = found.split(split, fold).labels.tolist()
    return labels


def test_labels_are_float32_and_keep_to_their_values(tmp_path: Path, numbers: np.ndarray) -> None:
    found = prepare(source_of(tmp_path, numbers), seed=1)
    assert (found.task, found.class_names, found.n_classes, found.n_outputs) == ("regression", (), 0, 1)
    assert (found.n_train, found.n_validation, found.n_test) == (61, 21, 21)
    together = []
    for split in ("train", "validation", "test"):
        part = found.split(split)
        assert part.labels.dtype == np.float32
        assert part.labels.tolist() == numbers[part.images[:, 0].astype(int)].tolist()
        together += part.labels.tolist()
    assert sorted(together) == sorted(numbers.tolist())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_random_split_has_small_and_large_numbers_alike(tmp_path: Path, numbers: np.ndarray, seed: int) -> None:
    """Each has its share of every sixth of the numbers, because 103 numbers for three parts make six strata."""
    found = prepare(source_of(tmp_path, numbers), seed=seed)
    edges = np.sort(numbers)[[-(-N * k // 6) for k in range(1, 6)]]
    for split, n in (("validation", 21), ("test", 21)):
        counts = np.bincount(np.searchsorted(edges, labels_of(found, split), side="right"), minlength=6)
        assert counts.sum() == n
        assert set(counts.tolist()) <= {3, 4}


def test_folds_hold_each_number_once_and_are_alike(tmp_path: Path, numbers: np.ndarray) -> None:
    found = prepare(source_of(tmp_path, numbers, folds=4, test_fraction=0.0), seed=1)
    folds = [labels_of(found, "validation", fold) for fold in range(4)]
    assert sorted(itertools.chain(*folds)) == sorted(numbers.tolist())
    assert {len(fold) for fold in folds} <= {24, 25, 26, 27}
    for fold in range(4):
        assert sorted(labels_of(found, "train", fold) + folds[fold]) == sorted(numbers.tolist())
    assert np.ptp([np.median(fold) for fold in folds]) < 30  # of a median of 69


def test_copies_follow_each_other_and_contradictory_numbers_are_noted(tmp_path: Path) -> None:
    values = np.repeat(np.arange(20, dtype=np.float32), 2)[:, np.newaxis]
    labels = np.arange(40) / 2
    labels[::2] = labels[1::2]
    labels[6] += 1
    np.savez(tmp_path / "mine.npz", x=values, y=labels)
    found = prepare(NpzSource(source="npz", path=str(tmp_path / "mine.npz"), task="regression"), seed=1)
    contents = [set(found.split(split).images[:, 0].tolist()) for split in ("train", "validation", "test")]
    assert sum(map(len, contents)) == 20
    assert dict(found.notes) == {
        "examples are exact copies of others": 20,
        "examples have the content of another one, but not its number": 2,
    }


def test_a_cached_dataset_is_whole_until_its_labels_are_lost(tmp_path: Path, numbers: np.ndarray) -> None:
    source = source_of(tmp_path, numbers)
    found = prepare(source, seed=1)
    assert is_whole(Path(found.folder))
    labels = np.load(Path(found.folder) / "labels.npy")
    np.save(Path(found.folder) / "labels.npy", np.zeros_like(labels))  # as after a power cut
    assert not is_whole(Path(found.folder))
    again = ensure(found, source, seed=1)
    assert again.fingerprint == found.fingerprint
    assert np.load(Path(again.folder) / "labels.npy").tolist() == labels.tolist()


def test_given_splits_stay_and_a_leak_is_named(tmp_path: Path) -> None:
    values = np.arange(30, dtype=np.float32)
    values[29] = values[2]
    arrays = {"x_train": values[:24, np.newaxis], "y_train": values[:24]}
    arrays |= {"x_test": values[24:, np.newaxis], "y_test": np.arange(24.0, 30.0)}
    np.savez(tmp_path / "mine.npz", **arrays)
    source = NpzSource(source="npz", path=str(tmp_path / "mine.npz"), task="regression")
    with pytest.raises(DataError, match=r"x_train\[2\] \(train\) is .*x_test\[5\] \(test\)"):
        prepare(source, seed=1)
    found = prepare(source.model_copy(update={"on_leak": "drop"}), seed=1)
    assert labels_of(found, "test") == [24, 25, 26, 27, 28, 29]
    assert sorted(labels_of(found, "train") + labels_of(found, "validation")) == [0, 1, *range(3, 24)]
    assert found.n_validation == 5  # a fifth of the 23 that are left
    assert found.notes == {
        "examples are exact copies of others": 1,
        "examples have the content of another one, but not its number": 2,
        "examples were left out, because another split has them too": 1,
    }


def test_another_number_is_another_dataset(tmp_path: Path, numbers: np.ndarray) -> None:
    one = prepare(source_of(tmp_path, numbers), seed=1)
    numbers[17] += 0.5
    other = prepare(source_of(tmp_path, numbers), seed=1)
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("labels", "keys", "fragments"),
    [
        ([2.5] * 20, {}, ["mine.npz: all 12 labels in training are 2.5", "nothing to learn"]),
        ([2.5] * 12 + [3.5, 4.5] * 4, {"split": "time"}, ["all 12 labels in training are 2.5"]),
        (
            [2.5] * 6 + [3.5, 4.5] * 7,
            {"split": "time", "folds": 2, "test_fraction": 0.0},
            ["all 6 labels in training while fold 1 validates"],
        ),
        ([1.0, 2.0], {}, ["2 different examples are too few for 3 splits"]),
    ],
)
def test_labels_from_which_nothing_can_be_learnt_are_refused(
    tmp_path: Path, labels: list[float], keys: dict[str, Any], fragments: list[str]
) -> None:
    if "folds" in keys:
        labels = labels[:6] + labels[6:18]
    with pytest.raises(DataError) as caught:
        prepare(source_of(tmp_path, labels, **keys), seed=1)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_the_best_constant_answer_is_what_scikit_learn_scores(numbers: np.ndarray) -> None:
    labels = numbers.astype(float)
    found = number_chances(labels)
    assert found["rmse"].score == pytest.approx(root_mean_squared_error(labels, np.full(N, labels.mean())))
    assert found["mae"].score == pytest.approx(mean_absolute_error(labels, np.full(N, np.median(labels))))
    assert found["r2"].score == r2_score(labels, np.full(N, labels.mean())) == 0
    assert (found["rmse"].direction, found["r2"].direction) == ("minimize", "maximize")


def test_the_errors_of_guessing_are_those_of_drawn_examples() -> None:
    """The spread over 4000 draws of 400 labels, with the mean and the median of the distribution as answers."""
    random = np.random.default_rng(1)
    drawn = random.gamma(4.0, 2.0, (4000, 400))
    mean, median, variance = 8.0, 7.344, 16.0
    rmse = np.sqrt(((drawn - mean) ** 2).mean(axis=1))
    mae = np.abs(drawn - median).mean(axis=1)
    errors = {
        name: np.mean([number_chances(labels)[name].standard_error for labels in drawn[:200]])
        for name in ("rmse", "mae", "r2")
    }
    assert errors["rmse"] == pytest.approx(rmse.std(), rel=0.07)
    assert errors["mae"] == pytest.approx(mae.std(), rel=0.07)
    assert errors["r2"] == pytest.approx((rmse**2 / variance).std(), rel=0.1)


def test_facts_have_the_chances_of_all_folds_together(tmp_path: Path, numbers: np.ndarray) -> None:
    found = prepare(source_of(tmp_path, numbers, folds=3), seed=1)
    together = np.concatenate([found.numbers("validation", fold) for fold in range(3)])
    facts: Any = json.loads(json.dumps(found.facts()))
    assert facts["chances"]["rmse"]["score"] == pytest.approx(together.std())
    assert facts["task"] == "regression"
    assert set(facts["chances"]) == {"rmse", "mae", "r2"}


def test_numbers_that_are_all_the_same_in_validation_define_no_r2() -> None:
    found = number_chances(np.full(7, 3.0))
    assert "r2" not in found
    assert (found["rmse"].score, found["rmse"].standard_error) == (0, 0)


@pytest.fixture
def pictures(tmp_path: Path) -> TableSource:
    """Forty images of three patients each, whose brightness is their number."""
    rows = []
    for number in range(40):
        Image.new("RGB", (6, 4), (number * 6,) * 3).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{number * 0.25},{number % 13}\n")
    (tmp_path / "mine.csv").write_text("file,age,patient\n" + "".join(rows))
    return TableSource(
        source="table", path=str(tmp_path / "mine.csv"), label_column="age", group_column="patient", task="regression"
    )


def test_groups_stay_whole_with_numbers(pictures: TableSource) -> None:
    found = prepare(pictures, seed=1)
    patients = [
        {round(number / 0.25) % 13 for number in labels_of(found, split)} for split in ("train", "validation", "test")
    ]
    assert all(patients)
    assert sum(map(len, patients)) == len(set.union(*patients)) == 13
    assert found.n_train > found.n_validation


def test_the_report_tells_the_range_of_the_numbers_in_each_split(pictures: TableSource) -> None:
    found = prepare(pictures, seed=1)
    report = inspect(found, pictures)
    assert report.classes == ()
    assert [part.split for part in report.numbers] == ["train", "validation", "test"]
    for part in report.numbers:
        numbers = found.numbers(part.split)
        assert (part.n, part.least, part.largest) == (len(numbers), numbers.min(), numbers.max())
        assert (part.mean, part.deviation) == (pytest.approx(numbers.mean()), pytest.approx(numbers.std()))
        assert part.quartiles == pytest.approx(tuple(np.percentile(numbers, [25, 50, 75])))
        assert part.counts == tuple(np.histogram(numbers, 10, (0, 9.75))[0])
    assert DataReport.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_the_terminal_shows_numbers_in_place_of_classes(pictures: TableSource) -> None:
    from rich.console import Console

    from tunefront.commands.data_table import render

    found = prepare(pictures, seed=1)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render(inspect(found, pictures)))
    text = console.export_text()
    assert "40 examples with a number to predict" in text
    row = next(line for line in text.splitlines() if line.startswith("train"))
    numbers = found.numbers("train")
    assert row.split()[1:4] == [str(len(numbers)), f"{numbers.min():.4g}", f"{np.quantile(numbers, 0.25):.4g}"]
    assert "frequent" not in text


def test_the_contact_sheet_has_a_row_for_each_range(pictures: TableSource, tmp_path: Path) -> None:
    found = prepare(pictures, seed=1)
    path = write_contact_sheet(found, tmp_path / "sheet.png")
    assert path is not None
    pixels = np.asarray(Image.open(path).convert("L")).astype(int)
    # A tile is 96 x 64 pixels of one tone, six times the image's number; black is in the text too.
    tiles = [tone for tone in range(6, 240, 6) if (pixels == tone).sum() >= 96 * 64]
    assert len(tiles) > 20
    heights = [int(np.flatnonzero((pixels == tone).sum(axis=1) >= 96)[0]) for tone in tiles]
    assert heights == sorted(heights)  # brighter images have larger numbers, and stand in later rows
    assert len(set(heights)) == 6


def test_the_export_is_refused_by_name(pictures: TableSource, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="classes, and task"):
        export_tfrecords(prepare(pictures, seed=1), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_dataset_of_before_has_classes_and_no_order(digits: Dataset) -> None:
    data = json.loads((Path(digits.folder) / "dataset.json").read_text())
    older = {name: value for name, value in data.items() if name not in ("task", "split_by", "gap")}
    assert dataclasses.replace(digits, notes=older["notes"]).task == "classification"
    assert Dataset(folder="", **{**older, "class_names": (), "image_shape": ()}).split_by == "random"
