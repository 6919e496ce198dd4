"""Figures: what they draw, count and say, also in edge cases."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reports.confirmation.confirmation_fixture import confirmation_of, load, search, train
from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import Axis
from tunefront.reports.figures.fronts import front_figure, pair_figure, pair_figures
from tunefront.reports.figures.learning_curves import learning_curves
from tunefront.reports.study_results import StudyResults
from tunefront.storage.outcomes import Outcome


def _traces(figure: Any) -> dict[str, Any]:
    return {trace.meta or "steps": trace for trace in figure.data}


def test_legend_counts_every_kind(results: StudyResults) -> None:
    for figure in pair_figures(results).values():
        assert [trace.name for trace in figure.data] == [
            "best of the two", "stopped early (1)", "breaks a limit (1)", "complete (1)", "on the front (4)",
        ]  # fmt: skip
        assert [trace.visible for trace in figure.data] == [None, "legendonly", True, True, True]


def test_front_is_drawn_where_it_was_measured(results: StudyResults) -> None:
    front = _traces(pair_figure(results, "memory", "accuracy"))["front"]
    assert list(front.customdata) == [8, 0, 1, 2]
    assert list(front.text) == ["8", "", "", "2"]  # the most accurate, and the smallest and fastest
    assert list(front.x) == [2500, 1000, 1000, 500]
    assert list(front.y) == [0.95, 0.9, 0.9, 0.8]


@pytest.mark.parametrize(
    ("x", "y", "steps"),
    [
        ("memory", "accuracy", [(500, 0.8), (1000, 0.9), (1000, 0.9), (2500, 0.95)]),
        ("time", "accuracy", [(1.0, 0.8), (2.0, 0.9), (2.0, 0.9), (8.0, 0.95)]),
        ("memory", "time", [(500, 1.0)]),
    ],
)
def test_steps_join_the_best_of_two_axes(
    results: StudyResults, x: Axis, y: Axis, steps: list[tuple[float, float]]
) -> None:
    line = _traces(pair_figure(results, x, y))["steps"]
    assert list(zip(line.x, line.y, strict=True)) == steps
    assert line.line.shape == "hv"


def test_the_better_on_the_third_axis_the_fuller_is_a_point(results: StudyResults) -> None:
    # Times of 8, 2, 2 and 1 s: by their logarithms 2 s is two thirds of the way from 8 s to 1 s. The emptiest is 0.1.
    front = _traces(pair_figure(results, "memory", "accuracy"))["front"]
    opacities = [float(colour.removesuffix(")").rpartition(" ")[2]) for colour in front.marker.color]
    assert opacities == [0.1, 0.7, 0.7, 1.0]
    assert pair_figure(results, "memory", "accuracy").layout.title.subtitle.text == (
        "fuller: less time, 8 s to 1 s<br>bars: what 288 images leave to chance"
    )


def test_a_point_off_the_steps_tells_what_it_is_on_the_front_for(results: StudyResults) -> None:
    front = _traces(pair_figure(results, "memory", "time"))["front"]
    told = {number: text.split("<br>")[0] for number, text in zip(front.customdata, front.hovertext, strict=True)}
    assert told == {
        2: "<b>trial 2</b>, on the front",
        0: "<b>trial 0</b>, on the front for its accuracy",
        1: "<b>trial 1</b>, on the front for its accuracy",
        8: "<b>trial 8</b>, on the front for its accuracy",
    }


def test_bars_are_two_standard_errors_of_so_many_images(results: StudyResults) -> None:
    bars = _traces(pair_figure(results, "memory", "accuracy"))["front"].error_y
    # Trial 2 is right on 80 % of 288 images: sqrt(p (1 - p) / n) with p = (230.4 + 1) / 290.
    assert bars.arrayminus[3] == pytest.approx(2 * math.sqrt(231.4 / 290 * 58.6 / 290 / 288), rel=1e-3)
    assert bars.array[0] == pytest.approx(2 * math.sqrt(274.6 / 290 * 15.4 / 290 / 288), rel=1e-3)
    assert _traces(pair_figure(results, "memory", "time"))["front"].error_y.array is None


def test_confirmed_scores_stand_beside_those_of_the_search(tmp_path: Path) -> None:
    searched = search(tmp_path)
    confirmed = confirmation_of(searched)
    train(confirmed, 0, [0.90, 0.92, 0.94], 2000, 2.0)
    train(confirmed, 3, [0.90, 0.92, 0.94], 2100, 2.1)  # a near miss is not on the front
    figure = pair_figure(searched.results(), "memory", "accuracy", load(searched))
    shown = _traces(figure)["confirmed"]
    assert (list(shown.customdata), list(shown.x), list(shown.y)) == ([0], [2000], [0.92])
    estimate = load(searched).finalists[0].estimates["accuracy"]
    assert shown.error_y.arrayminus[0] == pytest.approx(estimate.half_width, rel=1e-3)
    assert shown.error_y.array[0] == pytest.approx(min(estimate.half_width, 0.08), rel=1e-3)  # not above 100 %
    assert _traces(figure)["front"].error_y.array is None
    assert "confirmed" not in _traces(pair_figure(searched.results(), "memory", "time", load(searched)))


def test_hover_tells_trial_values_and_parameters(results: StudyResults) -> None:
    front = _traces(pair_figure(results, "memory", "accuracy"))["front"]
    assert front.hovertext[1].replace("\N{NO-BREAK SPACE}", " ") == (
        "<b>trial 0</b>, on the front<br>accuracy 90.00 %, memory 1 kB, time 2 s"
        "<br>adam, learning rate 0.01, filters 8, batch norm"
    )
    assert "&lt;/script&gt;&lt;script&gt;" in front.hovertext[0]


def test_an_axis_without_objective_is_shown_without_steps(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {"accuracy": THREE["accuracy"], "memory": THREE["memory"]})
    fixture.complete(0.9, 10, 5.0)
    figure = pair_figure(fixture.results(), "time", "accuracy")
    assert "steps" not in _traces(figure)
    assert figure.layout.xaxis.title.text == "time (train_seconds), not an objective"
    assert "steps" in _traces(pair_figure(fixture.results(), "memory", "accuracy"))


def test_legend_tells_how_many_are_shown_when_a_measure_is_missing(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {"accuracy": THREE["accuracy"], "time": {"measure": "latency_seconds"}})
    fixture.complete(0.9, 10, 5.0, measurements={"latency_seconds": 0.001})
    for _ in range(2):
        fixture.end(fixture.lease(), Outcome.PRUNED, {"accuracy": 0.1, "model_bytes": 5.0}, curve=(0.1,))
    assert _traces(pair_figure(fixture.results(), "time", "accuracy"))["pruned"].name == "stopped early (0 of 2 drawn)"
    assert _traces(pair_figure(fixture.results(), "memory", "accuracy"))["pruned"].name == "stopped early (2)"


@pytest.mark.parametrize("axes", [("accuracy",), ("memory",), ("memory", "time"), ("accuracy", "memory", "time")])
@pytest.mark.parametrize("n_trials", [0, 1])
def test_every_figure_can_be_drawn_when_there_is_little(tmp_path: Path, axes: tuple[Axis, ...], n_trials: int) -> None:
    fixture = ReportFixture.make(tmp_path, {axis: THREE[axis] for axis in axes})
    for _ in range(n_trials):
        fixture.complete(0.9, 10, 5.0)
    found = fixture.results()
    figures = [*pair_figures(found).values(), learning_curves(found), front_figure(found)]
    for figure in figures:
        assert json.loads(figure.to_json())
        assert bool(figure.layout.annotations) == (n_trials == 0)


def test_nothing_vanishes_when_a_cost_is_zero(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.complete(0.9, 10, 0.0)
    fixture.complete(0.95, 20, 5.0)
    figure = pair_figure(fixture.results(), "time", "accuracy")
    assert figure.layout.xaxis.type != "log"
    assert list(_traces(figure)["front"].x) == [5.0, 0.0]
    assert front_figure(fixture.results()).to_json()


def test_an_axis_ends_at_the_limit_that_trials_break(results: StudyResults) -> None:
    figure = pair_figure(results, "memory", "accuracy")
    low, high = (10**end for end in figure.layout.xaxis.range)
    # Trials that keep the limit of 3 kB have 500 to 2500 B, the one that breaks it 4 kB: a tenth beyond is margin.
    assert 400 < low < 500
    assert 3000 < high < 3700
    assert [(line.x0, line.x1) for line in figure.layout.shapes] == [(3000, 3000)]


def test_a_limit_far_away_does_not_squeeze_the_trials(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, {**THREE, "memory": {"measure": "model_bytes", "at_most": 1e12}})
    fixture.complete(0.9, 10, 5.0)
    assert not pair_figure(fixture.results(), "memory", "accuracy").layout.shapes


def test_dashboard_figure_has_time_as_colour_and_stays_small(results: StudyResults) -> None:
    figure = front_figure(results)
    front = _traces(figure)["front"]
    expected = [math.log10(seconds) for seconds in (8.0, 2.0, 2.0, 1.0)]
    assert list(front.marker.color) == pytest.approx(expected)
    assert _traces(figure)["complete"].hovertext is None
    assert len(figure.to_json()) < 10_000


def test_learning_curves_mark_the_epoch_whose_weights_are_kept(results: StudyResults) -> None:
    curves = {trace.customdata[0]: trace for trace in learning_curves(results).data if trace.meta == "front"}
    assert list(curves[0].y) == [0.45, 0.9, 0.89]
    assert list(curves[0].marker.size) == [0, 8, 0]
    assert list(curves[1].marker.size) == [0, 0, 0]  # the best epoch is not known


def test_the_best_on_an_objective_is_labelled_at_its_dot(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path)
    for accuracy, memory in ((0.9, 2000), (0.8, 1500), (0.7, 1000)):
        fixture.complete(accuracy, memory, memory / 1000, measurements={"best_epoch": 2.0})
    curves = {trace.customdata[0]: trace for trace in learning_curves(fixture.results()).data if trace.meta == "front"}
    assert list(curves[0].text) == ["", "0", ""]
    assert curves[1].text is None
    assert list(curves[2].text) == ["", "2", ""]


def test_bands_hold_the_scores_of_the_other_trials_at_each_epoch(tmp_path: Path) -> None:
    fixture = ReportFixture.make(tmp_path, n_trials=6)
    fixture.complete(0.9, 10, 1.0, curve=(0.8, 0.9))
    for curve in ((0.1, 0.3, 0.6), (0.2, 0.4), (0.3, 0.7), (0.4,), (0.8,)):
        fixture.end(fixture.lease(), Outcome.PRUNED, {"accuracy": curve[-1]}, curve=curve)
    everything, middle = (trace for trace in learning_curves(fixture.results()).data if trace.meta == "complete")
    assert (everything.name, middle.name) == ("all others (5)", "middle half of the others (5)")
    assert list(everything.x) == [1, 2, 3, 3, 2, 1]
    assert list(everything.y) == [0.8, 0.7, 0.6, 0.6, 0.3, 0.1]
    # The quartiles of 0.1, 0.2, 0.3, 0.4, 0.8 are 0.2 and 0.4, those of 0.3, 0.4, 0.7 lie halfway between two.
    assert list(middle.y) == pytest.approx([0.4, 0.55, 0.6, 0.6, 0.35, 0.2])


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.RETURNED])
def test_learning_curves_are_drawn_of_whatever_trained(tmp_path: Path, outcome: Outcome) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.end(fixture.lease(), outcome, curve=(0.2, 0.4))
    figure = learning_curves(fixture.results())
    assert not figure.layout.annotations  # which would say that nothing has trained
    assert [trace.name for trace in figure.data] == ["all others (1)", "middle half of the others (1)"]
    assert list(figure.data[0].y) == [0.2, 0.4, 0.4, 0.2]


def test_very_many_trials_are_thinned_but_for_the_front(results: StudyResults) -> None:
    beaten = next(trial for trial in results.trials if trial.number == 3)
    trials = [*results.trials]
    for number in range(11, 2511):  # 50 x 50 different points, all beaten by trial 0
        row, column = divmod(number - 11, 50)
        values = (0.85 - row / 1000, 2000 + 10.0 * column, 3.0)
        trials.append(replace(beaten, number=number, values=values))
    many = replace(results, trials=trials)
    traces = _traces(pair_figure(many, "memory", "accuracy"))
    drawn = traces["complete"]
    assert 500 < len(drawn.x) <= 1000
    assert drawn.name == f"complete ({len(drawn.x)} of 2501 drawn)"
    assert (min(drawn.y), max(drawn.y)) == (pytest.approx(0.801, abs=0.003), 0.85)
    assert list(traces["front"].customdata) == [8, 0, 1, 2]
    assert len(pair_figure(many, "memory", "accuracy").to_json()) < 50_000
