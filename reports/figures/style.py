"""The style of figures, which are readable on light and dark pages, wide and narrow."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

_GRID_COLOUR = "rgba(128, 136, 150, 0.2)"
_TEXT_COLOUR = "#4b5565"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def new_figure(title: str, subtitle: str = "", **layout: Any) -> go.Figure:
    """Return an empty figure in the style of the reports; its legend stands below everything else, not on it.

    A title of up to 36 characters, and a line of the subtitle of up to 46, fit a phone's screen.

    Args:
        layout: What else plotly's layout has, or has in place of the style, such as axes. An `update_layout` afterwards
            would do the same, in several times as long as all of the rest.
    """
    n_lines = subtitle.count("<br>") + 1 if subtitle else 0
    axis = {
        **{"gridcolor": _GRID_COLOUR, "linecolor": _GRID_COLOUR, "zeroline": False, "automargin": True},
        "title": {"standoff": 10},
    }
    style = {
        "template": go.layout.Template(),  # plotly's default template would add several kB to every figure
        "title": {
            **{"text": title, "font": {"size": 15}, "x": 0, "xref": "container", "xanchor": "left"},
            **{"y": 1, "yref": "container", "yanchor": "top", "pad": {"l": 8, "t": 12}},
            **({"subtitle": {"text": subtitle, "font": {"size": 12}}} if subtitle else {}),
        },
        "font": {"family": _FONT, "size": 12, "color": _TEXT_COLOUR},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "margin": {"l": 8, "r": 16, "t": 48 + 16 * n_lines, "b": 8},
        "legend": {
            **{"orientation": "h", "x": 0, "xanchor": "left", "traceorder": "reversed"},
            **{"yref": "container", "y": 0, "yanchor": "bottom"},
        },
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
        "xaxis": axis,
        "yaxis": axis,
    }
    return go.Figure(layout=_merged(style, layout))


def _merged(style: Mapping[str, Any], layout: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, where what only `style` has of a nested part stays."""
    inner = {
        name: _merged(style[name], value)
        for name, value in layout.items()
        if isinstance(value, Mapping) and isinstance(style.get(name), Mapping)
    }
    return {**style, **layout, **inner}


def shortened(name: str, longest: int) -> str:
    """Return a name for an axis or a legend, escaped, with an ellipsis in its middle where it is too long.

    Names often begin alike, and end alike less often. Plotly interprets some HTML tags in texts.
    """
    if len(name) > longest:
        n_end = longest // 2
        name = f"{name[: longest - n_end - 1]}\N{HORIZONTAL ELLIPSIS}{name[-n_end:]}"
    return html.escape(name)


def say_in_the_middle(figure: go.Figure, text: str) -> None:
    """Write into an empty figure why it is empty."""
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
