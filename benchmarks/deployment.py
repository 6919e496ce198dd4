"""What deployment changes about a front: times of three runtimes, int8, measures told before training, a board.

Random networks of the digits space and of MobileNetV2 from scratch. Prints Markdown tables:

1. Kendall's tau between the latencies of Keras, LiteRT and ONNX Runtime, over all networks, weights drawn at random.
2. For trained digits networks: the float32 files' front of accuracy, bytes and latency, how much of it int8 files
   dominate, and the hypervolume of both together as a multiple of that of float32 (costs as logarithms).
3. What was said before training against the file of the trained network: bytes, arena, latency.
4. Seconds that a variant takes, to export and to run.
5. Of random candidates, the share that a board with 64 kB of flash and 16 kB of RAM refuses without a training.

Run it on a quiet machine: the first two are about times.

    python benchmarks/deployment.py [--networks 30] [--trained 10] [--epochs 8]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import optuna
from scipy.stats import kendalltau

from tunefront.objectives.dominance import dominating, hypervolume, on_front
from tunefront.objectives.measures import Direction
from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.machine import load_average
from tunefront.search.models.agreement import chosen_classes
from tunefront.search.models.calibration import calibration_rows
from tunefront.search.models.deployment_measures import measure_trained, measure_untrained
from tunefront.search.models.export import export
from tunefront.search.models.file_measures import FileMeasures, measure_file
from tunefront.search.models.variants import VARIANTS
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.trial.timer import latency_seconds
from tunefront.spaces.candidate import Candidate

WANTED = ["litert_bytes", "arena_bytes", "litert_latency_seconds"]
FLASH, RAM = 64e3, 16e3
DIRECTIONS: tuple[Direction, ...] = ("maximize", "minimize", "minimize")
DIGITS: dict[str, Any] = {
    "name": "digits",
    "data": {"source": "digits"},
    "space": {
        "architecture": ["plain_cnn", "separable_cnn"],
        "optimizer": "adam",
        "augmentation": "none",
        "batch_size": 32,
        "adam": {"learning_rate": {"low": 1e-3, "high": 1e-2, "log": True}},
        "plain_cnn": {"filters": [4, 8, 16, 32], "dense_units": [0, 32, 128]},
    },
}
MOBILE: dict[str, Any] = {
    "name": "mobile",
    "data": {"source": "digits"},
    "space": {
        "architecture": "MobileNetV2",
        "optimizer": "adam",
        "augmentation": "none",
        "image_size": [32, 64, 96],
        "MobileNetV2": {"weights": "none", "width": [0.35, 0.5, 0.75, 1.0], "freeze_fraction": 0.0},
    },
}


def candidates(tables: dict[str, Any], n: int, seed: int) -> list[Candidate]:
    """Return random candidates of a space."""
    space = StudySpec.model_validate(tables).parsed_space()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [space.suggest(study.ask()) for _ in range(n)]


def build(tables: dict[str, Any], candidate: Candidate, dataset: Dataset) -> Any:
    """Build a candidate's network in a Keras that knows of no other one."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    space = StudySpec.model_validate(tables).parsed_space()
    return space.build(candidate, dataset.image_shape, dataset.n_classes)


def latencies(dataset: Dataset, n_networks: int) -> list[tuple[float, float, float]]:
    """Measure networks of both spaces, a fifth of them MobileNets, in Keras, LiteRT and ONNX Runtime."""
    n_mobile = n_networks // 5
    pairs = [(DIGITS, one) for one in candidates(DIGITS, n_networks - n_mobile, 1)]
    pairs += [(MOBILE, one) for one in candidates(MOBILE, n_mobile, 1)]
    image = np.array(dataset.split("train").images[0])
    found = []
    for tables, candidate in pairs:
        model = build(tables, candidate, dataset)
        measures = measure_trained(
            model, ["litert_latency_seconds", "onnx_latency_seconds"], "float32", dataset, seed=0
        )
        found.append(
            (latency_seconds(model, image), measures["litert_latency_seconds"], measures["onnx_latency_seconds"])
        )
    return found


