"""The variants of a study's models as a data frame and as a table for a terminal."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from tunefront.objectives.quantities import format_quantity
from tunefront.reports.deployment.deployed_front import DeployedFront
from tunefront.storage.deployment.deployed import DeployedVariant

_WHOLE = ("file_bytes", "peak_bytes", "arena_bytes", "arena_tensor_bytes", "arena_structure_bytes", "macs")


def deployed_frame(front: DeployedFront) -> pd.DataFrame:
    """Return a data frame with a row for each variant, confirmed models first.

    Accuracies are shares of the images of ``split``; ``accuracy_drop`` is the Keras model's accuracy less the file's.
    ``latency_seconds`` and ``peak_bytes`` are those of the variant's own runtime on this machine,
    ``measured_latency_seconds`` those that a person measured on the device. ``refusal`` says why a variant is not on
    offer.
    """
    frame = pd.DataFrame([_row(front, variant) for variant in front.variants])
    frame = frame.astype({"confirmation_training": "Int64"})
    return frame.assign(**{name: frame[name].astype("float64").round().astype("Int64") for name in _WHOLE})


def _row(front: DeployedFront, variant: DeployedVariant) -> dict[str, Any]:
    measures = variant.measures
    runtime = "onnx" if "onnx_latency_seconds" in measures else "litert"
    drop = math.nan if variant.accuracy is None else variant.keras_accuracy - variant.accuracy
    return {
        "trial": variant.trial,
        "variant": variant.variant,
        "on_front": front.is_member(variant),
        "confirmation_training": variant.training,
        "accuracy": variant.accuracy,
        "keras_accuracy": variant.keras_accuracy,
        "accuracy_drop": drop,
        "same_class": variant.same_class,
        "largest_difference": measures.get("largest_difference"),
        "split": variant.split,
        "n_images": variant.n_images,
        "file_bytes": measures.get("file_bytes"),
        "latency_seconds": measures.get(f"{runtime}_latency_seconds"),
        "latency_p95_seconds": measures.get(f"{runtime}_latency_p95_seconds"),
        "measured_latency_seconds": measures.get("measured_latency_seconds"),
        "peak_bytes": measures.get(f"{runtime}_peak_bytes"),
        "arena_bytes": measures.get("arena_bytes"),
        "arena_tensor_bytes": measures.get("arena_tensor_bytes"),
        "arena_structure_bytes": measures.get("arena_structure_bytes"),
        "macs": measures.get("macs"),
        "export_seconds": measures.get("export_seconds"),
        "file": variant.file,
        "refusal": front.why_not(variant),
        "notes": "; ".join(f"{name}: {why}" for name, why in variant.notes.items()),
    }


TITLES = ("trial", "variant", "accuracy", "Keras", "file", "arena", "latency", "peak")


def cells(front: DeployedFront, variant: DeployedVariant) -> list[str]:
    """Return a variant's row of the tables for people, under :data:`TITLES`."""
    measures = variant.measures
    peak = measures.get("litert_peak_bytes", measures.get("onnx_peak_bytes", math.nan))
    accuracy = math.nan if variant.accuracy is None else variant.accuracy
    return [
        str(variant.trial),
        variant.variant,
        format_quantity(accuracy, "fraction"),
        format_quantity(variant.keras_accuracy, "fraction"),
        format_quantity(measures.get("file_bytes", math.nan), "bytes"),
        format_quantity(measures.get("arena_bytes", math.nan), "bytes"),
        format_quantity(front.latency(variant), "seconds"),
        format_quantity(peak, "bytes"),
    ]


def deployed_table(front: DeployedFront, study: str) -> Table:
    """Return a table of the variants for a terminal, the front in bold, with the reasons of those not on offer."""
    title = Text(f"{study}: deployed")
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in TITLES:
        table.add_column(name, justify="left" if name == "variant" else "right", no_wrap=True)
    table.add_column("")
    for variant in front.variants:
        why = front.why_not(variant)
        is_on = front.is_member(variant)
        note = f"not offered: {why}" if why else "on the front" if is_on else ""
        style = "bold" if is_on else "dim"
        table.add_row(*map(Text, cells(front, variant)), Text(note), style=style)
    return table
