"""The errors of one model: whose answers they are, what is known of them here, and what a person reads."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import (
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    precision_score,
    recall_score,
)

from tests.reports.class_answers.stored_answers import network, stored
from tests.reports.class_answers.test_confirmed_answers import add_training, searched
from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, parameters
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.errors.model_errors import ModelErrors, UnknownErrorsError, find_errors
from tunefront.reports.errors.residuals import describe_residuals, sum_up
from tunefront.reports.errors.terminal import errors_json, errors_shown
from tunefront.reports.errors.worst_examples import UnreadablePredictionsError, WorstExample, read_worst
from tunefront.search.trial.errors.predictions import worst
from tunefront.storage.answers import Answers
from tunefront.storage.outcomes import Outcome

NAMES = ["cat", "dog", "bird"]


def of(fixture: ReportFixture, number: int, **facts: Any) -> ModelErrors:
    results = fixture.results()
    dataset = {**results.study.dataset, "class_names": NAMES, **facts}
    return find_errors(fixture.study, replace(results, study=replace(results.study, dataset=dataset)), None, number)


def text_of(errors: ModelErrors) -> str:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115 - nothing is written there
    for part in errors_shown(errors):
        console.print(part)
    return console.export_text()


def write(model: Path, labels: np.ndarray, probabilities: np.ndarray, **changes: Any) -> None:
    """Write a model, and beside it what a trial's process writes."""
    model.touch()
    arrays = {
        "labels": labels,
        "probabilities": probabilities.astype(np.float16),
        "names": np.array([f"{NAMES[int(label) % 3]}/{row} a.png" for row, label in enumerate(labels)]),
        "class_names": np.array(NAMES),
        "split": np.array("validation"),
        "indices": np.arange(len(labels)),
        "worst": worst(labels, probabilities),
    }
    np.savez(model.with_suffix(".predictions.npz"), **(arrays | changes))


@pytest.fixture
def fixture(tmp_path: Path) -> ReportFixture:
    """A study whose trial 0 has answers of a network, and files beside its model."""
    made = ReportFixture.make(tmp_path)
    labels, probabilities = network(3, n=150)
    model = tmp_path / "trial-0.keras"
    write(model, labels, probabilities)
    made.complete(0.9, 100, 1.0, answers={"validation": stored(labels, probabilities)}, model_path=str(model))
    return made


def test_everything_is_known_where_the_files_are(fixture: ReportFixture, tmp_path: Path) -> None:
    labels, probabilities = network(3, n=150)
    chosen = probabilities.argmax(axis=1)
    (tmp_path / "trial-0.worst.png").touch()
    errors = of(fixture, 0)
    first = errors.worst[0]
    wrong = np.flatnonzero(chosen != labels)
    place = wrong[probabilities[wrong].max(axis=1).argmax()]
    assert (first.name, first.right, first.answer) == (
        f"{NAMES[labels[place]]}/{place} a.png", NAMES[labels[place]], NAMES[chosen[place]],
    )  # fmt: skip
    assert first.probability == pytest.approx(probabilities[place].max(), abs=1e-3)
    found = json.loads(json.dumps(errors_json(errors)))
    assert [each["recall"] for each in found["class_scores"]] == pytest.approx(
        recall_score(labels, chosen, average=None)
    )
    assert [each["precision"] for each in found["class_scores"]] == pytest.approx(
        precision_score(labels, chosen, average=None)
    )
    assert np.trace(found["confusion"]) == found["right"] == (labels == chosen).sum()
    assert sum(each["n"] for each in found["calibration"]["bins"]) == found["n"] == 150
    assert (found["trial"], found["training"], found["trained_in"], found["split"]) == (0, 0, "digits", "validation")
    assert found["sheet"] == str(tmp_path / "trial-0.worst.png")
    assert found["predictions"] == str(tmp_path / "trial-0.predictions.npz")
    text = text_of(errors)
    right = int((labels == chosen).sum())
    assert f"digits, trial 0: {right} of 150 validation images are right: {right / 1.5:.2f} %" in text
    assert "These images chose its epoch and its place on the front." in text
    assert "reliability, in groups of about equal number" in text
    assert first.name in text


