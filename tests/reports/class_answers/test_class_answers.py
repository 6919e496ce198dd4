"""What a report says of the answers of the models on the front, from the store to the page and the CSV files."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.class_answers.calibration import describe_calibration
from tunefront.reports.class_answers.class_answers import FrontAnswers, load_front_answers
from tunefront.reports.class_answers.section import answers_markdown, class_answer_figures
from tunefront.reports.class_answers.tables import class_scores_frame, confusion_frame
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.search.trial.image_answers import image_answers
from tunefront.storage.answers import Answers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVIL = "<script>alert('class')</script>"


def network(n_classes: int, n: int = 90, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return labels and probabilities of a network that is right about most images, with ties."""
    random = np.random.default_rng(seed)
    labels = random.integers(n_classes, size=n)
    probabilities = (random.dirichlet(np.ones(n_classes), n) + 0.3 * np.eye(n_classes)[labels]).round(1) + 0.01
    return labels, (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


def stored(labels: NDArray[Any], probabilities: NDArray[Any], positive_class: int = 1) -> Answers:
    return Answers.of_fields(image_answers(labels, probabilities, "accuracy", positive_class, has_curves=True))


def add(fixture: ReportFixture, answers: Answers | None, split: str = "validation") -> int:
    """Add a trial to the front; each further one is more accurate and larger."""
    n = len(fixture.results().trials)
    return fixture.complete(0.5 + 0.01 * n, 100 + n, 1.0, answers={} if answers is None else {split: answers})


def load(fixture: ReportFixture, names: Sequence[str] = ("0", "1", EVIL), **facts: Any) -> FrontAnswers | None:
    found = fixture.results()
    dataset = {**found.study.dataset, "class_names": list(names), **facts}
    return load_front_answers(fixture.study, replace(found, study=replace(found.study, dataset=dataset)))


def known(fixture: ReportFixture, *names: str, **facts: Any) -> FrontAnswers:
    found = load(fixture, names or ("0", "1", EVIL), **facts)
    assert found is not None
    return found


def text_of(page: str) -> str:
    without_scripts = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", without_scripts).split()))


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


def test_names_are_escaped_and_folds_are_explained(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    add(fixture, stored(*network(3)))
    found = known(fixture, folds=5)
    page = render_page(fixture.results(), tmp_path, answers=found)
    assert EVIL not in page
    assert "With 5 folds the kept model is that of the first fold, and so are these images" in text_of(page)
    assert EVIL not in str([figure.to_json() for figure in class_answer_figures(found).values()])
    markdown = answers_markdown(found)
    assert "## What the kept models get wrong" in markdown
    assert "<script>" not in markdown.replace("\\<script\\>", "")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_of_a_table_are_never_called_images(tmp_path: Path, n_classes: int) -> None:
    fixture = ReportFixture.make(tmp_path)
    add(fixture, stored(*network(n_classes, n=120)))
    facts = {"columns": [{"name": "age", "kind": "number", "vocabulary": []}], "folds": 3, "positive_class": 1}
    found = known(fixture, *("a", "b", "c")[:n_classes], **facts)
    results = fixture.results()
    of_table = replace(results, study=replace(results.study, dataset={**results.study.dataset, **facts}))
    page = render_page(of_table, tmp_path, answers=found)
    section = page.partition('<section id="answers">')[2].partition("</section>")[0]
    figures = str([figure.to_json() for figure in class_answer_figures(found).values()])
    for text in (text_of(section), answers_markdown(found), figures):
        assert "rows" in text
        assert "image" not in text


@pytest.mark.parametrize("n_classes", [2, 3])
def test_each_model_has_its_reliability_and_a_sentence(tmp_path: Path, n_classes: int) -> None:
    fixture = ReportFixture.make(tmp_path)
    labels, probabilities = network(n_classes, n=200)
    add(fixture, stored(labels, probabilities))
    add(fixture, replace(stored(labels, probabilities), calibration=()))  # as an older tunefront stored it
    found = known(fixture, *("a", "b", "c")[:n_classes], positive_class=1)
    figures = class_answer_figures(found)
    points = figures["reliability-0"].data[1]
    shares, means = calibration_curve(
        probabilities.argmax(axis=1) == labels, probabilities.max(axis=1).astype(float), n_bins=10, strategy="quantile"
    )
    assert list(points.x) == pytest.approx(means, abs=1e-4)
    assert list(points.y) == pytest.approx(shares, abs=1e-4)
    assert sum(points.customdata) == 200
    assert "reliability-1" not in figures
    page = text_of(render_page(fixture.results(), tmp_path, answers=found))
    right = 100 * (probabilities.argmax(axis=1) == labels).mean()
    sure = 100 * probabilities.max(axis=1).mean()
    assert f"it is {sure:.1f} % sure on average, and {right:.1f} % of its answers are right" in page
    assert "How far its probabilities can be trusted is not known: an earlier tunefront" in page
    assert f"Trial 0: {describe_calibration(found.models[1].calibration, 200, 'images')}" in answers_markdown(found)


def test_of_many_models_ten_are_drawn_and_the_files_have_all(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=12)
    for seed in range(12):
        add(fixture, stored(*network(2, seed=seed)))
    found = known(fixture, "a", "b", positive_class=1)
    figures = class_answer_figures(found)
    assert list(figures) == [f"confusion-{number}" for number in range(11, 1, -1)] + ["roc", "precision_recall"]
    assert len([trace for trace in figures["roc"].data if trace.name]) == 10
    assert "class_scores.csv also has trials 1, 0." in text_of(render_page(fixture.results(), tmp_path, answers=found))
    assert class_scores_frame(found)["trial"].nunique() == 12


def test_sixty_classes_of_long_names_can_be_read_and_add_little(tmp_path: Path) -> None:
    names = [f"a class with a name that is rather long, number {number}" for number in range(60)]
    fixture = ReportFixture.make(tmp_path)
    add(fixture, stored(*network(60, n=1200)))
    found = known(fixture, *names)
    without, page = (render_page(fixture.results(), tmp_path, answers=answers) for answers in (None, found))
    assert len(page) - len(without) < 300_000
    assert text_of(page).count(names[59]) >= 1
    assert "ten classes with the smallest AUC" in text_of(page)
    more = known_with(61, tmp_path / "more")
    assert not class_answer_figures(more)["confusion-0"].data  # too many rows: the tables say it


def known_with(n_classes: int, folder: Path) -> FrontAnswers:
    folder.mkdir()
    fixture = ReportFixture.make(folder)
    add(fixture, stored(*network(n_classes, n=900)))
    found = known(fixture, *map(str, range(n_classes)))
    page = render_page(fixture.results(), folder, answers=found)
    assert f"the 60 classes with the lowest F1, of {n_classes}" in text_of(page)
    return found


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome to render the page")
def test_another_models_answers_are_shown_when_it_is_chosen(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    for seed in range(2):
        add(fixture, stored(*network(3, seed=seed)))
    page = render_page(fixture.results(), tmp_path, answers=known(fixture))
    # The page's own script chooses the second model, as a click does.
    click = "document.querySelector('[name=answered][value=\"0\"]').click();"
    page = page.replace("drawAll();</script>", f"drawAll(); {click}</script>")
    report = tmp_path / "report.html"
    report.write_text(page)
    shown = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000",
            "--dump-dom", report.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    section = shown.stdout.split('<section id="answers">')[1].split("</section>")[0]
    assert re.findall(r'data-figure="([^"]*)"', section) == ["confusion-0", "roc-0", "precision_recall-0"]
    assert section.count("main-svg") >= 3
    assert "Trial 0: confusion matrix" in section
    assert 'data-answers="1" hidden' in section
    assert 'data-answers="0" hidden' not in section
    assert "CONSOLE" not in shown.stderr
