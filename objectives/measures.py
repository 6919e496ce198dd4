"""The measures of a trial, and the axis on which an objective may use each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunefront.objectives.quantities import Unit

Axis = Literal["accuracy", "memory", "time"]
Direction = Literal["maximize", "minimize"]
Task = Literal["classification", "regression"]

AXES: tuple[Axis, ...] = ("accuracy", "memory", "time")
# Measured, as 1, where a trial trained on all of its network though its study stores features: its times are longer.
WITHOUT_FEATURES = "without_features"
# Measured where a trial trained on so many stored random changes of each image, by turns, in place of always new ones.
FEATURE_VIEWS = "feature_views"
# Part of a trial's process -> the measurement of its seconds. The parts do not overlap, and epochs are none of them.
PART_SECONDS = {
    "loading": "load_seconds",
    "building": "build_seconds",
    "other folds": "fold_seconds",
    "measuring": "measure_seconds",
    "saving": "save_seconds",
}


@dataclass(frozen=True)
class Measure:
    """A quantity that a trial measures and an objective may use.

    Attributes:
        name: Its name in specs, store and reports; a quantity carries its unit.
        axis: Which of the three axes it can stand on.
        unit: ``"fraction"`` (0 to 1), ``"bytes"``, ``"seconds"``, ``"count"``, or ``"number"``: that of the labels, or
            none.
        direction: Declared here, never guessed from the name.
        is_known_before_training: Whether the built model alone tells it.
        description: How it is measured, in a line.
        task: The task whose answers it scores; None for costs, which every task has.
    """

    name: str
    axis: Axis
    unit: Unit
    direction: Direction
    is_known_before_training: bool
    description: str
    task: Task | None = None

    def loss(self, value: float) -> float:
        """Return a value turned so that less is better."""
        return -value if self.direction == "maximize" else value

    def best(self, values: Iterable[float]) -> float:
        """Return the best of some values; NaN if none of them is a number."""
        return min((value for value in values if not math.isnan(value)), key=self.loss, default=math.nan)

    def best_so_far(self, values: Sequence[float]) -> NDArray[np.float64]:
        """Return the best value up to each one, shape (n,); NaN from the first NaN on."""
        best = np.maximum if self.direction == "maximize" else np.minimum
        result: NDArray[np.float64] = best.accumulate(np.asarray(values, dtype=float))
        return result

    @property
    def has_noise(self) -> bool:
        """Whether another measurement of the same model, or another training, gives another value."""
        return not self.is_known_before_training or self.unit == "seconds"

    @property
    def title(self) -> str:
        """Its name in reports for people, which says whose latency it is."""
        return f"keras_{self.name}" if self.name == "latency_seconds" else self.name


_ALL_MEASURES = (
    Measure(
        "accuracy", "accuracy", "fraction", "maximize", False,
        "share of validation images classified correctly, at the epoch whose weights are kept", "classification",
    ),
    Measure(
        "top_5_accuracy", "accuracy", "fraction", "maximize", False,
        "share of validation images whose class is among the five most probable", "classification",
    ),
    Measure(
        "f1_macro", "accuracy", "fraction", "maximize", False,
        "F1, harmonic mean of precision and recall, averaged over the classes", "classification",
    ),
    Measure(
        "f1_binary", "accuracy", "fraction", "maximize", False,
        "F1 of the positive class, with two classes", "classification",
    ),
    Measure(
        "precision", "accuracy", "fraction", "maximize", False,
        "precision of the positive class with two classes, else averaged over the classes", "classification",
    ),
    Measure(
        "recall", "accuracy", "fraction", "maximize", False,
        "recall of the positive class with two classes, else averaged over the classes", "classification",
    ),
    Measure(
        "auc", "accuracy", "fraction", "maximize", False,
        "area under the ROC curve, of the positive class or averaged over each class against the rest",
        "classification",
    ),
    Measure(
        "rmse", "accuracy", "number", "minimize", False,
        "root of the mean squared error of the predicted numbers, in the unit of the labels", "regression",
    ),
    Measure(
        "mae", "accuracy", "number", "minimize", False,
        "mean absolute error of the predicted numbers, in the unit of the labels", "regression",
    ),
    Measure(
        "r2", "accuracy", "number", "maximize", False,
        "coefficient of determination: the share of the labels' variance that is predicted; 1 at best, no least value",
        "regression",
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
        "prediction of one image by Keras, median of repeated calls after warming up",
    ),
    Measure(
        "litert_bytes", "memory", "bytes", "minimize", True,
        "the model's file for LiteRT, in the precision of [deploy]",
    ),
    Measure(
        "litert_peak_bytes", "memory", "bytes", "minimize", True,
        "peak of a process that runs the file in LiteRT 20 times, above the same process without a model",
    ),
    Measure(
        "arena_bytes", "memory", "bytes", "minimize", True,
        "memory that the file needs on a microcontroller: the arena of tflite-micro, on 64-bit x86",
    ),
    Measure(
        "litert_latency_seconds", "time", "seconds", "minimize", True,
        "one image in LiteRT, in the precision of [deploy]: median on one thread of this machine",
    ),
    Measure(
        "onnx_latency_seconds", "time", "seconds", "minimize", True,
        "one image in ONNX Runtime, in float32: median on one thread of this machine",
    ),
    Measure(
        "macs", "time", "count", "minimize", True,
        "multiplications with kernels for one image; a limit, and no objective",
    ),
)  # fmt: skip
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL_MEASURES}
_KNOWN_EARLY = frozenset(measure.name for measure in _ALL_MEASURES if measure.is_known_before_training)

# Measures of the exported file, or of what running it takes, and the runtimes that each needs.
DEPLOYMENT_MEASURES: Mapping[str, tuple[str, ...]] = {
    "litert_bytes": ("litert",),
    "litert_peak_bytes": ("litert",),
    "arena_bytes": ("litert", "micro"),
    "litert_latency_seconds": ("litert",),
    "onnx_latency_seconds": ("onnx",),
    "macs": (),
}

DEFAULT_MEASURES: Mapping[Axis, str] = {
    "accuracy": "accuracy",
    "memory": "model_bytes",
    "time": "train_seconds",
}
_DEFAULT_QUALITIES: Mapping[Task, str] = {"classification": DEFAULT_MEASURES["accuracy"], "regression": "rmse"}


def default_measures(task: Task) -> dict[Axis, str]:
    """Return the measure of each axis that a spec does not name."""
    return {**DEFAULT_MEASURES, "accuracy": _DEFAULT_QUALITIES[task]}


def axis_name(axis: str, measure: Measure) -> str:
    """Return the name of an axis for people: the first one is called quality where it scores predicted numbers."""
    return "quality" if axis == "accuracy" and measure.task == "regression" else axis


def known_early(measurements: Mapping[str, float]) -> dict[str, float]:
    """Return the measurements that the built model alone tells.

    In a trial that was stopped, only these have the value that they would have had at the end of the training.
    """
    return {name: value for name, value in measurements.items() if name in _KNOWN_EARLY}


def is_defined(measure: str, counts: NDArray[np.integer], positive_class: int = 1) -> bool:
    """Return whether images of these classes give a measure any value at all.

    With two classes, a measure of the positive class needs an image of it; the AUC needs images of two classes.
    A class that occurs and is never predicted has precision 0: that is defined.

    Args:
        counts: Images of each class, shape (k,).
    """
    if measure == "auc":
        return bool((counts > 0).sum() > 1)
    looks_for_positive = measure == "f1_binary" or (len(counts) == 2 and measure in ("precision", "recall"))
    return not looks_for_positive or bool(counts[positive_class])
