"""Labels beside points stand where there is room, or not at all."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from tunefront.reports.figures.labels import label_points, place_labels

RANGES = ((0.0, 1.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("others", "position"),
    [
        ([], "top center"),
        ([(0.5, 0.58)], "middle left"),
        ([(0.5, 0.58), (0.42, 0.5)], "bottom center"),
        ([(0.5, 0.58), (0.42, 0.5), (0.5, 0.42)], "middle right"),
        ([(0.5, 0.58), (0.42, 0.5), (0.5, 0.42), (0.58, 0.5)], "top left"),
        ([(0.5 + 0.07 * across, 0.5 + 0.07 * up) for across in (-1, 0, 1) for up in (-1, 0, 1)], None),
        ([(0.5, 0.8), (0.2, 0.5)], "top center"),
    ],
)
def test_a_label_evades_points(others: list[tuple[float, float]], position: str | None) -> None:
    assert place_labels([(0.5, 0.5), *others], {0: "15"}, RANGES).get(0) == position


@pytest.mark.parametrize(
    ("point", "position"), [((0.5, 1.0), "bottom center"), ((0.0, 0.5), "middle right"), ((1.0, 0.0), "top left")]
)
def test_a_label_stays_inside_the_figure(point: tuple[float, float], position: str) -> None:
    assert place_labels([point], {0: "15"}, RANGES) == {0: position}


def test_labels_evade_each_other_and_the_first_is_the_most_important() -> None:
    points = [(0.5, 0.5), (0.56, 0.5)]  # 14 pixels from each other, and each label is 15 wide
    assert place_labels(points, {0: "15", 1: "20"}, RANGES) == {0: "top center", 1: "bottom center"}
    assert place_labels(points, {1: "20", 0: "15"}, RANGES) == {1: "top center", 0: "middle left"}


def test_labels_are_set_on_the_traces_that_have_the_trials() -> None:
    figure = go.Figure().update_layout(xaxis={"type": "log", "range": [0, 2]}, yaxis={"range": [0, 1]})
    figure.add_scatter(x=[10, 100], y=[0.5, 0.5], mode="markers", customdata=[7, 8])
    figure.add_scatter(x=[10], y=[0.58], mode="markers", customdata=[9])  # above trial 7
    label_points(figure, [figure.data[0]], {7: "7", 12: "12"})
    assert (figure.data[0].text, figure.data[0].textposition[0]) == (("7", ""), "middle left")
    assert (figure.data[0].mode, figure.data[1].text) == ("markers+text", None)
