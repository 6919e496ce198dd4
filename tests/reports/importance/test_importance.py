"""What a report says of importances, and why there are none."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import IntDistribution

from tests.reports.importance.simulated_studies import Parameters, clear, noise, record, simulate
from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import Axis
from tunefront.reports.importance.importance import FRONT, Importance, find_importance
from tunefront.reports.importance.section import importance_frame, importance_markdown
from tunefront.reports.page.page import render_page
from tunefront.reports.report_files import write_report
from tunefront.reports.study_results import StudyResults

TWO: dict[Axis, Any] = {axis: THREE[axis] for axis in ("accuracy", "memory")}


@pytest.fixture(scope="module")
def results(empty: StudyResults) -> StudyResults:
    """Results in which accuracy depends on the width, and memory on the units and, for sgd, on the learning rate."""

    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        accuracy, memory, seconds = noise(rng)
        memory += 300 * math.log(parameters["net.units"]) - 2000 * math.log10(parameters.get("sgd.rate", 0.1))
        return accuracy - abs(parameters["net.width"] - 0.3), memory, seconds

    return simulate(empty, 120, values, seed=4, has_optimizers=True)


@pytest.fixture(scope="module")
def found(results: StudyResults) -> Importance:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return find_importance(results)


def test_what_decides_is_found_for_the_right_objective(found: Importance) -> None:
    assert {name for name, target in clear(found) if target == "accuracy"} == {"net.width"}
    assert found.strengths["net.width"]["accuracy"].strength < 1.0  # the only one, and not all
    assert found.strengths["net.width"]["accuracy"].chance < 0.001
    assert ("optimizer.name", "memory") in clear(found)
    assert not {name for name, target in clear(found) if target == "time"}


def test_the_strongest_comes_first(found: Importance) -> None:
    most = [max(each.strength for each in row.values()) for row in found.strengths.values()]
    assert most == sorted(most, reverse=True)
    assert next(iter(found.strengths)) in {name for name, _ in clear(found)}


def test_the_best_are_a_third_with_ties_and_the_front_is_the_front(found: Importance, results: StudyResults) -> None:
    assert found.n_best == {"accuracy": 40, "memory": 40, "time": 40, FRONT: 8}
    assert found.n_trials == 120
    assert found.n_having["net.width"] == 120
    assert 20 < found.n_having["sgd.rate"] < 60
    tied = [replace(trial, values=(0.5 + (trial.number < 30), 1.0, 1.0)) for trial in results.trials]
    every = find_importance(replace(results, trials=tied))
    assert every.n_best == {"accuracy": 120, "memory": 120, "time": 120, FRONT: 8}
    assert not {target for _, target in clear(every)} & {"accuracy", "memory", "time"}


def test_the_same_study_has_the_same_importances(found: Importance, results: StudyResults) -> None:
    assert find_importance(results) == found


@pytest.mark.parametrize(
    ("n_trials", "why"),
    [
        (0, "Importances need 10 complete trials, and there are 0."),
        (1, "Importances need 10 complete trials, and there is 1."),
        (9, "Importances need 10 complete trials, and there are 9."),
    ],
)
def test_few_trials_have_none(empty: StudyResults, tmp_path: Path, n_trials: int, why: str) -> None:
    results = simulate(empty, n_trials, lambda _, rng: noise(rng), 0)
    importance = find_importance(results)
    assert importance.why_none == why
    assert why in render_page(results, tmp_path)
    assert importance_markdown(importance) == f"## Which parameters matter\n\n{why}\n"
    assert len(importance_frame(importance)) == 0


def test_one_objective_has_no_front_to_be_on(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {"accuracy": THREE["accuracy"]})
    for number in range(12):
        fixture.complete(0.5 + number / 100, 10, 1.0, parameters={"net.rate": float(number) / 2}, curve=())
    found = find_importance(fixture.results())
    assert list(found.n_best) == ["accuracy"]
    assert (found.why_none, found.why_no_front) == ("", "")
    assert found.strengths.keys() == {"net.rate"}  # distributions come from the store


def test_a_front_of_few_or_of_all_is_no_target(results: StudyResults) -> None:
    few = find_importance(replace(results, front_numbers=frozenset({1, 2})))
    assert FRONT not in few.n_best
    assert few.why_no_front == "Importances for being on the front need 5 trials on it, and there are 2."
    every = find_importance(replace(results, front_numbers=frozenset(trial.number for trial in results.trials)))
    assert every.why_no_front == "Every complete trial is on the front, so no parameter decides about that."


def test_what_cannot_vary_is_left_out(empty: StudyResults, results: StudyResults) -> None:
    space = {"net.units": IntDistribution(5, 5)}
    trials = [record(number, {"net.units": 5}, space, number / 100, 1.0, 1.0) for number in range(20)]
    found = find_importance(replace(empty, trials=trials))
    assert found.why_none == "Nothing varies in this study, so nothing is important."
    fixed = [replace(trial, distributions={**trial.distributions, **space}) for trial in results.trials]
    assert "net.units" not in find_importance(replace(results, trials=fixed)).strengths


def test_finalists_trained_again_have_none(results: StudyResults) -> None:
    study = replace(results.study, spec={**results.study.spec, "confirms": "digits"})
    assert find_importance(replace(results, study=study)).why_none.startswith("These are finalists")


def test_the_page_shows_bars(results: StudyResults, tmp_path: Path) -> None:
    page = render_page(results, tmp_path)
    section = page[page.index('<section id="importance">') :].split("</section>")[0]
    assert "net width" in section
    strength = find_importance(results).strengths["net.width"]["accuracy"].strength
    assert f'<i style="width: {100 * strength:.1f}%">' in section
    assert f"<b>{strength:.2f}</b>" in section
    assert "best 40" in section
    assert "120 complete trials" in section
    assert "dropout" not in section.partition("parallel")[0]


def test_markdown_and_csv_say_the_same(results: StudyResults, found: Importance, tmp_path: Path) -> None:
    files = write_report(results, tmp_path)
    table = [line for line in files.front_md.read_text(encoding="utf-8").splitlines() if line.endswith("net.width |")]
    # The first table is the front's, where the width is a title, the last one ours.
    assert table[-1].startswith(f"| {found.strengths['net.width']['accuracy'].strength:.2f} |")
    frame = pd.read_csv(files.importance_csv)
    assert len(frame) == len(found.strengths) * 4
    row = frame[(frame.parameter == "net.width") & (frame.target == "accuracy")].iloc[0]
    assert (row.strength, row.is_clear, row.n_best, row.n_with_parameter, row.n_trials) == (
        pytest.approx(found.strengths["net.width"]["accuracy"].strength), True, 40, 120, 120
    )  # fmt: skip
    assert 0 < row.chance < 0.001


def test_the_page_escapes_names(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, TWO)
    for number in range(24):
        fixture.complete(0.5 + number / 100, 10, 1.0, parameters={"<script>.x": float(number) / 3}, curve=())
    found = find_importance(fixture.results())
    shares = {"<script>.x": {key: replace(s, is_clear=True) for key, s in found.strengths["<script>.x"].items()}}
    page = render_page(fixture.results(), tmp_path, importance=replace(found, strengths=shares))
    assert "&lt;script&gt; x" in page
    assert "<script> x" not in page


def test_of_very_many_trials_the_front_and_others_of_the_whole_search_are_compared(
    empty: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    def values(parameters: Parameters, rng: np.random.Generator) -> tuple[float, ...]:
        return parameters["net.width"] + float(rng.normal(0, 0.05)), 1000.0, 1.0

    many = replace(simulate(empty, 400, values, 3), front_numbers=frozenset(range(391, 400)))
    monkeypatch.setattr("tunefront.reports.importance.importance.MOST_TRIALS", 100)
    found = find_importance(many)
    assert (found.n_trials, found.n_left_out, found.n_best[FRONT]) == (100, 300, 9)
    assert ("net.width", "accuracy") in clear(found)
    assert "100 of the 400 complete trials (all of the front, and others spread evenly" in importance_markdown(found)
    monkeypatch.setattr("tunefront.reports.importance.importance.MOST_TRIALS", 400)
    assert find_importance(many).n_left_out == 0
    assert "which of the 400 complete trials are" in importance_markdown(find_importance(many))
