"""The process that runs one exported file in its runtime and measures it; it has no Keras and no other model.

``python -m tunefront.search.models.file_process TASK`` reads a task's JSON file, and writes its answer beside it.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tunefront.search.models.variants import Runtime
from tunefront.search.system.process_memory import process_memory

_CLASSES: dict[Runtime, tuple[str, str]] = {
    "litert": ("litert", "LiteRtModel"),
    "onnx": ("onnx_runtime", "OnnxModel"),
    "micro": ("micro", "MicroModel"),
}
N_PEAK_RUNS = 20
_N_WARM = 5
_N_TIMED = 50  # at least
_MIN_SECONDS = 0.2  # a file of a few microseconds is timed more often


def measure(
    runtime: Runtime, path: Path, images: Any, n_threads: int
) -> tuple[dict[str, float], dict[str, dict[str, Any]], Any]:
    """Load a file, and run it on every image.

    Returns:
        ``peak_bytes``, ``latency_seconds`` and ``latency_p95_seconds`` of one image; what the file takes and gives; and
        the probabilities, shape (n, outputs).
    """
    module, name = _CLASSES[runtime]
    load = getattr(import_module(f"tunefront.search.models.{module}"), name)
    image = np.array(images[0])
    level = process_memory("VmHWM")
    model = load(path, n_threads)
    batch = model.prepare(image)
    for _ in range(N_PEAK_RUNS):
        model.run(batch)
    measured = {"peak_bytes": float(max(process_memory("VmHWM") - level, 0))}
    measured |= _latencies(lambda: model.run(batch))
    answers = np.array([model.answer(one) for one in images])
    if runtime == "micro":
        model.print_arena()
    return measured, model.describe_ends(), answers


def _latencies(run: Callable[[], Any]) -> dict[str, float]:
    for _ in range(_N_WARM):
        run()
    seconds: list[float] = []
    began = time.perf_counter()
    while len(seconds) < _N_TIMED or time.perf_counter() - began < _MIN_SECONDS:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return {
        "latency_seconds": statistics.median(seconds),
        "latency_p95_seconds": float(np.quantile(seconds, 0.95)),
    }


def main(task_path: Path) -> None:
    """Answer the task in a file: a failure of the runtime is an answer too, because it says what the file cannot do."""
    task = json.loads(task_path.read_text())
    try:
        images = np.load(task["images"], mmap_mode="r")
        measured, ends, answers = measure(task["runtime"], Path(task["file"]), images, task["n_threads"])
    except Exception as error:  # noqa: BLE001 - whatever a runtime raises is why it does not run this file
        lines = str(error).strip().splitlines()
        answer: dict[str, Any] = {"error": (lines[0] if lines else type(error).__name__)[:300]}
    else:
        np.save(task_path.with_suffix(".answers.npy"), answers)
        answer = {"measured": measured, "ends": ends}
    task_path.with_suffix(".answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
