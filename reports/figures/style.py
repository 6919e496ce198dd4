"""The style of figures: colours that are readable on light and dark pages, and axes in units that people use."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from tunefront.objectives.measures import Measure
from tunefront.objectives.quantities import Unit, format_quantity

FRONT_COLOUR = "#2f6fed"
COMPLETE_COLOUR = "#8a94a6"
PRUNED_COLOUR = "rgba(138, 148, 166, 0.6)"
BROKEN_COLOUR = "#d9534f"
# Colours of Plotly's qualitative palette D3, which are distinct on light and dark pages.
LINE_COLOURS = (
    *("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"),
    *("#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"),
)
_GRID_COLOUR = "rgba(128, 136, 150, 0.2)"
_TEXT_COLOUR = "#4b5565"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_MAX_TICKS = 7
# Sets of ticks within a decade of a log scale, the densest first.
_MANTISSAS = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,))


def new_figure(title: str) -> go.Figure:
    """Return an empty figure in the style of the reports; its legend stands below the data, not on it."""
    figure = go.Figure()
    figure.update_layout(
        template=go.layout.Template(),  # plotly's default template would add several kB to every figure
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15}},
        font={"family": _FONT, "size": 12, "color": _TEXT_COLOUR},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 8, "r": 16, "t": 44, "b": 8},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top", "traceorder": "reversed"},
        hoverlabel={"align": "left"},
        hovermode="closest",
    )
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(gridcolor=_GRID_COLOUR, linecolor=_GRID_COLOUR, zeroline=False, automargin=True, title_standoff=10)
    return figure


def has_log_scale(measure: Measure, values: Sequence[float]) -> bool:
    """Return whether an axis for these values has a log scale; NaNs are left out.

    Costs have one, because 1 MB against 2 MB matters as much as 100 MB against 200 MB. If a value is 0, which a log
    scale cannot show, the scale is linear.

    Errors have a log scale, too, where they differ by a factor of three or more. Below, a linear scale looks alike and
    has more round ticks. R2 may be negative, so its scale is linear.
    """
    known = [value for value in values if not math.isnan(value)]
    if measure.unit == "fraction" or min(known, default=0.0) <= 0:
        return False
    return measure.unit != "number" or (measure.direction == "minimize" and max(known) >= 3 * min(known))


def measure_axis(measure: Measure, title: str, values: Sequence[float]) -> dict[str, Any]:
    """Return a plotly axis for `values` of `measure`; NaNs are left out."""
    known = [value for value in values if not math.isnan(value)]
    axis: dict[str, Any] = {"title": {"text": title}}
    if measure.unit == "fraction":
        return axis | {
            "tickformat": "~%",
            "minallowed": -0.02,
            "maxallowed": 1.12,
        }  # or a single trial's axis ends at 150 %
    if measure.unit == "number":
        return axis | (_log_axis(known, measure.unit) if has_log_scale(measure, known) else {"tickformat": ".4~r"})
    # This format is used when a reader zooms in so far that the ticks given below are too far apart.
    axis |= {"tickformat": "~s", "ticksuffix": "B" if measure.unit == "bytes" else "s"}
    return axis | (_log_axis(known, measure.unit) if has_log_scale(measure, known) else {})


def _log_axis(values: Sequence[float], unit: Unit) -> dict[str, Any]:
    ticks = log_ticks(min(values), max(values), unit)
    labels = [format_quantity(tick, unit) for tick in ticks]
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": labels}


def log_ticks(low: float, high: float, unit: Unit) -> list[float]:
    """Return round values from a tenth of `low` to ten times `high`, about seven of them between the two.

    If the two are equal, plotly shows a decade on either side, and about seven values are in that range.
    """
    shown = (low, high) if low < high else (low / 10, high * 10)
    for mantissas in _MANTISSAS:
        ticks = list(_round_values(low / 10, high * 10, mantissas, unit))
        if sum(shown[0] <= tick <= shown[1] for tick in ticks) <= _MAX_TICKS:
            break
    return ticks


def _round_values(low: float, high: float, mantissas: Sequence[float], unit: Unit) -> Iterator[float]:
    """Yield the round values of each decade; seconds continue as minutes from 60 and as hours from 3600 on."""
    bases = [(1.0, 60.0), (60.0, 3600.0), (3600.0, math.inf)] if unit == "seconds" else [(1.0, math.inf)]
    for base, end in bases:
        first = math.floor(math.log10(low)) if base == 1.0 else 0
        for exponent in range(first, math.ceil(math.log10(high)) + 1):
            for mantissa in mantissas:
                value = float(f"{mantissa * base * 10.0**exponent:.6g}")
                if low <= value <= high and value < end:
                    yield value


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
