"""Trials an hour of CNNs for images of CIFAR's size on one GPU, with 1, 2, 4 and 8 slots on it.

    KERAS_BACKEND=jax python benchmarks/gpu_slots.py [--slots 1 2 4 8] [--trials 3] [--epochs 20] [--mps] [--out FILE]

All trials train the same network on the same images, and differ in learning rate and seed alone, so that each is as
much work as any other. Each slot trains ``--trials`` of them. The images are 20 000 patches of 32 x 32 pixels of two
photographs that come with scikit-learn, in ten classes. The hours are those between the start of the first trial and
the end of the last one, from the store. What the GPU did meanwhile is asked of its driver twice a second: the share of
the time in which any kernel ran, and the memory that was taken. With ``--mps`` NVIDIA's multi-process service is
started before and ended after.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pynvml

N_IMAGES = 20_000
SPEC = """
name = "gpu_slots"
seed = 1
trials = {trials}

[objectives]
accuracy = "accuracy"
memory = "peak_bytes"
time = "train_seconds"

[data]
source = "npz"
path = "patches.npz"
validation_fraction = 0.2
test_fraction = 0.1

[space]
architecture = "plain_cnn"
optimizer = "adam"
augmentation = "none"
batch_size = 128

[space.plain_cnn]
n_blocks = 3
filters = 32
kernel_size = 3
dense_units = 128
dropout = 0.2
batch_norm = true

[space.adam]
learning_rate = {{ low = 5e-4, high = 5e-3, log = true }}

[training]
epochs = {epochs}

[sampler]
name = "random"

[pruner]
name = "none"
"""


def make_images(path: Path) -> None:
    """Write patches of two photographs; a patch's class is its photograph and in which fifth of its width it lies."""
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    patches, labels = [], []
    for picture, image in enumerate(load_sample_images().images):
        height, width, _ = image.shape
        for _ in range(N_IMAGES // 2):
            top, left = random.integers(height - 32), random.integers(width - 32)
            patches.append(image[top : top + 32, left : left + 32])
            labels.append(5 * picture + 5 * (left + 16) // width)
    np.savez(path, x=np.stack(patches), y=np.array(labels))


class Watch(threading.Thread):
    """A thread that asks the first GPU's driver twice a second what it does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        pynvml.nvmlInit()
        self._handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        self._stopped = threading.Event()
        self.samples: list[tuple[float, float, float]] = []  # time, busy percent, bytes

    def run(self) -> None:
        while not self._stopped.wait(0.5):
            busy = pynvml.nvmlDeviceGetUtilizationRates(self._handle).gpu
            taken = pynvml.nvmlDeviceGetMemoryInfo(self._handle).used
            self.samples.append((time.time(), float(busy), float(taken)))

    def between(self, begin: float, end: float) -> tuple[float, float]:
        """End the watch; return the mean percent of the time that a kernel ran, and the most bytes that were taken."""
        self._stopped.set()
        self.join()
        kept = [sample for sample in self.samples if begin <= sample[0] <= end]
        return statistics.mean(sample[1] for sample in kept), max(sample[2] for sample in kept)


@contextmanager
def mps(wanted: bool) -> Iterator[None]:
    """Run NVIDIA's multi-process service inside, if it is wanted."""
    if not wanted:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        subprocess.run(["nvidia-cuda-mps-control", "-d"], check=True)
        try:
            yield
        finally:
            subprocess.run(["nvidia-cuda-mps-control"], input="quit\n", text=True, check=False)
            for log in sorted(Path(folder).glob("*.log")):
                print(f"{log.name}: {log.read_text()[-600:]}", file=sys.stderr)
            del os.environ["CUDA_MPS_PIPE_DIRECTORY"], os.environ["CUDA_MPS_LOG_DIRECTORY"]


def measure(n_slots: int, n_trials: int, epochs: int, images: Path) -> dict[str, Any]:
    """Return what a study did with so many slots, each of which trained so many trials."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "patches.npz").symlink_to(images)
        Path(folder, "study.toml").write_text(SPEC.format(trials=n_slots * n_trials, epochs=epochs))
        watch = Watch()
        watch.start()
        command = [sys.executable, "-m", "tunefront", "run", "study.toml", "--slots-per-gpu", str(n_slots)]
        command += ["--storage", "sqlite:///study.db"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if run.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{run.stdout}\n{run.stderr}")
        study = optuna.load_study(study_name="gpu_slots", storage=f"sqlite:///{folder}/study.db")
        trials = study.get_trials(deepcopy=False)
        states = [trial.state.name for trial in trials]
        if states != ["COMPLETE"] * n_slots * n_trials:
            raise SystemExit(f"not all trials are complete: {states}\n{run.stdout}")
        begin = min(trial.datetime_start.timestamp() for trial in trials if trial.datetime_start)
        end = max(trial.datetime_complete.timestamp() for trial in trials if trial.datetime_complete)
        busy, taken = watch.between(begin, end)
        table = pd.read_csv(Path(folder, "results", "gpu_slots", "trials.csv"))
        columns = ("train_seconds", "compile_seconds", "validation_seconds", "peak_bytes", "accuracy")
        return {
            "slots": n_slots,
            "trials": len(trials),
            "seconds": end - begin,
            "trials_an_hour": 3600 * len(trials) / (end - begin),
            "busy_percent": busy,
            "gpu_bytes": taken,
            **{name: [float(value) for value in table[name]] for name in columns if name in table},
        }


def row(measured: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    """Return a row of the table; `first` is what others are compared with."""
    medians = [statistics.median(measured[name]) for name in ("train_seconds", "compile_seconds", "accuracy")]
    peaks = sorted({round(value / 1e6, 1) for value in measured["peak_bytes"]})
    return (
        f"| {measured['slots']}{' with MPS' if measured['mps'] else ''} | {measured['trials_an_hour']:.0f} "
        f"| {measured['trials_an_hour'] / first['trials_an_hour']:.2f} | {medians[0]:.2f} | {medians[1]:.1f} "
        f"| {measured['busy_percent']:.0f} % | {measured['gpu_bytes'] / 1e9:.1f} GB "
        f"| {peaks[0]} to {peaks[-1]} MB | {100 * medians[2]:.1f} % |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--trials", type=int, default=3, help="trials for each slot")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--mps", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder, mps(arguments.mps):
        images = Path(folder) / "patches.npz"
        make_images(images)
        for n_slots in arguments.slots:
            measured = measure(n_slots, arguments.trials, arguments.epochs, images) | {"mps": arguments.mps}
            results.append(measured)
            print(row(measured, results[0]), flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
