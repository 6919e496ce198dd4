"""Tables as papers print them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.reports.report_fixture import ReportFixture
from tunefront.reports.study_results import StudyResults
from tunefront.reports.tables.pivot import PivotError, make_pivot, pivot_latex, pivot_markdown


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """Six trials of two optimizers and two rates; nobody tried sgd with 0.1."""
    fixture = ReportFixture.make(tmp_path_factory.mktemp("study"))
    for optimizer, rate, accuracy in (
        ("adam", 0.01, 0.90),
        ("adam", 0.01, 0.92),
        ("adam", 0.1, 0.50),
        ("sgd", 0.01, 0.80),
        ("a|b", 0.001, 0.70),
    ):
        parameters = {"optimizer.name": optimizer, f"{optimizer}.learning_rate": rate}
        fixture.complete(accuracy, 1000, 100 * rate, parameters=parameters, measurements={"latency_seconds": 0.002})
    return fixture.results()


def test_each_cell_has_the_most_accurate_trial(results: StudyResults) -> None:
    pivot = make_pivot(results, "optimizer", "learning_rate", ["accuracy", "time"])
    assert pivot.row_values == ["adam", "a|b", "sgd"]
    assert pivot.column_values == ["0.001", "0.01", "0.1"]  # as numbers, not as texts
    assert pivot.cells["adam", "0.01"].number == 1
    assert pivot.counts["adam", "0.01"] == 2
    assert pivot.titles[:3] == ["optimizer", "learning_rate 0.001 accuracy", "learning_rate 0.001 train_seconds"]
    assert pivot.texts()[0] == ["adam", "", "", "92.00 %", "1 s", "50.00 %", "10 s"]
    frame = pivot.frame()
    assert frame.loc["adam", "learning_rate 0.01 accuracy"] == 0.92
    assert math.isnan(frame.loc["sgd", "learning_rate 0.1 accuracy"])


def test_one_parameter_and_any_measure(results: StudyResults) -> None:
    pivot = make_pivot(results, "optimizer", show=["latency_seconds"])
    assert pivot_markdown(pivot).splitlines() == [
        "| optimizer | latency_seconds |",
        "| --- | --- |",
        "| adam | 2 ms |",
        "| a\\|b | 2 ms |",
        "| sgd | 2 ms |",
    ]


def test_latex_is_escaped(results: StudyResults) -> None:
    text = pivot_latex(make_pivot(results, "optimizer", "learning_rate", ["accuracy", "model_bytes"]))
    assert r"\toprule" in text
    assert r"\begin{tabular}{lrrrrrr}" in text
    assert r"\multicolumn{2}{c}{learning\_rate = 0.01}" in text
    assert r"92.00 \%" in text
    assert "model_bytes" not in text  # its underscore is escaped


def test_mistakes(results: StudyResults, tmp_path: Path) -> None:
    with pytest.raises(PivotError, match="has no parameter 'optimiser'. Did you mean 'optimizer'?"):
        make_pivot(results, "optimiser")
    with pytest.raises(PivotError, match="Did you mean 'accuracy'?"):
        make_pivot(results, "optimizer", show=["acuracy"])
    with pytest.raises(PivotError, match="no complete trial"):
        make_pivot(ReportFixture.make(tmp_path).results(), "optimizer")
