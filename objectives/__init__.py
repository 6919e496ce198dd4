"""What *better* means: measures and their units, limits, dominance and hypervolume.

The ground floor of tunefront: every other package may import this one, and it imports none of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import moocore
import numpy as np
from numpy.typing import NDArray

from tunefront.printable import shown

Axis = Literal["accuracy", "memory", "time"]
Direction = Literal["maximize", "minimize"]
Unit = Literal["fraction", "bytes", "seconds"]

AXES: tuple[Axis, ...] = ("accuracy", "memory", "time")


@dataclass(frozen=True)
class Measure:
    """A quantity that a trial measures and an objective may use.

    Attributes:
        name: Its name in specs, store and reports; a quantity carries its unit.
        axis: Which of the three axes it can stand on.
        unit: ``"fraction"`` (0 to 1), ``"bytes"`` or ``"seconds"``.
        direction: Declared here, never guessed from the name.
        is_known_before_training: Whether the built model alone tells it.
        description: How it is measured, in a line.
    """

    name: str
    axis: Axis
    unit: Unit
    direction: Direction
    is_known_before_training: bool
    description: str


_ALL_MEASURES = (
    Measure(
        "accuracy", "accuracy", "fraction", "maximize", False,
        "share of validation images classified correctly, at the epoch whose weights are kept",
    ),
    Measure(
        "top_5_accuracy", "accuracy", "fraction", "maximize", False,
        "share of validation images whose class is among the five most probable",
    ),
    Measure(
        "f1_macro", "accuracy", "fraction", "maximize", False,
        "F1, harmonic mean of precision and recall, averaged over the classes",
    ),
    Measure(
        "f1_binary", "accuracy", "fraction", "maximize", False,
        "F1 of the positive class, with two classes",
    ),
    Measure(
        "precision", "accuracy", "fraction", "maximize", False,
        "precision of the positive class with two classes, else averaged over the classes",
    ),
    Measure(
        "recall", "accuracy", "fraction", "maximize", False,
        "recall of the positive class with two classes, else averaged over the classes",
    ),
    Measure(
        "auc", "accuracy", "fraction", "maximize", False,
        "area under the ROC curve, of the positive class or averaged over each class against the rest",
    ),
    Measure(
        "model_bytes", "memory", "bytes", "minimize", True,
        "the .keras file that saves the model with its optimizer, computed before training",
    ),
    Measure(
        "weight_bytes", "memory", "bytes", "minimize", True,
        "the model's weights alone: what deployment loads",
    ),
    Measure(
        "peak_bytes", "memory", "bytes", "minimize", False,
        "peak while training: of the GPU's allocator, or of the trial process above its start",
    ),
    Measure(
        "train_seconds", "time", "seconds", "minimize", False,
        "training time of all epochs, without tracing, compiling or validation",
    ),
    Measure(
        "compile_seconds", "time", "seconds", "minimize", False,
        "tracing and compiling: what the first batches took above a later one",
    ),
    Measure(
        "validation_seconds", "time", "seconds", "minimize", False,
        "validation time of all epochs",
    ),
    Measure(
        "latency_seconds", "time", "seconds", "minimize", False,
        "prediction of one image, median of repeated calls after warming up",
    ),
)  # fmt: skip
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL_MEASURES}
_KNOWN_EARLY = frozenset(measure.name for measure in _ALL_MEASURES if measure.is_known_before_training)

DEFAULT_MEASURES: Mapping[Axis, str] = {
    "accuracy": "accuracy",
    "memory": "model_bytes",
    "time": "train_seconds",
}


@dataclass(frozen=True)
class Objective:
    """One measure to make better, with optional limits (inclusive) in the measure's own unit."""

    measure: Measure
    at_least: float | None = None
    at_most: float | None = None

    def violation(self, value: float) -> float:
        """How far `value` lies outside the limits, in the measure's unit; 0 or less is within."""
        return max(
            -math.inf if self.at_least is None else self.at_least - value,
            -math.inf if self.at_most is None else value - self.at_most,
        )

    def is_out_of_reach(self, best: float) -> bool:
        """Whether a limit is broken even if `best` is the best value that can still be reached."""
        limit = self.best_limit
        if limit is None:
            return False
        return best < limit if self.measure.direction == "maximize" else best > limit

    @property
    def has_limit(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    @property
    def best_limit(self) -> float | None:
        """The limit that even the best end of a training can break: see :meth:`is_out_of_reach`."""
        return self.at_least if self.measure.direction == "maximize" else self.at_most

    def describe_limits(self) -> str:
        """``"at least 50.00 %"``, for people; empty if there is none."""
        limits = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(
            f"{word} {format_quantity(limit, self.measure.unit)}" for word, limit in limits if limit is not None
        )

    def describe_violation(self, value: float) -> str:
        """Say which limit `value` breaks, for people."""
        shown = format_quantity(value, self.measure.unit)
        if self.at_most is not None and value > self.at_most:
            limit = f"at most {format_quantity(self.at_most, self.measure.unit)}"
        else:
            limit = f"at least {format_quantity(self.at_least or 0.0, self.measure.unit)}"
        return f"{self.measure.name} {shown} breaks its limit of {limit}"


@dataclass(frozen=True)
class Chance:
    """What an answer that does not look at the image reaches by an accuracy measure, and its standard error."""

    score: float
    standard_error: float

    @property
    def level(self) -> float:
        """What a model must be above to be better than guessing: two standard errors more than the score.

        Minus infinity where such an answer has everything right: then nothing tells a model from it.
        """
        return self.score + 2 * self.standard_error if self.score < 1 else -math.inf


def read_chance(dataset: Mapping[str, Any], measure: str) -> Chance | None:
    """The chance of an accuracy measure by the stored facts of a dataset; None if they do not tell it.

    Facts of before have none: there, accuracy is taken to be that of equally frequent classes.
    """
    if "chances" in dataset:
        found = dataset["chances"].get(measure)
        return None if found is None else Chance(**found)
    n_classes, n_validation = dataset.get("n_classes"), dataset.get("n_validation")
    if measure != "accuracy" or not n_classes or not n_validation:
        return None
    return Chance(1 / n_classes, math.sqrt((1 - 1 / n_classes) / n_classes / n_validation))


def read_objectives(spec: Mapping[str, Any]) -> dict[Axis, Objective]:
    """The objectives of a stored spec, in the order of :data:`AXES`: that of a trial's values."""
    tables = {axis: spec["objectives"].get(axis) for axis in AXES}
    return {
        axis: Objective(MEASURES[table["measure"]], table.get("at_least"), table.get("at_most"))
        for axis, table in tables.items()
        if table is not None
    }


def violations(objectives: Iterable[Objective], measurements: Mapping[str, float]) -> dict[str, float]:
    """How far each limit is broken, by measure, as far as measured: 0 or less is within."""
    return {
        objective.measure.name: objective.violation(measurements[objective.measure.name])
        for objective in objectives
        if objective.has_limit and objective.measure.name in measurements
    }


def broken_limit(objectives: Iterable[Objective], measurements: Mapping[str, float]) -> str:
    """Say which limit is broken by what was measured, the first of them; empty if none is."""
    measured = ((each, measurements.get(each.measure.name)) for each in objectives)
    broken = (
        each.describe_violation(value) for each, value in measured if value is not None and each.violation(value) > 0
    )
    return next(broken, "")


def known_early(measurements: Mapping[str, float]) -> dict[str, float]:
    """Those that the built model alone tells: of a trial that was stopped, no other one is its end's."""
    return {name: value for name, value in measurements.items() if name in _KNOWN_EARLY}


_SCALES: Mapping[Unit, Mapping[str, float]] = {
    "fraction": {"": 1.0, "%": 0.01},
    "bytes": {
        "": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
        "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40,
    },
    "seconds": {
        "": 1.0, "s": 1.0, "sec": 1.0, "us": 1e-6, "ms": 1e-3, "min": 60.0, "h": 3600.0,
    },
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?)\s*([a-zµ%]*)\s*", re.IGNORECASE)


def parse_quantity(value: float | int | str, unit: Unit) -> float:
    """Read ``"50 MB"``, ``"5 ms"``, ``"80 %"`` or a plain number as a number of `unit`.

    Raises:
        ValueError: If the text is no number with a unit of that kind; it lists the units.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{shown(value)} is not a number or a text such as {_example(unit)!r}")
    text = str(value)
    match = _QUANTITY.fullmatch(text)
    suffix = match.group(2).lower().replace("µ", "u") if match else ""
    if match is None or suffix not in _SCALES[unit]:
        known = ", ".join(_UNIT_NAMES[unit])
        raise ValueError(f"{shown(text)} is not a {_KINDS[unit]}; write it like {_example(unit)!r} (units: {known})")
    quantity = float(match.group(1)) * _SCALES[unit][suffix]
    if not math.isfinite(quantity):
        raise ValueError(f"{shown(text)} is too large for a number")
    return quantity


_KINDS: Mapping[Unit, str] = {"fraction": "share", "bytes": "size", "seconds": "time"}
_UNIT_NAMES: Mapping[Unit, tuple[str, ...]] = {
    "fraction": ("none", "%"),
    "bytes": ("B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"),
    "seconds": ("us", "ms", "s", "min", "h"),
}


def _example(unit: Unit) -> str:
    return {"fraction": "0.8", "bytes": "50 MB", "seconds": "5 ms"}[unit]


def format_quantity(value: float, unit: Unit) -> str:
    """A number of `unit` for people, in three or so digits: ``"97.2 %"``, ``"1.31 MB"``."""
    if math.isnan(value):
        return "-"
    if unit == "fraction":
        return f"{100 * value:.2f} %"
    steps: Sequence[tuple[float, str]]
    if unit == "bytes":
        steps = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
    elif abs(value) >= 120:
        steps = ((3600.0, "h"), (60.0, "min")) if abs(value) >= 7200 else ((60.0, "min"),)
    else:
        steps = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
    # As rounded for printing: 999.9 kB is 1 MB, not 1e+03 kB.
    scale, name = next((step for step in steps if abs(float(f"{value:.3g}")) >= step[0]), steps[-1])
    return f"{value / scale:.3g} {name}" if abs(value / scale) < 999.5 else f"{value / scale:.0f} {name}"


def losses(points: NDArray[np.float64], directions: Sequence[Direction]) -> NDArray[np.float64]:
    """Turn `points` of shape (n, m) so that smaller is better on every one of m objectives."""
    signs = np.array([-1.0 if direction == "maximize" else 1.0 for direction in directions])
    result: NDArray[np.float64] = np.asarray(points, dtype=float).reshape(-1, len(signs)) * signs
    return result


def on_front(points: NDArray[np.float64], directions: Sequence[Direction]) -> NDArray[np.bool_]:
    """Which of `points`, shape (n, m), no other point dominates; ties are all kept.

    Returns:
        A mask of shape (n,). With n = 0 it is empty. A point with a NaN is never on the front
        and dominates nothing.
    """
    turned = losses(points, directions)
    mask: NDArray[np.bool_] = np.asarray(~np.isnan(turned).any(axis=1))
    if mask.any():
        mask[mask] = moocore.is_nondominated(turned[mask], keep_weakly=True)
    return mask


def dominating(
    point: Sequence[float], others: NDArray[np.float64], directions: Sequence[Direction]
) -> NDArray[np.bool_]:
    """Which of `others`, shape (n, m), dominate `point`: nowhere worse and somewhere better."""
    turned = losses(others, directions)
    mine = losses(np.array([point]), directions)[0]
    result: NDArray[np.bool_] = (turned <= mine).all(axis=1) & (turned < mine).any(axis=1)
    return result


def hypervolume(points: NDArray[np.float64], reference: Sequence[float], directions: Sequence[Direction]) -> float:
    """The volume that `points`, shape (n, m), dominate up to `reference`, shape (m,); 0 for none.

    Costs are usually given as logarithms, because 1 MB against 2 MB matters as much as
    100 MB against 200 MB.
    """
    turned = losses(points, directions)
    turned = turned[~np.isnan(turned).any(axis=1)]
    if not len(turned):
        return 0.0
    return float(moocore.hypervolume(turned, ref=losses(np.array([reference]), directions)[0]))
