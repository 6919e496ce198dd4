"""The files beside a kept model: its answers, and the picture of the worst."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from tunefront.reports.errors.worst_examples import read_worst
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.sources import DataTable
from tunefront.search.trial.errors.predictions import worst, write_errors


def answers_to(labels: np.ndarray, n_classes: int = 10) -> np.ndarray:
    """Return probabilities of a network that is right about most of the images."""
    random = np.random.default_rng(0)
    found = random.dirichlet(np.ones(n_classes), len(labels)) + 0.5 * np.eye(n_classes)[labels]
    return (found / found.sum(axis=1, keepdims=True)).astype(np.float32)


def read(folder: Path) -> dict[str, Any]:
    with np.load(folder / ".partial-3.predictions.npz", allow_pickle=False) as file:
        return dict(file)


def test_answers_are_read_again_without_pickle(digits: Dataset, tmp_path: Path) -> None:
    split = digits.split("test")
    given = answers_to(split.labels)
    write_errors(tmp_path / ".partial-3.keras", digits, "test", given)
    found = read(tmp_path)
    assert found["labels"].tolist() == split.labels.tolist()
    assert found["probabilities"].dtype == np.float16
    assert np.abs(found["probabilities"] - given).max() <= 2**-12  # half of float16's step between 0.5 and 1
    assert found["chosen"].tolist() == given.argmax(axis=1).tolist()
    assert (found["split"].item(), found["class_names"].tolist()) == ("test", [str(n) for n in range(10)])
    assert found["names"].tolist() == digits.names("test")
    images = np.load(Path(digits.folder) / "images.npy")
    np.testing.assert_array_equal(images[found["indices"]], split.images)
    assert found["worst"].tolist() == worst(split.labels, given).tolist()


def test_the_chosen_class_is_that_of_whole_precision(digits: Dataset, tmp_path: Path) -> None:
    labels = digits.split("test").labels
    given = np.full((len(labels), 10), 0.05, np.float32)
    given[:, 0], given[:, 1] = 0.3, 0.3001  # one number as float16
    write_errors(tmp_path / ".partial-3.keras", digits, "test", given)
    assert read(tmp_path)["probabilities"].argmax(axis=1).tolist() == [0] * len(labels)
    assert read(tmp_path)["chosen"].tolist() == [1] * len(labels)
    (tmp_path / ".partial-3.predictions.npz").rename(tmp_path / "trial-3.predictions.npz")
    found = read_worst(tmp_path / "trial-3.keras")
    assert {each.answer for each in found} == {"1"}
    assert "0" in {each.right for each in found}  # its own class has the same rounded probability
    assert [each.probability for each in found] == pytest.approx([0.3001] * len(found), abs=2**-12)


def test_the_worst_are_the_most_confidently_wrong_ones_in_their_order() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2])
    given = np.float32(
        [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.0, 0.99, 0.01], [0.2, 0.6, 0.2], [0.2, 0.6, 0.2], [0.5, 0.4, 0.1]]
    )
    assert worst(labels, given).tolist() == [2, 1, 3, 5]
    assert worst(np.float32([1, 2, 3, 4]), np.float32([1, 0, 4, 6])).tolist() == [1, 3, 2]
    assert len(worst(np.zeros(100, dtype=int), np.tile(np.float32([0.1, 0.9]), (100, 1)))) == 24


def test_the_sheet_shows_the_worst_image_first(digits: Dataset, tmp_path: Path) -> None:
    split = digits.split("validation")
    given = answers_to(split.labels)
    write_errors(tmp_path / "trial-3.keras", digits, "validation", given)
    first = worst(split.labels, given)[0]
    assert split.labels[first] != given[first].argmax()
    with Image.open(tmp_path / "trial-3.worst.png") as image:
        sheet = np.asarray(image)
    enlarged = np.repeat(np.repeat(np.repeat(split.images[first], 12, axis=0), 12, axis=1), 3, axis=2)
    np.testing.assert_array_equal(sheet[16:112, 16:112], enlarged)


def test_there_is_no_sheet_without_a_mistake(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / ".partial-3.worst.png").write_text("of an earlier attempt")
    write_errors(
        tmp_path / ".partial-3.keras", digits, "test", np.eye(10, dtype=np.float32)[digits.split("test").labels]
    )
    assert [path.name for path in tmp_path.iterdir()] == [".partial-3.predictions.npz"]
    assert read(tmp_path)["worst"].tolist() == []


def table(folder: Path, values: np.ndarray, labels: np.ndarray, **keys: Any) -> Dataset:
    np.savez(folder / "arrays.npz", x=values, y=labels)
    return prepare(
        TypeAdapter(DataTable).validate_python({"source": "npz", "path": str(folder / "arrays.npz"), **keys}), seed=1
    )


@pytest.mark.parametrize("shape", [(30, 20, 3), (7, 300, 1), (1, 1, 3)])
def test_numbers_that_are_predicted_from_images_of_any_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, *shape), dtype=np.uint8)
    dataset = table(tmp_path, values, np.linspace(-1, 1, 40), task="regression")
    labels = dataset.split("validation").labels
    write_errors(
        tmp_path / ".partial-3.keras", dataset, "validation", labels + np.arange(len(labels), dtype=np.float32)
    )
    found = read(tmp_path)
    assert found["numbers"].tolist() == (labels + np.arange(len(labels), dtype=np.float32)).tolist()
    assert found["worst"].tolist() == list(range(len(labels) - 1, 0, -1))  # the first one has no error
    assert "probabilities" not in found
    with Image.open(tmp_path / ".partial-3.worst.png") as image:
        assert image.size[0] > 152 * 6


def test_values_that_are_no_images_have_no_sheet(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    dataset = table(tmp_path, values, np.arange(40) % 2)
    labels = dataset.split("validation").labels
    write_errors(tmp_path / ".partial-3.keras", dataset, "validation", np.eye(2, dtype=np.float32)[1 - labels])
    assert len(read(tmp_path)["worst"]) == len(labels)
    assert not (tmp_path / ".partial-3.worst.png").exists()


def test_an_answer_that_names_no_class_is_shown_as_such(digits: Dataset, tmp_path: Path) -> None:
    three = dataclasses.replace(digits, class_names=("a", "b", "c"), outputs=10)
    labels = digits.split("test").labels % 3
    three_labels = np.load(Path(digits.folder) / "labels.npy") % 3
    folder = tmp_path / "three"
    folder.mkdir()
    (folder / "images.npy").symlink_to(Path(digits.folder) / "images.npy")
    np.save(folder / "labels.npy", three_labels)
    given = np.tile(np.eye(10, dtype=np.float32)[7], (len(labels), 1))
    write_errors(tmp_path / ".partial-3.keras", dataclasses.replace(three, folder=str(folder)), "test", given)
    assert read(tmp_path)["worst"].tolist() == list(range(24))
    assert (tmp_path / ".partial-3.worst.png").exists()


def test_nothing_is_left_where_nothing_can_be_written(
    digits: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = digits.split("test").labels
    write_errors(tmp_path / "missing" / ".partial-3.keras", digits, "test", answers_to(labels))
    assert "it is kept without: [Errno 2] No such file or directory" in capsys.readouterr().err


def test_a_link_is_not_written_through(digits: Dataset, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    for ending in ("predictions.npz", "worst.png"):
        (tmp_path / f".partial-3.{ending}").symlink_to("theirs")
    write_errors(tmp_path / ".partial-3.keras", digits, "test", answers_to(digits.split("test").labels))
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert not any(path.is_symlink() for path in tmp_path.iterdir())
