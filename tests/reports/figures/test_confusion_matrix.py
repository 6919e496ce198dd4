from __future__ import annotations

import numpy as np

from tunefront.reports.figures.confusion_matrix import confusion_matrix


def test_cells_are_shares_of_rows_mistakes_below_zero_and_gaps_without_images() -> None:
    figure = confusion_matrix(np.array([[6, 2, 0], [0, 4, 0], [0, 0, 0]]), ["a", "b<i>", "c"], "title")
    (trace,) = figure.data
    assert [list(row) for row in trace.z] == [[0.75, -0.25, None], [None, 1.0, None], [None, None, None]]
    assert [list(row) for row in trace.text] == [["6", "2", ""], ["", "4", ""], ["", "", ""]]
    assert trace.hovertext[0][1] == "<b>a, taken for b&lt;i&gt;</b><br>2 of 8 images (25.0 %)"
    assert trace.hovertext[1][1] == "<b>b&lt;i&gt;, rightly so</b><br>4 of 4 images (100.0 %)"
    assert figure.layout.yaxis.range == (2.5, -0.5)  # the first class on top
    assert figure.layout.xaxis.ticktext == ("a", "b&lt;i&gt;", "c")


def test_names_alike_stay_rows_of_their_own_when_they_are_shortened() -> None:
    names = [f"the same long beginning of every name, {number} and its end" for number in range(21)]
    figure = confusion_matrix(np.eye(21, dtype=np.int64), names, "title")
    assert len(figure.layout.yaxis.tickvals) == 21
    assert set(figure.layout.yaxis.ticktext) == {"the same…d its end"}
    assert figure.data[0].text is None  # cells of many classes are too small for numbers


def test_more_classes_than_can_be_read_are_not_drawn() -> None:
    assert len(confusion_matrix(np.eye(60, dtype=np.int64), ["x"] * 60, "title").data) == 1
    assert not confusion_matrix(np.eye(61, dtype=np.int64), ["x"] * 61, "title").data
