"""The style of figures."""

from __future__ import annotations

from typing import Any

from tunefront.reports.figures.style import new_figure


def test_a_layout_given_at_once_is_what_plotly_makes_of_it_later() -> None:
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "epoch"}, "zeroline": True, "tickvals": [1, 2]},
        "legend": {"traceorder": "normal"},
        "showlegend": False,
        "uniformtext": {"minsize": 8, "mode": "hide"},
    }
    figure = new_figure("Title", "below it", **layout)
    assert figure == new_figure("Title", "below it").update_layout(layout)
    drawn = figure.to_plotly_json()["layout"]
    assert drawn["xaxis"]["title"] == {"standoff": 10, "text": "epoch"}  # of the style, and given
    assert (drawn["xaxis"]["zeroline"], drawn["yaxis"]["zeroline"]) == (True, False)
