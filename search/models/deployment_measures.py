"""The measures of one network's file, and of what running that takes. It runs in a process with Keras."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.search.data.dataset import Dataset
from tunefront.search.models.calibration import calibration_rows
from tunefront.search.models.export import export
from tunefront.search.models.file_measures import measure_file
from tunefront.search.models.flops import flops
from tunefront.search.models.model_copies import float32_copy, randomize
from tunefront.search.models.variants import VARIANTS, Variant
from tunefront.storage.files import replace_file

_LITERT = {"litert_bytes", "litert_peak_bytes", "litert_latency_seconds", "arena_bytes"}
_RUN_IN_LITERT = _LITERT - {"litert_bytes", "arena_bytes"}


def measure_trained(model: Any, wanted: Sequence[str], precision: str, dataset: Dataset, seed: int) -> dict[str, float]:
    """Return the measures of a trained network, whatever its own precision is: name with unit -> value.

    Args:
        wanted: Names of measures; what comes with one of them (the 95th percentile, the parts of an arena) is told too.
        precision: The precision of LiteRT's file.
        seed: The study's seed, which fixes the calibration images.

    Raises:
        ExportRefusalError, RuntimeRefusalError: If the network cannot be exported, or its file cannot be run.
        ArenaTextError: If the arena cannot be read.
    """
    model = float32_copy(model)
    train = dataset.split("train")
    images = np.array(train.images[calibration_rows(train.labels, seed)])
    found: dict[str, float] = {}
    if "macs" in wanted:
        n_flops = flops(model)
        found |= {} if n_flops is None else {"macs": n_flops // 2}
    with tempfile.TemporaryDirectory(prefix="tunefront-") as folder:
        if _LITERT & set(wanted):
            found |= _measure_litert(model, set(wanted), VARIANTS[precision], images, Path(folder))
        if "onnx_latency_seconds" in wanted:
            path = Path(folder) / "model.onnx"
            export(model, VARIANTS["onnx"], path, images)
            measured = measure_file(path, "onnx", images[:1])
            found |= {
                "onnx_latency_seconds": measured.latency_seconds,
                "onnx_latency_p95_seconds": measured.latency_p95_seconds,
            }
    return found


def measure_untrained(
    model: Any, wanted: Sequence[str], precision: str, dataset: Dataset, seed: int, cache: str = ""
) -> dict[str, float]:
    """Return the measures that a network will have once it is trained. Its weights are drawn at random, in place.

    Args:
        model: A network in float32, as it was built.
        cache: A folder where the measures of each structure are kept; empty for none.

    Raises: As :func:`measure_trained`.
    """
    described = json.dumps([model.get_config(), sorted(wanted), precision], sort_keys=True, default=str)
    path = Path(cache) / f"{hashlib.sha256(described.encode()).hexdigest()[:32]}.json" if cache else None
    if path is not None and path.exists():
        found: dict[str, float] = json.loads(path.read_text())
        return found
    randomize(model, seed)
    found = measure_trained(model, wanted, precision, dataset, seed)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(found))
    return found


def _measure_litert(
    model: Any, wanted: set[str], variant: Variant, images: NDArray[Any], folder: Path
) -> dict[str, float]:
    path = folder / f"model{variant.suffix}"
    export(model, variant, path, images)
    found: dict[str, float] = {"litert_bytes": path.stat().st_size}
    if _RUN_IN_LITERT & wanted:
        measured = measure_file(path, "litert", images[:1])
        found |= {
            "litert_peak_bytes": measured.peak_bytes,
            "litert_latency_seconds": measured.latency_seconds,
            "litert_latency_p95_seconds": measured.latency_p95_seconds,
        }
    if "arena_bytes" in wanted:
        arena = measure_file(path, "micro", images[:1]).arena
        assert arena is not None
        found |= {
            "arena_bytes": arena.n_bytes,
            "arena_tensor_bytes": arena.tensor_bytes,
            "arena_structure_bytes": arena.structure_bytes,
        }
    return found
