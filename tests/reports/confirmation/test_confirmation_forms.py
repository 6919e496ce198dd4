"""A confirmation in every form: terminal, data frame, page."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from tests.reports.confirmation.confirmation_fixture import (
    confirmation_of,
    load,
    parameters,
    search,
    train,
)
from tests.reports.confirmation.confirmation_readings import printed, wilson_side
from tests.reports.report_fixture import ReportFixture
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.sentences import describe_confirmation, show_estimate, show_points
from tunefront.reports.confirmation.statistics import Estimate
from tunefront.reports.confirmation.tables import confirmation_markdown, confirmation_table, confirmed_frame
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.reports.study_results import StudyResults, load_results
from tunefront.storage import studies


def test_a_finalist_whose_every_training_failed_is_told_of_in_every_form(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [None, None], 2000, 2.0)
    alone = load(fixture)
    text = " ".join(describe_confirmation(alone))
    assert "1 of the search's front and 0 near misses were trained again. 2 trainings failed" in text
    train(trainings, 1, [0.90, 0.91], 1000, 1.0)
    found = load(fixture)
    assert found.is_finished
    assert [(f.number, f.verdict, f.n_failed) for f in found.finalists] == [(1, "confirmed", 0), (0, "failed", 2)]
    text = " ".join(describe_confirmation(found))
    assert "2 of the search's front and 0 near misses were trained again, 2 times each" in text
    assert "2 trainings failed; nothing took their place. With every seed failed trial 0." in text
    assert "Luck: 0 of the 1 on the search's front." in text
    assert "Cautious front: trial 1." in text
    frame = confirmed_frame(found).set_index("trial")
    assert (frame.loc[0, "verdict"], frame.loc[0, "n_failed"], frame.loc[0, "n_trainings"]) == ("failed", 2, 0)
    assert not frame.loc[0, "on_cautious_front"]
    page = render_page(fixture.results(), tmp_path, found).split('id="plotly"')[0]
    for form in (page, printed(found), confirmation_markdown(found)):
        assert "failed" in form
        assert "nan" not in form.replace('data-value="nan"', "")


def test_no_cell_is_cut_off_where_a_terminal_is_narrow(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    for number in (0, 1, 3):
        train(trainings, number, [0.8, 0.95], 1234, 2.0, start=number)
    found = load(fixture)
    wide, narrow = printed(found), printed(found, 80)
    for finalist in found.finalists:
        (row,) = (line.split() for line in wide.splitlines() if line.split()[:1] == [str(finalist.number)])
        assert row in [line.split() for line in narrow.splitlines()]
        assert " ".join(row[1:]).startswith(finalist.verdict)
        below = printed(found, 40)
        assert f"  {finalist.verdict}" in below  # never cut off; what has no room stands below
        assert "memory 1.23 kB" in below


def test_the_terminal_shows_a_table_and_the_sentences(confirmation: Confirmation) -> None:
    text = printed(confirmation)
    assert "digits: confirmed" in text
    assert "91.00 ± 4.21 %" in text
    assert "luck" in text
    assert "Search-to-test gap" in text


def test_what_the_search_saw_of_a_model_that_only_guesses_is_marked_in_every_form(
    searched: ReportFixture, confirmation: Confirmation, tmp_path: Path
) -> None:
    found = searched.results()
    chances = {"accuracy": {"score": 0.72, "standard_error": 0.05}}  # guessing may reach 82 %, and trial 2 had 80
    study = replace(found.study, dataset={**found.study.dataset, "chances": chances})
    marked = load_confirmation(searched.store, replace(found, study=study))
    assert marked is not None
    shown = io.StringIO()
    Console(file=shown, width=200).print(confirmation_table(marked))
    page = render_page(marked.search, tmp_path, marked)
    page = page[page.index('<section id="confirmation">') :]
    for form in (shown.getvalue(), confirmation_markdown(marked).replace("\\", ""), page):
        text = " ".join(form.split())
        assert "80.00 % *" in text
        assert "90.00 % *" not in text
        assert "* no better than guessing: not two standard errors (10.00 %) above the 72.00 % accuracy" in text
    assert "guessing" not in confirmation_markdown(confirmation)
    frame = confirmed_frame(marked).set_index("trial")["search_no_better_than_guessing"]
    assert frame.to_dict() == {0: False, 1: False, 2: True, 3: False}


def test_the_frame_has_a_row_for_each_finalist(confirmation: Confirmation) -> None:
    frame = confirmed_frame(confirmation).set_index("trial")
    assert frame.index.tolist() == [3, 0, 1, 2]
    assert frame.loc[0, "beaten_by"] == 3
    assert frame.loc[0, "gap"] == pytest.approx(0.04)
    assert frame.loc[3, "accuracy_high"] == pytest.approx(0.95 + math.hypot(0.02484, wilson_side(0.95, 360)), abs=1e-4)
    assert frame.loc[2, "accuracy_high"] <= 1.0
    assert frame.loc[2, "n_failed"] == 1
    assert not frame["times_are_shared"].any()


def test_a_report_has_it_in_every_form(searched: ReportFixture, confirmation: Confirmation, tmp_path: Path) -> None:
    model = tmp_path / "confirmation" / "models" / "trial-3.keras"
    model.parent.mkdir(parents=True)
    model.touch()
    files = write_report(searched.results(), tmp_path, confirmation)
    assert files.confirmed_csv == tmp_path / "confirmed.csv"
    assert len(pd.read_csv(files.confirmed_csv)) == 4
    markdown = files.front_md.read_text()
    assert "## Confirmed" in markdown
    assert "| 0 | 91.00 ± 4.21 % | 95.00 % |" in markdown
    page = files.report_html.read_text()
    assert '<section id="confirmation">' in page
    assert "no: trial 3" in page
    figures = [part.split("</script>")[0] for part in page.split('<script type="application/json" id="confirmed-')[1:]]
    assert len(figures) == 2
    assert all(json.loads(figure.split(">", 1)[1])["data"] for figure in figures)


def test_the_page_links_the_model_of_the_best_training_on_validation(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    models = tmp_path / "confirmation" / "models"
    models.mkdir(parents=True)
    for number, accuracy in enumerate((0.90, 0.92, 0.91)):
        (models / f"trial-{number}.keras").touch()
        path = str(models / f"trial-{number}.keras") if number != 1 else ""  # no model was kept
        trainings.study.optuna.enqueue_trial(parameters(0), user_attrs={"candidate": 0, "seed": number})
        trainings.complete(accuracy, 2000, 2.0, parameters=parameters(0), is_new=False, model_path=path)
    page = render_page(fixture.results(), tmp_path, load(fixture))
    assert 'href="confirmation/models/trial-2.keras"' in page


def test_a_page_without_one_is_as_before_and_tells_how_to_get_one(results: StudyResults, tmp_path: Path) -> None:
    page = render_page(results, tmp_path)
    assert '<section id="confirmation">' not in page
    assert "tunefront confirm digits" in page


def test_the_page_of_the_trainings_says_what_they_are(searched: ReportFixture, tmp_path: Path) -> None:
    study = studies.find(searched.store, "digits.confirmation")
    assert study is not None
    page = render_page(load_results(study), tmp_path)
    assert "single trainings of the finalists of <b>digits</b>" in page
    assert "No trial saw the test images" not in page
    assert "tunefront confirm digits.confirmation" not in page
    assert "is not finished" not in page  # 11 are complete, and the failed training is not replaced


def test_the_page_of_unfinished_trainings_names_the_command_that_goes_on(tmp_path: Path) -> None:
    fixture = search(tmp_path)
    trainings = confirmation_of(fixture)
    train(trainings, 0, [0.9], 2000, 2.0)
    page = render_page(trainings.results(), tmp_path).replace("&#39;", "'")
    assert "1 of 12 trials are finished. 'tunefront confirm digits' goes on with it." in page


@pytest.mark.parametrize(
    ("found", "unit", "expected"),
    [
        (Estimate(0.974, 0.008, 3), "fraction", "97.40 ± 0.80 %"),
        (Estimate(0.974, float("nan"), 1), "fraction", "97.40 %"),
        (Estimate(966107.0, 0.0, 3), "bytes", "966 kB"),
        (Estimate(966107.0, 12345.0, 3), "bytes", "966 ± 12 kB"),
        (Estimate(2.08, 0.13, 3), "seconds", "2.08 ± 0.13 s"),
        (Estimate(0.0042, 0.0004, 3), "seconds", "4.2 ± 0.4 ms"),
        (Estimate(0.415, 0.1912, 2), "seconds", "415 ± 190 ms"),
        (Estimate(104.0, 112.0, 2), "seconds", "104 ± 110 s"),
        (Estimate(0.0, 0.1, 3), "seconds", "0 µs"),
        (Estimate(0.0, 0.0, 2, 0.037), "fraction", "0.00 ± 3.70 %"),  # as 100 % has it
        (Estimate(float("nan"), float("nan"), 0), "seconds", "-"),
    ],
)
def test_an_estimate_reads_well(found: Estimate, unit: Any, expected: str) -> None:
    assert show_estimate(found, unit) == expected


def test_points_have_a_sign() -> None:
    assert show_points(Estimate(0.0037, 0.008, 3), "fraction") == "+0.37 ± 0.80"
    assert show_points(Estimate(-0.01, float("nan"), 1), "fraction") == "\N{MINUS SIGN}1.00"
    assert show_points(Estimate(-1e-17, 0.01, 2), "fraction") == "+0.00 ± 1.00"
    assert show_points(Estimate(float("nan"), float("nan"), 0), "fraction") == "-"
