"""The axes of printed figures: a label with a unit, and plain numbers at the ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunefront.objectives.measures import Axis, Measure
from tunefront.reports.figures.axes import has_log_scale, log_ticks
from tunefront.reports.study_results import StudyResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Words for the measures, as a paper calls them; a measure without an entry has its name.
_WORDS = {
    "top_5_accuracy": "top-5 accuracy",
    "f1_macro": "macro F1",
    "f1_binary": "F1",
    "auc": "AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "model_bytes": "model file",
    "weight_bytes": "weights",
    "peak_bytes": "peak memory in training",
    "train_seconds": "training time",
    "compile_seconds": "compile time",
    "validation_seconds": "validation time",
    "latency_seconds": "latency in Keras",
    "litert_bytes": "LiteRT file",
    "litert_peak_bytes": "peak memory in LiteRT",
    "arena_bytes": "microcontroller memory",
    "litert_latency_seconds": "latency in LiteRT",
    "onnx_latency_seconds": "latency in ONNX Runtime",
}
# From which value on, a unit, and its name: one that makes short numbers, and that people use for such values.
_UNITS = {
    "bytes": ((1e8, 1e9, "GB"), (1e5, 1e6, "MB"), (1e2, 1e3, "kB"), (0.0, 1.0, "B")),
    "seconds": (
        (7200.0, 3600.0, "h"),
        (120.0, 60.0, "min"),
        (0.1, 1.0, "s"),
        (1e-4, 1e-3, "ms"),
        (0.0, 1e-6, "\N{MICRO SIGN}s"),
    ),
}
_MARGIN = 0.07  # of the axis, on either side of the values


@dataclass(frozen=True)
class PrintedAxis:
    """An axis of a printed figure.

    Attributes:
        scale: What a value is divided by to be in the unit of the label.
        low, high: The ends of the axis, in the unit of the label.
        ticks: Where a logarithmic axis has its ticks; a linear one finds them itself.
    """

    label: str
    scale: float
    is_log: bool
    low: float
    high: float
    ticks: Sequence[float] = ()

    def printed(self, value: float) -> float:
        """Return a value in the unit of the label."""
        return value / self.scale

    def apply(self, axes: Axes, *, is_x: bool) -> None:
        """Give a panel this axis."""
        from matplotlib.ticker import NullLocator

        axis = axes.xaxis if is_x else axes.yaxis
        (axes.set_xlim if is_x else axes.set_ylim)(self.low, self.high)
        (axes.set_xlabel if is_x else axes.set_ylabel)(self.label)
        if self.is_log:
            (axes.set_xscale if is_x else axes.set_yscale)("log")
            shown = [tick for tick in self.ticks if self.low <= tick <= self.high]
            axis.set_ticks(shown, [f"{tick:.10g}" for tick in shown])
            axis.set_minor_locator(NullLocator())


def printed_axis(results: StudyResults, axis: Axis, values: Sequence[float], split: str = "validation") -> PrintedAxis:
    """Return the axis for some values of a study; NaNs are left out.

    Args:
        values: At least one is a number.
        split: The images that a score is of.
    """
    measure = results.measure(axis)
    known = [value for value in values if not math.isnan(value)]
    scale, unit = _unit(measure, min(known))
    words = _WORDS.get(measure.name, measure.name.replace("_", " "))
    words = f"{split} {words}" if axis == "accuracy" else words
    label = f"{words} ({unit})" if unit else words
    is_log = has_log_scale(measure, known)
    low, high = min(known) / scale, max(known) / scale
    ends = _log_ends(low, high) if is_log else _linear_ends(low, high)
    return PrintedAxis(label, scale, is_log, *ends, log_ticks(low, high, "number") if is_log else ())


def _unit(measure: Measure, smallest: float) -> tuple[float, str]:
    """Return the unit for values from `smallest` on."""
    if measure.unit == "fraction":
        return 0.01, "%"
    steps = _UNITS.get(measure.unit, ((-math.inf, 1.0, ""),))
    return next(((scale, name) for start, scale, name in steps if smallest >= start), (1.0, ""))


def _linear_ends(low: float, high: float) -> tuple[float, float]:
    margin = _MARGIN * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def _log_ends(low: float, high: float) -> tuple[float, float]:
    margin = (high / low) ** _MARGIN if high > low else 1.5
    return low / margin, high * margin
