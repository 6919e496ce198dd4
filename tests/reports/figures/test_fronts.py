"""Figures: what they draw, count and say, also in edge cases."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.reports.report_fixture import THREE, ReportFixture
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.objectives.quantities import Unit
from tunefront.reports.figures.fronts import front_figure, pair_figure, pair_figures
from tunefront.reports.figures.learning_curves import learning_curves
from tunefront.reports.figures.style import log_ticks, measure_axis
from tunefront.reports.study_results import StudyResults
from tunefront.storage.outcomes import Outcome


def _traces(figure: Any) -> dict[str, Any]:
    return {trace.meta or "steps": trace for trace in figure.data}


def test_legend_counts_every_kind(results: StudyResults) -> None:
    for figure in pair_figures(results).values():
        assert [trace.name for trace in figure.data] == [
            "best of these two axes", "pruned (1)", "breaks a limit (1)", "complete (1)", "on the front (4)",
        ]  # fmt: skip


def test_front_is_drawn_where_it_was_measured(results: StudyResults) -> None:
    front = _traces(pair_figure(results, "memory", "accuracy"))["front"]
    assert list(front.customdata) == [8, 0, 1, 2]
    assert list(front.text) == ["8", "0", "1", "2"]
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


def test_hover_tells_trial_values_and_parameters(results: StudyResults) -> None:
    front = _traces(pair_figure(results, "memory", "accuracy"))["front"]
    assert front.hovertext[1].replace("\N{NO-BREAK SPACE}", " ") == (
        "<b>trial 0</b>, on the front<br>accuracy 90.00 %, memory 1 kB, time 2 s"
        "<br>adam, learning_rate 0.01, filters 8, batch_norm yes"
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
    assert _traces(pair_figure(fixture.results(), "time", "accuracy"))["pruned"].name == "pruned (0 of 2)"
    assert _traces(pair_figure(fixture.results(), "memory", "accuracy"))["pruned"].name == "pruned (2)"


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


def test_limits_are_drawn_when_they_lie_among_the_trials(results: StudyResults) -> None:
    lines = pair_figure(results, "memory", "accuracy").layout.shapes
    assert [(line.x0, line.x1) for line in lines] == [(3000, 3000)]


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
    assert list(curves[0].text) == ["", "0", ""]
    assert list(curves[0].marker.size) == [0, 8, 0]
    assert list(curves[1].marker.size) == [0, 0, 0]  # the best epoch is not known


def test_thin_curves_have_gaps_between_trials(results: StudyResults) -> None:
    thin = {trace.meta: trace for trace in learning_curves(results).data}
    assert thin["complete"].name == "complete (2)"
    assert list(thin["complete"].x) == [1, 2, 3, None, 1, 2, 3, None]
    assert list(thin["pruned"].y) == [0.1, 0.3, None]


@pytest.mark.parametrize(("outcome", "state"), [(Outcome.FAILED, "failed"), (Outcome.RETURNED, "waiting")])
def test_learning_curves_are_drawn_of_whatever_trained(tmp_path: Path, outcome: Outcome, state: str) -> None:
    fixture = ReportFixture.make(tmp_path)
    fixture.end(fixture.lease(), outcome, curve=(0.2, 0.4))
    figure = learning_curves(fixture.results())
    assert not figure.layout.annotations  # which would say that nothing has trained
    assert [trace.name for trace in figure.data] == [f"{state} (1)"]
    assert list(figure.data[0].y) == [0.2, 0.4, None]


@pytest.mark.parametrize(
    ("low", "high", "unit", "between"),
    [
        (3e3, 9e5, "bytes", [5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5]),
        (1.2e6, 4.1e6, "bytes", [1.5e6, 2e6, 3e6, 4e6]),
        (3e3, 9e6, "bytes", [3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6]),
        (3e3, 9e8, "bytes", [1e4, 1e5, 1e6, 1e7, 1e8]),
        (2.0, 4000.0, "seconds", [10, 60, 600, 3600]),
        (0.001, 0.004, "seconds", [0.001, 0.0015, 0.002, 0.003, 0.004]),
        (5.0, 5.0, "bytes", [5.0]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, unit: Unit, between: list[float]) -> None:
    ticks = [tick for tick in log_ticks(low, high, unit) if low <= tick <= high]
    assert ticks == pytest.approx(between)


def test_ticks_carry_units() -> None:
    memory = measure_axis(MEASURES["model_bytes"], "memory", [3e3, math.nan, 9e5])
    assert {"5 kB", "10 kB", "500 kB", "1 MB"} <= set(memory["ticktext"])
    time = measure_axis(MEASURES["train_seconds"], "time", [2.0, 4000.0])
    assert {"10 s", "60 s", "10 min", "60 min"} <= set(time["ticktext"])
