"""The measures of an exported file, each file run in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunefront.mistakes import TunefrontError
from tunefront.search.models.arena import Arena, read_arena
from tunefront.search.models.variants import Runtime
from tunefront.search.system.child_environment import child_environment

_TIME_LIMIT = 600.0  # seconds; a runtime that hangs fails its file alone


class RuntimeRefusalError(TunefrontError):
    """A runtime cannot load or run a file; the message has the runtime's own words."""


@dataclass(frozen=True)
class FileMeasures:
    """The measures of an exported file in one runtime, for one image at a time.

    Attributes:
        peak_bytes: The peak of the process in 20 runs above its level with the runtime imported and no model.
        latency_seconds: The median of at least 50 runs; `latency_p95_seconds` is their 95th percentile.
        answers: The probabilities for each image, shape (n, outputs).
        ends: ``input`` and ``output`` -> name, shape, dtype, scale and zero point.
        arena: The arena in the interpreter of microcontrollers; None in another runtime.
    """

    n_bytes: int
    peak_bytes: int
    latency_seconds: float
    latency_p95_seconds: float
    answers: NDArray[np.float64]
    ends: Mapping[str, Mapping[str, Any]]
    arena: Arena | None = None


def measure_file(path: Path, runtime: Runtime, images: NDArray[Any], n_threads: int = 1) -> FileMeasures:
    """Run a file on each of some images of raw values, shape (n, ...), in a fresh process of that runtime.

    Raises:
        RuntimeRefusalError: If the runtime cannot load or run it.
        ArenaTextError: If the arena cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="tunefront-") as folder:
        task, images_path = Path(folder) / "task.json", Path(folder) / "images.npy"
        np.save(images_path, images)
        about = {"runtime": runtime, "file": str(path.resolve()), "images": str(images_path), "n_threads": n_threads}
        task.write_text(json.dumps(about))
        output, exit_code = _run(task)
        answer_path = task.with_suffix(".answer.json")
        answer = json.loads(answer_path.read_text()) if answer_path.exists() else {}
        if "measured" not in answer:
            why = answer.get("error") or f"its process ended with exit code {exit_code}"
            raise RuntimeRefusalError(f"{_NAMES[runtime]} does not run it: {_with_detail(why, output, runtime)}")
        measured = answer["measured"]
        return FileMeasures(
            n_bytes=path.stat().st_size,
            peak_bytes=int(measured["peak_bytes"]),
            latency_seconds=measured["latency_seconds"],
            latency_p95_seconds=measured["latency_p95_seconds"],
            answers=np.load(task.with_suffix(".answers.npy")),
            ends=answer["ends"],
            arena=read_arena(output) if runtime == "micro" else None,
        )


_NAMES: dict[Runtime, str] = {"litert": "LiteRT", "onnx": "ONNX Runtime", "micro": "tflite-micro"}


def _run(task: Path) -> tuple[str, int]:
    """Run the process to its end; return all that it printed, and its exit code."""
    with child_environment(TF_CPP_MIN_LOG_LEVEL="3"):
        done = subprocess.run(
            [sys.executable, "-m", "tunefront.search.models.file_process", str(task)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=_TIME_LIMIT,
            check=False,
        )
    return done.stdout.decode(errors="replace"), done.returncode


def _with_detail(why: str, output: str, runtime: Runtime) -> str:
    """Return the reason with what tflite-micro printed: its exceptions do not say which layer it lacks."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return f"{why}: {lines[0][:200]}" if runtime == "micro" and lines else why
