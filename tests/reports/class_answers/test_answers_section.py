"""What the page shows of models' answers: names, words, reliability, and how much of many models or classes."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.calibration import calibration_curve

from tests.reports.class_answers.stored_answers import EVIL, add, known, network, stored, text_of
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.class_answers.calibration import describe_calibration
from tunefront.reports.class_answers.class_answers import FrontAnswers
from tunefront.reports.class_answers.section import answers_markdown, class_answer_figures
from tunefront.reports.class_answers.tables import class_scores_frame
from tunefront.reports.page.page import render_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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