def trained_files(
    dataset: Dataset, n_networks: int, epochs: int
) -> Iterator[tuple[dict[str, float], dict[str, float], dict[str, tuple[FileMeasures, float, float]]]]:
    """Train networks; yield what was told before, what is measured after, and variant -> file, accuracy, seconds."""
    train, validation = dataset.split("train"), dataset.split("validation")
    rows = calibration_rows(train.labels, 0)
    for candidate in candidates(DIGITS, n_networks, 2):
        before = measure_untrained(build(DIGITS, candidate, dataset), WANTED, "int8", dataset, 0)
        model = build(DIGITS, candidate, dataset)
        rate = float(candidate.optimizer_settings["learning_rate"])
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        model.fit(np.array(train.images, "float32"), np.array(train.labels), batch_size=32, epochs=epochs, verbose=0)
        after = measure_trained(model, WANTED, "int8", dataset, 0)
        files = {}
        with tempfile.TemporaryDirectory() as folder:
            for name in ("float32", "int8"):
                began = time.perf_counter()
                path = Path(folder) / f"model{VARIANTS[name].suffix}"
                export(model, VARIANTS[name], path, np.array(train.images[rows]))
                measured = measure_file(path, "litert", validation.images)
                accuracy = float(np.mean(chosen_classes(measured.answers) == validation.labels))
                files[name] = (replace(measured, answers=np.empty((0, 0))), accuracy, time.perf_counter() - began)
        yield before, after, files


def print_latencies(found: list[tuple[float, float, float]]) -> None:
    """Print the ranges of the three latencies, and tau between each two."""
    print("| runtime | least | most | most / least |\n|---|---|---|---|")
    for name, column in zip(("Keras", "LiteRT", "ONNX Runtime"), zip(*found, strict=True), strict=True):
        print(f"| {name} | {1e3 * min(column):.3g} ms | {1e3 * max(column):.3g} ms | {max(column) / min(column):.3g} |")
    print("\n| pair | Kendall's tau |\n|---|---|")
    for (first, one), (second, other) in combinations(
        zip(("Keras", "LiteRT", "ONNX Runtime"), zip(*found, strict=True), strict=True), 2
    ):
        print(f"| {first}, {second} | {kendalltau(one, other).statistic:.2f} |")


def points(found: list[dict[str, tuple[FileMeasures, float, float]]], name: str) -> np.ndarray[Any, Any]:
    """Return accuracy, log bytes and log latency of each network's file."""
    files = [one[name] for one in found]
    return np.array([[accuracy, np.log(file.n_bytes), np.log(file.latency_seconds)] for file, accuracy, _ in files])


def print_fronts(found: list[dict[str, tuple[FileMeasures, float, float]]]) -> None:
    """Print how much of the float32 front int8 files dominate, and what they add to its hypervolume."""
    floats, small = points(found, "float32"), points(found, "int8")
    front = floats[on_front(floats, DIRECTIONS)]
    beaten = sum(bool(dominating(point, small, DIRECTIONS).any()) for point in front)
    both = np.concatenate([floats, small])
    reference = (0.0, both[:, 1].max() + 0.1, both[:, 2].max() + 0.1)
    gain = hypervolume(both, reference, DIRECTIONS) / hypervolume(floats, reference, DIRECTIONS)
    share = float(np.mean([one["int8"][0].n_bytes / one["float32"][0].n_bytes for one in found]))
    drop = float(np.mean(floats[:, 0] - small[:, 0]))
    print("\n| float32 front | dominated by int8 | hypervolume with int8 | int8 bytes | accuracy lost |")
    print(
        f"|---|---|---|---|---|\n| {len(front)} of {len(found)} | {beaten} | {gain:.2f} x | {share:.0%} | {drop:+.2%} |"
    )


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=30)
    parser.add_argument("--trained", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=8)
    chosen = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"processes that want each core: {load_average():.1f}\n")
    dataset = prepare(StudySpec.model_validate(DIGITS).data, 0)
    print_latencies(latencies(dataset, chosen.networks))
    told = list(trained_files(dataset, chosen.trained, chosen.epochs))
    print_fronts([files for _, _, files in told])
    print("\n| said before training | largest difference from the final file |\n|---|---|")
    for name in WANTED:
        worst = max(abs(before[name] - after[name]) / after[name] for before, after, _ in told)
        print(f"| {name} | {worst:.2%} |")
    seconds = [seconds for _, _, files in told for _, _, seconds in files.values()]
    print(f"\na variant takes {np.median(seconds):.1f} s, at most {max(seconds):.1f} s")
    refused = []
    for candidate in candidates(DIGITS, chosen.networks, 3):
        known = measure_untrained(build(DIGITS, candidate, dataset), WANTED[:2], "int8", dataset, 0)
        refused.append(known["litert_bytes"] > FLASH or known["arena_bytes"] > RAM)
    print(f"\nof {len(refused)} random candidates a board of 64 kB and 16 kB refuses {sum(refused)} without a training")


if __name__ == "__main__":
    main()
