"""Words for people in place of the names that specs and stores use; the names stand beside them where they matter."""

from __future__ import annotations

import re
from typing import Any

from tunefront.objectives.measures import Measure, axis_name

_MEASURES = {
    "accuracy": "share classified correctly",
    "top_5_accuracy": "among the five most probable",
    "f1_macro": "F1, mean of classes",
    "f1_binary": "F1 of the positive class",
    "auc": "area under the ROC curve",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "r2": "R²",
    "model_bytes": "saved model",
    "weight_bytes": "weights alone",
    "peak_bytes": "peak while training",
    "train_seconds": "training",
    "compile_seconds": "compiling",
    "validation_seconds": "validation",
    "latency_seconds": "one image in Keras",
    "litert_bytes": "LiteRT file",
    "litert_peak_bytes": "LiteRT, peak",
    "arena_bytes": "arena on a microcontroller",
    "litert_latency_seconds": "one image in LiteRT",
    "onnx_latency_seconds": "one image in ONNX Runtime",
    "macs": "multiplications",
}
# What stands before a value, where the name of its axis would leave open what it is of.
_VALUE_NAMES = {
    "top_5_accuracy": "top-5 accuracy",
    "f1_macro": "F1",
    "f1_binary": "F1",
    "precision": "precision",
    "recall": "recall",
    "auc": "AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "weight_bytes": "memory of the weights",
    "peak_bytes": "peak memory in training",
    "litert_bytes": "LiteRT file",
    "litert_peak_bytes": "peak memory in LiteRT",
    "arena_bytes": "arena",
    "file_bytes": "file",
    "train_seconds": "training time",
    "compile_seconds": "compile time",
    "validation_seconds": "validation time",
    "latency_seconds": "time per image in Keras",
    "litert_latency_seconds": "time per image in LiteRT",
    "onnx_latency_seconds": "time per image in ONNX Runtime",
    "file_latency_seconds": "time per image",
    "measured_latency_seconds": "time per image on the device",
    "macs": "multiplications",
}


def value_name(measure: Measure) -> str:
    """Return what stands before a value: ``"training time"`` for ``train_seconds``, else the name of its axis."""
    return _VALUE_NAMES.get(measure.name) or axis_name(measure.axis, measure)


_UNIT = re.compile(r"(?<=\d) (?=(?:%|[kMGT]?B|[µm]?s|min|h|points|times)(?!\w))")


def unbroken(text: str) -> str:
    """Return a text for a page in which no line breaks between a number and its unit, or around ±."""
    space = "\N{NO-BREAK SPACE}"
    return _UNIT.sub(space, text).replace(" ± ", f"{space}±{space}")


def measure_words(measure: Measure) -> str:
    """Return a measure in words: ``"saved model"`` for ``model_bytes``."""
    return _MEASURES.get(measure.name, measure.name.replace("_", " "))


def parameter_words(name: str) -> str:
    """Return a parameter's short name in words: ``"blocks"`` for ``n_blocks``."""
    return re.sub(r"[._]+", " ", re.sub(r"(^|\.)n_", r"\1", name)).strip() or name


def show_value(value: Any) -> str:
    """Return a parameter's value as text for people; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def chip(name: str, value: Any, *, names_itself: bool = False) -> str:
    """Return a parameter and its value in the fewest words: ``"batch norm"``, ``"kernel size 5"``, ``"nadam"``.

    Args:
        names_itself: Whether the value needs no name: "adam" is an optimizer.
    """
    words = parameter_words(name)
    if isinstance(value, bool):
        return words if value else f"no {words}"
    if value == "none":
        return f"no {words}"
    return show_value(value) if names_itself else f"{words} {show_value(value)}"