def test_many_classes_have_their_most_frequent_mistakes(tmp_path: Path) -> None:
    made = ReportFixture.make(tmp_path)
    labels, probabilities = network(40, n=900)
    made.complete(0.9, 100, 1.0, answers={"validation": stored(labels, probabilities)})
    errors = of(made, 0, class_names=[f"class {number}" for number in range(40)])
    text = text_of(errors)
    assert errors.by_class is not None
    true, chosen, n = errors.by_class.models[0].mistakes[0]
    assert [f"class {true}", f"class {chosen}", str(n)] in [
        [cell.strip() for cell in line.split("  ") if cell.strip()][:3] for line in text.splitlines()
    ]
    assert "the 20 classes with the lowest F1, of 40" in text
    assert "The worst images are not known by name: the model was not kept, or has left the front." in text


def test_a_confirmed_model_has_errors_on_the_test_images(tmp_path: Path) -> None:
    fixture = searched(tmp_path)
    confirmed = confirmation_of(fixture)
    add_training(confirmed, 0, 0.90, 5, str(tmp_path / "trial-0.keras"))
    add_training(confirmed, 0, 0.92, 7, str(tmp_path / "trial-1.keras"))
    errors = find_errors(fixture.study, fixture.results(), load(fixture), 0)
    assert (errors.split, errors.trained_in, errors.trained.number) == ("test", "digits.confirmation", 1)
    text = text_of(errors)
    assert "digits, trial 0, trained again as trial 1 of digits.confirmation: 7 of 10 test images are right" in text
    assert "These images chose nothing." in text
    assert "10 images do not tell: it takes 100" in text
    assert (
        f"{tmp_path}/trial-1.predictions.npz, which has their names, is not on this machine, but on anna."
        in " ".join(text.split())
    )
    assert find_errors(fixture.study, fixture.results(), load(fixture), 2).split == "validation"
    confirmed.end(confirmed.lease(parameters(1)), Outcome.FAILED, reason="loss became nan")
    own = confirmed.results()
    assert find_errors(confirmed.study, own, None, 0).split == "test"
    with pytest.raises(UnknownErrorsError, match="'tunefront confirm digits' with more seeds trains"):
        find_errors(confirmed.study, own, None, 2)


def test_a_model_without_mistakes(fixture: ReportFixture, tmp_path: Path) -> None:
    labels = np.arange(120) % 3
    right = np.eye(3, dtype=np.float32)[labels]
    write(tmp_path / "trial-1.keras", labels, right)
    fixture.complete(
        1.0, 200, 2.0, answers={"validation": stored(labels, right)}, model_path=str(tmp_path / "trial-1.keras")
    )
    errors = of(fixture, 1)
    assert errors.worst == []
    assert "All images are right." in text_of(errors)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("missing", "study 'digits' has no trial 7: its trials are 0 to 1"),
        (
            "pruned",
            "not known: it was stopped early, and only models of the front are kept. 'tunefront retrain digits 1'",
        ),
        (
            "failed",
            "not known: it failed, and only models of the front are kept. 'tunefront retrain digits 1'",
        ),
        ("running", "not known: it is running, and they are stored when it is complete"),
        (
            "beaten",
            "not known: its model was not kept, because only those of the front are. 'tunefront retrain digits 1'",
        ),
        ("older", "an earlier tunefront kept its model and stored no answers. 'tunefront confirm digits' stores"),
        ("other classes", "the answers of trial 1 are to other classes than those of the study"),
    ],
)
def test_what_is_not_known_is_said_with_what_makes_it_known(
    fixture: ReportFixture, tmp_path: Path, state: str, expected: str
) -> None:
    if state in ("beaten", "older", "other classes"):
        answers = {"validation": Answers([0, 4], [0, 4])} if state == "other classes" else None
        path = "" if state == "beaten" else str(tmp_path / "trial-1.keras")
        fixture.complete(0.1, 200, 2.0, model_path=path, answers=answers)
    else:
        leased = fixture.lease()
        if state != "running":
            fixture.end(leased, Outcome.PRUNED if state == "pruned" else Outcome.FAILED, curve=[0.1])
    with pytest.raises(UnknownErrorsError) as raised:
        of(fixture, 7 if state == "missing" else 1)
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_numbers_have_residuals_and_their_worst_rows(tmp_path: Path) -> None:
    made = ReportFixture.make(tmp_path)
    labels, numbers = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.5, 2.0, 8.0, 5.5]
    made.complete(0.9, 100, 1.0, answers={"validation": Answers(labels, numbers)})
    errors = of(made, 0, task="regression", class_names=[])
    assert errors.by_class is None
    assert errors.worst == [  # from the store, which knows no names
        WorstExample("validation[3]", 4.0, 8.0),
        WorstExample("validation[2]", 3.0, 2.0),
        WorstExample("validation[1]", 2.0, 2.5),
        WorstExample("validation[4]", 5.0, 5.5),
    ]
    found = errors_json(errors)["residuals"]
    assert found["mae"] == pytest.approx(mean_absolute_error(labels, numbers))
    assert found["rmse"] == pytest.approx(mean_squared_error(labels, numbers) ** 0.5)
    assert found["median"] == median_absolute_error(labels, numbers)
    assert (found["bias"], found["largest"], found["p90"]) == (0.8, 4.0, pytest.approx(2.8))
    text = text_of(errors)
    assert "digits, trial 0: its errors on 5 validation examples, which chose its epoch" in text
    assert "The worst examples are not known by name" in text
    path = tmp_path / "trial-1.keras"
    names = np.array([f"t.csv: line {row}" for row in range(5)])
    write(
        path, np.float32(labels), np.float32(numbers), numbers=np.float32(numbers), names=names, worst=np.array([3, 2])
    )
    made.complete(0.95, 100, 1.0, answers={"validation": Answers(labels, numbers)}, model_path=str(path))
    assert of(made, 1, task="regression", class_names=[]).worst == [
        WorstExample("t.csv: line 3", 4.0, 8.0), WorstExample("t.csv: line 2", 3.0, 2.0),
    ]  # fmt: skip


