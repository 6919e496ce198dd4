from __future__ import annotations

import numpy as np
import pytest

from tunefront.reports.figures.colours import text_colour_on
from tunefront.reports.figures.confusion_matrix import confusion_matrix


def test_cells_are_bars_where_images_are_with_colours_by_the_share_of_their_row() -> None:
    figure = confusion_matrix(np.array([[6, 2, 0], [0, 4, 0], [0, 0, 0]]), ["a", "b<i>", "c"], "title")
    (trace,) = figure.data
    middles = [round(start + width / 2, 9) for start, width in zip(trace.base, trace.x, strict=True)]
    assert list(zip(trace.y, middles, trace.text, strict=True)) == [(0, 0, "6"), (0, 1, "2"), (1, 1, "4")]
    # Three quarters of the way from #dfe9ff to #1f5fd6, and 0.25 / 0.3 of that from #fde3e1 to #e8837e.
    assert list(trace.marker.color) == ["#4f82e0", "#ec938e", "#1f5fd6"]
    assert list(trace.insidetextfont.color) == ["#000000", "#000000", "#ffffff"]
    assert trace.hovertext[1] == "<b>a, taken for b&lt;i&gt;</b><br>2 of 8 images (25.0 %)"
    assert trace.hovertext[2] == "<b>b&lt;i&gt;, rightly so</b><br>4 of 4 images (100.0 %)"
    assert figure.layout.yaxis.range == (2.5, -0.5)  # the first class on top
    assert figure.layout.xaxis.ticktext == ("a", "b&lt;i&gt;", "c")


@pytest.mark.parametrize(
    ("background", "text"),
    [
        # By WCAG's formula white has 4.54 on #767676, and black 4.62. On #757575 they have 4.61 and 4.56.
        ("#767676", "#000000"),
        ("#757575", "#ffffff"),
        ("#ffff00", "#000000"),
        ("#0000ff", "#ffffff"),
    ],
)
def test_texts_are_black_or_white_whichever_can_be_read_better(background: str, text: str) -> None:
    assert text_colour_on(background) == text


def test_names_alike_stay_rows_of_their_own_when_they_are_shortened() -> None:
    names = [f"the same long beginning of every name, {number} and its end" for number in range(21)]
    figure = confusion_matrix(np.eye(21, dtype=np.int64), names, "title")
    assert len(figure.layout.yaxis.tickvals) == 21
    assert set(figure.layout.yaxis.ticktext) == {"the same…d its end"}
    assert figure.data[0].text is None  # cells of many classes are too small for numbers


def test_more_classes_than_can_be_read_are_not_drawn() -> None:
    assert len(confusion_matrix(np.eye(60, dtype=np.int64), ["x"] * 60, "title").data) == 1
    assert not confusion_matrix(np.eye(61, dtype=np.int64), ["x"] * 61, "title").data
