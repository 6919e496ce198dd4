"""Confirmations of predicted numbers: errors, of which less is better, and a bootstrap over what was predicted."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats
from sklearn import metrics

from tests.reports.report_fixture import MACHINE, ReportFixture
from tests.reports.test_numbers import DATASET, numbers_study
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.figures import confirmation_figures
from tunefront.reports.confirmation.image_scores import N_RESAMPLES, drawn_scores, scores_on
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.confirmation.sentences import describe_confirmation, describe_method, show_estimate, show_points
from tunefront.reports.confirmation.statistics import Estimate, front_shares, resampled_means
from tunefront.reports.confirmation.tables import confirmation_markdown, confirmation_table, confirmed_frame
from tunefront.reports.page.page import render_page
from tunefront.storage import studies
from tunefront.storage.answers import Answers

N_TEST = 80
LABELS = np.random.default_rng(0).normal(50, 20, N_TEST)


def answers_with(error: float, seed: int) -> Answers:
    """Return predictions of the test labels whose RMSE is exactly `error`."""
    noise = np.random.default_rng(seed).normal(size=N_TEST)
    noise *= error / math.sqrt(np.mean(noise**2))
    return Answers(LABELS.tolist(), (LABELS + noise).tolist())  # type: ignore[arg-type]


def parameters(number: int) -> dict[str, Any]:
    return {"optimizer.name": "adam", "cnn.filters": number}


def train(fixture: ReportFixture, candidate: int, errors: Sequence[float], memory: float, seconds: float) -> None:
    """Add trainings with these test errors and predictions; their validation errors are half a unit smaller."""
    for seed, error in enumerate(errors):
        fixture.study.optuna.enqueue_trial(parameters(candidate), user_attrs={"candidate": candidate, "seed": seed})
        fixture.complete(
            error - 0.5, memory, seconds + seed / 1000, parameters=parameters(candidate), is_new=False,
            measurements={"test_rmse": error, "load_average": 0.9},
            answers={"test": answers_with(error, 100 * candidate + seed)},
        )  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> ReportFixture:
    """A confirmed search. 0 was luck: 3 is as small and fast, and its error smaller. 1 is confirmed.

    The search saw an error of 2 of trial 0, and of trial 1 one that trainings reach.
    """
    fixture = numbers_study(tmp_path_factory.mktemp("confirmed"))
    for number, values in enumerate([(2.0, 2000, 2.0), (7.0, 1000, 1.0), (9.0, 4000, 4.0), (2.1, 2100, 2.1)]):
        fixture.complete(*values, parameters=parameters(number))
    name = f"{fixture.record.name}.confirmation"
    spec = {**fixture.record.spec, "name": name, "confirms": fixture.record.name, "trials": 9}
    directions = ["minimize"] * 3
    study = studies.create(fixture.store, name, spec, DATASET, directions, list("abc"))  # type: ignore[arg-type]
    studies.register_worker(study, f"{name}-1", "boot", 1, MACHINE)
    trainings = ReportFixture(study)
    train(trainings, 0, [5.9, 6.1, 6.0], 2000, 2.0)
    train(trainings, 1, [7.5, 7.4, 7.6], 1000, 1.0)
    train(trainings, 3, [3.0, 3.2, 2.8], 2000, 1.9)
    return fixture


@pytest.fixture(scope="module")
def confirmation(searched: ReportFixture) -> Confirmation:
    found = load_confirmation(searched.store, searched.results())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def found(confirmation: Confirmation) -> dict[int, Confirmed]:
    return {finalist.number: finalist for finalist in confirmation.finalists}


@pytest.mark.parametrize("measure", ["rmse", "mae", "r2"])
def test_a_draws_scores_are_those_of_scikit_learn(measure: str) -> None:
    random = np.random.default_rng(1)
    labels = random.normal(1e6, 3, 40)
    answers = [Answers(labels.tolist(), (labels + random.normal(0, s, 40)).tolist()) for s in (0.5, 2, 9)]  # type: ignore[arg-type]
    draws = [random.integers(40, size=40) for _ in range(6)]
    weights = np.stack([np.bincount(draw, minlength=40) for draw in draws]).astype(np.float32)
    score = {
        "rmse": metrics.root_mean_squared_error, "mae": metrics.mean_absolute_error, "r2": metrics.r2_score,
    }[measure]  # fmt: skip
    expected = [[score(labels[draw], np.array(one.chosen)[draw]) for one in answers] for draw in draws]
    np.testing.assert_allclose(scores_on(weights, answers, measure, 0, 0), expected, rtol=1e-6)


def test_r2_is_not_known_where_all_labels_of_a_draw_are_equal() -> None:
    answers = Answers([0.1, 0.1, 5.0], [0.2, 0.0, 5.0])  # type: ignore[arg-type]
    weights = np.array([[2, 1, 0], [1, 1, 1]], dtype=np.float32)
    scores = scores_on(weights, [answers], "r2", 0, 0)[:, 0]
    assert math.isnan(scores[0])
    assert scores[1] == pytest.approx(metrics.r2_score([0.1, 0.1, 5.0], [0.2, 0.0, 5.0]))


def test_finalists_are_ranked_and_compared_by_their_errors(
    confirmation: Confirmation, found: dict[int, Confirmed]
) -> None:
    assert list(found) == [3, 0, 1]  # the least test error first
    assert {number: finalist.verdict for number, finalist in found.items()} == {3: "risen", 0: "luck", 1: "confirmed"}
    assert (found[0].beaten_by, found[0].is_on_cautious_front) == (3, False)
    assert found[0].beaten_probability > 0.99
    assert found[3].front_probability > 0.99
    assert confirmation.is_paired


def test_an_interval_is_of_the_seeds_and_of_drawn_predictions(found: dict[int, Confirmed]) -> None:
    zero = found[0].estimates["accuracy"]
    errors = [5.9, 6.1, 6.0]
    low, high = stats.t.interval(0.95, 2, loc=6.0, scale=stats.sem(errors))
    assert (zero.mean, zero.seed_half_width) == (pytest.approx(6.0), pytest.approx((high - low) / 2))
    squares = [(np.array(answers_with(error, seed).chosen) - LABELS) ** 2 for seed, error in enumerate(errors)]
    random = np.random.default_rng(7)
    rows = [random.integers(N_TEST, size=N_TEST) for _ in range(4000)]
    means = [np.mean([math.sqrt(each[row].mean()) for each in squares]) for row in rows]
    side = max(6.0 - np.quantile(means, 0.025), np.quantile(means, 0.975) - 6.0)
    assert zero.image_half_width == pytest.approx(side, rel=0.08)
    # About 1.96 standard errors of the root of a mean of 3 * 80 squares of normal errors, alike in no seed.
    assert zero.image_half_width == pytest.approx(1.96 * 6 / math.sqrt(2 * 3 * N_TEST), rel=0.2)
    assert found[0].validation.image_half_width == 0.0  # no answers to validation examples are kept


def test_a_gap_above_zero_is_an_error_that_the_search_saw_too_small(
    confirmation: Confirmation, found: dict[int, Confirmed]
) -> None:
    assert found[0].gap.mean == pytest.approx(4.0)
    assert found[1].gap.mean == pytest.approx(0.5)
    assert confirmation.gap.mean == pytest.approx(2.25)  # of the winners, 0 and 1
    assert confirmation.luck_gap == pytest.approx((3.5 + 0.0) / 2)
    assert found[0].is_above_interval  # 2.0 is far better than 5.5 on the same examples
    assert not found[1].is_above_interval
    text = " ".join(describe_confirmation(confirmation))
    for part in (
        "each with new seeds, and scored on the test examples",
        "The search saw better than another training is expected to reach for trial 0.",
        "Search-to-test gap: +2.25 ± ",
        " of rmse, on average over the search's front. Above 0, the search saw better than there is. +1.75 of it is",
        "the luck of being chosen; +0.5 lies between validation and test examples.",
        "Luck: 1 of the 2 on the search's front, trial 0,",
    ):
        assert part in text, part


def test_tables_have_numbers_in_the_labels_unit(confirmation: Confirmation) -> None:
    frame = confirmed_frame(confirmation)
    assert {"quality", "quality_low", "validation_quality", "search_quality", "gap"} < set(frame.columns)
    assert not [name for name in frame.columns if "accuracy" in name]
    assert frame["quality"].tolist() == pytest.approx([3.0, 6.0, 7.5])
    assert (frame["quality_high"] > 3.1).all()
    markdown = confirmation_markdown(confirmation)
    assert "test quality" in markdown
    assert "test - search" in markdown
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(confirmation_table(confirmation))
    assert "6 ± " in console.file.getvalue()  # type: ignore[attr-defined]
    method = " ".join(describe_method(confirmation))
    assert "and of rmse also of the examples by a bootstrap" in method
    assert "a score two standard errors better (of normally distributed errors)" in method


def test_the_page_and_its_figures_speak_of_quality(
    searched: ReportFixture, confirmation: Confirmation, tmp_path: Path
) -> None:
    page = render_page(searched.results(), tmp_path, confirmation)
    section = page.split('<section id="confirmation">')[1].split("</section>")[0]
    assert "test less search" in section
    assert "+4" in section
    assert "better than the" in section
    assert "ccura" not in section.replace("-accuracy", "")
    figure = json.loads(confirmation_figures(confirmation)["confirmed-memory"].to_json())
    assert figure["layout"]["yaxis"]["title"]["text"] == "test quality (rmse, less is better)"
    bars = [trace["error_y"] for trace in figure["data"] if "error_y" in trace]
    assert all(side > 0 for bar in bars for side in (*bar["array"], *bar["arrayminus"]))


@pytest.mark.parametrize(
    ("estimate", "unit", "expected"),
    [
        (Estimate(3.21449, 0.123, 3), "number", "3.214 ± 0.12"),
        (Estimate(-0.5, 0.25, 3), "number", "-0.5 ± 0.25"),
        (Estimate(12345.0, 67.0, 3), "number", "12345 ± 67"),
        (Estimate(250123.0, 4567.0, 3), "number", "250123 ± 4600"),
        (Estimate(3.2, math.nan, 1), "number", "3.2"),
    ],
)
def test_show_estimate_of_a_number(estimate: Estimate, unit: Any, expected: str) -> None:
    assert show_estimate(estimate, unit) == expected


def test_show_points_of_numbers() -> None:
    assert show_points(Estimate(0.0371, 0.08, 3), "number") == "+0.0371 ± 0.08"
    assert show_points(Estimate(-12.0, math.nan, 1), "number") == "\N{MINUS SIGN}12"
    assert show_points(Estimate(12345.0, 1234.0, 3), "number") == "+12300 ± 1200"
    assert show_points(Estimate(math.nan, math.nan, 0), "number") == "-"


def test_equal_small_errors_are_beaten_by_lot_and_different_ones_are_not() -> None:
    """Errors of micrometres differ by less than a tie of shares does, and are told apart all the same."""
    samples = [np.full((3, 1), 1e-12), np.full((3, 1), 2e-12)]
    objectives = [Objective(MEASURES["rmse"])]
    assert front_shares(resampled_means(samples, None, 0, 1.5e-12), objectives).tolist() == [1.0, 0.0]
    equal = front_shares(resampled_means([samples[0], samples[0]], None, 0, 1e-12), objectives)
    assert equal.tolist() == pytest.approx([0.5, 0.5], abs=0.05)


def test_predictions_for_other_labels_are_left_out() -> None:
    other = Answers((LABELS + 1).tolist(), LABELS.tolist())  # type: ignore[arg-type]
    found = drawn_scores({0: answers_with(3.0, 0), 1: other}, "mae", 0)
    assert list(found) == [0]
    assert found[0].shape == (N_RESAMPLES,)


def test_drawn_scores_are_the_measures_own(found: dict[int, Confirmed]) -> None:
    drawn = pd.Series(drawn_scores({0: answers_with(3.0, 0)}, "r2", 0)[0])
    assert drawn.mean() == pytest.approx(1 - 9.0 / LABELS.var(), abs=0.01)
