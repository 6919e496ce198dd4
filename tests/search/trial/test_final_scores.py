"""The scores on the test split, which only a confirmation opens."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.data.dataset import Dataset

ROOT = Path(__file__).parents[3]


class Majority:
    """A model that always says class 1."""

    def predict_on_batch(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.tile(np.eye(10, dtype="float32")[1], (len(images), 1))


def test_scores_and_answers_are_those_of_the_test_images(digits: Dataset, keras: Any) -> None:
    from tunefront.search.trial.final_scores import final_scores
    from tunefront.search.trial.goal import Goal

    scores, answers, _ = final_scores(Majority(), digits, Goal())
    labels = digits.split("test").labels
    assert scores["test_accuracy"] == pytest.approx(float((labels == 1).mean()))
    assert {"test_loss", "test_f1_macro", "test_precision", "test_recall", "test_top_5_accuracy"} <= scores.keys()
    assert "test_auc" not in scores
    assert (answers["test"]["labels"], answers["test"]["chosen"]) == (labels.tolist(), [1] * len(labels))
    assert {curve["auc"] for curve in answers["test"]["curves"].values()} == {0.5}
    assert answers["validation"].keys() == {"labels", "chosen"}  # reports of a confirmation show the test images
    assert answers["validation"]["labels"] == digits.split("validation").labels.tolist()
    scores, answers, _ = final_scores(Majority(), digits, Goal("auc"))
    assert scores["test_auc"] == 0.5
    assert answers["test"]["ranks"] == {str(number): [0] * len(labels) for number in range(10)}


class Half:
    """A model of two classes that cannot decide."""

    def predict_on_batch(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.full((len(images), 2), 0.5, dtype="float32")


def test_a_score_that_the_test_images_do_not_define_is_left_out(tmp_path: Path, keras: Any) -> None:
    from tunefront.search.trial.final_scores import final_scores
    from tunefront.search.trial.goal import Goal

    np.save(tmp_path / "images.npy", np.zeros((6, 8, 8, 1), np.uint8))
    np.save(tmp_path / "labels.npy", np.array([0, 1, 0, 1, 0, 0]))
    dataset = Dataset(str(tmp_path), "npz", "0", ("clear", "fire"), (8, 8, 1), 2, 2, 2)
    scores, _, _ = final_scores(Half(), dataset, Goal())
    assert scores.keys() == {"test_loss", "test_accuracy", "test_f1_macro"}
    assert np.isfinite(list(scores.values())).all()


def test_there_are_no_test_scores_without_a_test_split_and_no_validation_answers_with_folds(
    digits: Dataset, keras: Any
) -> None:
    from tunefront.search.trial.final_scores import final_scores
    from tunefront.search.trial.goal import Goal

    scores, answers, _ = final_scores(Majority(), dataclasses.replace(digits, n_test=0), Goal())
    assert (scores, list(answers)) == ({}, ["validation"])
    _, answers, _ = final_scores(Majority(), dataclasses.replace(digits, folds=3), Goal())
    assert list(answers) == ["test"]


def test_nothing_else_of_a_search_opens_the_test_split() -> None:
    def opens_test(path: Path) -> bool:
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        splits = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "split"]
        return any(ast.unparse(argument) == "'test'" for call in splits for argument in call.args)

    files = [*(ROOT / "search").rglob("*.py"), *(ROOT / "spaces").rglob("*.py"), *(ROOT / "reports").rglob("*.py")]
    # What is exported was chosen before; of a confirmation's models alone it is scored on the test images.
    openers = ["search/deployment/scored_images.py", "search/trial/final_scores.py"]
    assert sorted(path.relative_to(ROOT).as_posix() for path in files if opens_test(path)) == openers
    assert "if is_confirmed and dataset.n_test:" in (ROOT / "search" / "deployment" / "scored_images.py").read_text()
    callers = [path.name for path in files if "final_scores(" in path.read_text() and path.name != "final_scores.py"]
    assert callers == ["process.py"]
    source = (ROOT / "search" / "trial" / "process.py").read_text()
    assert "    if spec.confirms:\n        measurements, answers, given = final_scores(" in source
    measured = 'with parts.timed("measuring"):\n            late, answers, given = _measure_trained('
    assert f"    if not was_stopped:\n        {measured}" in source