@pytest.mark.parametrize(("shift", "expected"), [(5.0, "too high by 5"), (-5.0, "too low by 5"), (0.0, "Neither too")])
def test_residuals_say_on_which_side_they_are(shift: float, expected: str) -> None:
    random = np.random.default_rng(1)
    labels = random.normal(size=400)
    errors = random.normal(size=400)
    lines = describe_residuals(sum_up(labels, labels + errors - errors.mean() + shift), "rows")
    assert expected in lines[1]
    standard_error = errors.std(ddof=1) / 20
    assert f"give or take {2 * standard_error:.2g}" in lines[1] or not shift
    assert not np.isfinite(sum_up([1.0], [2.0]).bias_standard_error)


class Objects:
    """Something that only pickle could store."""


@pytest.mark.parametrize("damage", ["cut", "text", "pickle", "missing", "rows", "link to nothing"])
def test_a_file_that_cannot_be_read_is_named_and_runs_nothing(
    fixture: ReportFixture, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "trial-0.predictions.npz"
    whole = path.read_bytes()
    labels, probabilities = network(3, n=150)
    path.unlink()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "text":
        path.write_text("no archive")
    elif damage == "pickle":
        write(tmp_path / "trial-0.keras", labels, probabilities, names=np.array([Objects()] * 150, dtype=object))
    elif damage == "missing":
        np.savez(path, labels=labels)
    elif damage == "rows":
        write(tmp_path / "trial-0.keras", labels, probabilities, worst=np.array([1000]))
    else:
        path.symlink_to("nowhere")
    errors = of(fixture, 0)
    assert errors.worst == ()
    assert "The worst images are not known by name" in errors.without_worst
    assert "trial-0.predictions.npz" in errors.without_worst
    assert errors.by_class is not None  # the store has the rest
    if damage != "link to nothing":
        with pytest.raises(UnreadablePredictionsError, match="cannot be read"):
            read_worst(tmp_path / "trial-0.keras")


def test_a_damaged_byte_is_an_unreadable_file_or_another_result(tmp_path: Path) -> None:
    labels, probabilities = network(3, n=12)
    model, path = tmp_path / "trial-0.keras", tmp_path / "trial-0.predictions.npz"
    write(model, labels, probabilities)
    with np.load(path) as arrays:
        np.savez_compressed(path, **dict(arrays))
    whole = path.read_bytes()
    right = read_worst(model)
    assert right
    unreadable = 0
    for place, flip in zip(range(len(whole)), itertools.cycle((0x01, 0x80, 0xFF)), strict=False):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
        try:
            found = read_worst(model)
        except UnreadablePredictionsError:
            unreadable += 1
        else:
            assert all(isinstance(each, WorstExample) for each in found)
    assert unreadable > len(whole) / 4
