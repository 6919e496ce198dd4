"""The answers of the models on the front, from the store to the tables, against scikit-learn's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from tests.reports.class_answers.stored_answers import EVIL, add, known, load, network, stored, text_of
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.class_answers.class_answers import load_front_answers
from tunefront.reports.class_answers.section import answers_markdown
from tunefront.reports.class_answers.tables import class_scores_frame, confusion_frame
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.search.trial.image_answers import image_answers
from tunefront.storage.answers import Answers


def test_answers_of_spare_outputs_are_a_class_of_their_own(tmp_path: Path) -> None:
    """A network of five outputs over three classes: what the last two say is no class."""
    fixture = ReportFixture.make(tmp_path)
    _, probabilities = network(5)
    labels = np.arange(90) % 3
    chosen = probabilities.argmax(axis=1)
    fields = image_answers(labels, probabilities, "accuracy", 1, has_curves=True, n_classes=3)
    add(fixture, Answers.of_fields(fields))
    assert load(fixture) is None  # of other data, which has as many outputs as classes
    found = known(fixture, outputs=5)
    assert list(found.class_names) == ["0", "1", EVIL, "no class"]
    (model,) = found.models
    assert model.matrix.tolist() == confusion_matrix(labels, np.minimum(chosen, 3), labels=range(4)).tolist()
    assert model.matrix[:, 3].sum() > 20
    assert set(model.curves) == {0, 1, 2}
    assert class_scores_frame(found).shape[0] == 4
    answers_markdown(found)
    add(fixture, stored(*network(3)))  # nothing of these is unnamed
    assert list(known(fixture, outputs=5).class_names)[-1] == "no class"
    two = image_answers(np.arange(90) % 2, probabilities, "accuracy", 1, has_curves=True, n_classes=2)
    assert set(two["curves"]) == {"1"}
    assert two["curves"]["1"]["auc"] == pytest.approx(roc_auc_score(np.arange(90) % 2, probabilities[:, 1]))


def test_the_confusion_matrix_is_scikit_learns(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    labels, probabilities = network(3)
    add(fixture, stored(labels, probabilities))
    (model,) = known(fixture).models
    assert model.matrix.tolist() == confusion_matrix(labels, probabilities.argmax(axis=1)).tolist()
    first = model.mistakes[0]
    assert first[2] == max(n for _, _, n in model.mistakes) == model.matrix[first[0], first[1]]
    assert sum(n for _, _, n in model.mistakes) == (labels != probabilities.argmax(axis=1)).sum()


def test_models_stand_in_the_order_of_the_front_and_others_are_named(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    for seed in range(3):
        add(fixture, stored(*network(3, seed=seed)) if seed != 1 else None)
    fixture.complete(0.1, 9000, 9.0, answers={"validation": stored(*network(3))})  # beaten: its model is removed
    found = known(fixture)
    assert [model.number for model in found.models] == [2, 0]
    assert (found.unknown, found.n_images, found.split) == ([1], 90, "validation")


def test_there_is_nothing_without_answers_or_classes(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    add(fixture, None)
    assert load(fixture) is None
    add(fixture, stored(*network(3)))
    assert load(fixture, ()) is None  # as where the labels are numbers
    assert load(fixture, ("0", "1")) is None  # answers to other classes than the study's
    page = render_page(fixture.results(), tmp_path)
    assert "The answers of no model on the front are known." in page
    assert [path.name for path in write_report(fixture.results(), tmp_path).paths][-1] == "classes.csv"


def test_a_confirmation_shows_the_test_images(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    labels, probabilities = network(3, n=50)
    both = {"validation": stored(*network(3)), "test": stored(labels, probabilities)}
    fixture.complete(0.9, 100, 1.0, answers=both)
    assert known(fixture).n_images == 90
    study = fixture.study.record
    confirming = replace(fixture.results(), study=replace(study, spec={**study.spec, "confirms": "digits"}))
    found = load_front_answers(fixture.study, confirming)
    assert found is not None
    assert (found.split, found.n_images) == ("test", 50)
    assert "to the 50 test images, which chose nothing." in answers_markdown(found)


@pytest.mark.parametrize("positive_class", [0, 1])
def test_tables_of_two_classes_are_scikit_learns(tmp_path: Path, positive_class: int) -> None:
    fixture = ReportFixture.make(tmp_path)
    labels, probabilities = network(2)
    add(fixture, stored(labels, probabilities, positive_class))
    found = known(fixture, "fire", "none", positive_class=positive_class)
    frame = class_scores_frame(found)
    assert frame["class"].tolist() == ["fire", "none"]
    is_positive, scores = labels == positive_class, probabilities[:, positive_class]
    own, other = frame.iloc[positive_class], frame.iloc[1 - positive_class]
    assert own["auc"] == pytest.approx(roc_auc_score(is_positive, scores))
    assert own["average_precision"] == pytest.approx(average_precision_score(is_positive, scores))
    assert np.isnan(other["auc"])
    (tn, fp), (fn, tp) = confusion_matrix(is_positive, probabilities.argmax(axis=1) == positive_class)
    shares = {"recall": (tp, fn), "specificity": (tn, fp), "precision": (tp, fp), "npv": (tn, fn)}
    for name, (right, wrong) in shares.items():
        value = right / (right + wrong)
        assert own[name] == pytest.approx(value), name
        assert own[f"{name}_low"] < value < own[f"{name}_high"]
    assert (own["images"], own["taken_for_it"], own["split"]) == (tp + fn, tp + fp, "validation")
    pairs = confusion_frame(found)
    assert pairs["images"].sum() == 90
    names = ["fire", "none"]
    is_missed = (pairs["class"] == names[positive_class]) & (pairs["taken_for"] == names[1 - positive_class])
    assert pairs[is_missed]["images"].tolist() == [fn]

    page = text_of(render_page(fixture.results(), tmp_path, answers=found))
    assert f"{100 * tp / (tp + fn):.2f} %" in page
    assert f"{tn} of {tn + fn}" in page
    assert f"of the positive class, {names[positive_class]}, that are taken for it" in page


def test_a_class_that_does_not_occur_and_one_never_named_leave_cells_empty(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    labels = np.array([0, 0, 0, 1, 1])
    add(fixture, stored(labels, np.tile(np.float32([0.8, 0.1, 0.1]), (5, 1))))  # always says the first
    files = write_report(fixture.results(), tmp_path / "out", answers=known(fixture, "a", "b", "c"))
    assert [path.name for path in files.paths][-2:] == ["class_scores.csv", "confusion.csv"]
    frame = pd.read_csv(tmp_path / "out" / "class_scores.csv")
    assert frame["recall"].isna().tolist() == [False, False, True]
    assert frame["precision"].isna().tolist() == [False, True, True]
    assert frame["npv"].tolist()[1:] == [0.6, 1.0]
    assert frame["auc"].tolist()[:2] == [0.5, 0.5]
    assert np.isnan(frame["auc"][2])
    assert pd.read_csv(tmp_path / "out" / "confusion.csv").to_numpy().tolist() == [
        [0, "a", "a", 3, "validation"],
        [0, "b", "a", 2, "validation"],
    ]
    page = text_of(files.report_html.read_text())
    assert "b taken for a: 2 of 2" in page
    assert "b: 0 of 2" in page
    assert "- none" in page
