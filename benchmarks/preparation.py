"""The cost of preparing image files: tunefront's cache against passes of Keras's image_dataset_from_directory.

A folder of small random JPEGs is made once. Each contender runs in a process of its own. CPU seconds, including those
of its child processes, are counted after its imports. A pass of Keras lists, reads, decodes and resizes every file,
which each epoch of a training on that dataset repeats. Ratios are formed within a round.

    python benchmarks/preparation.py [--files 20000] [--side 32] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

N_CLASSES = 10


def make_files(folder: Path, n_files: int, side: int) -> None:
    """Write JPEGs of smooth random colours into folders of classes."""
    import numpy as np
    from PIL import Image

    draws = np.random.default_rng(0)
    for number in range(n_files):
        path = folder / f"class{number % N_CLASSES}" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        few = Image.fromarray(draws.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        few.resize((side, side), Image.Resampling.BICUBIC).save(path, quality=90)


def load_keras(folder: Path, side: int) -> Callable[[], int]:
    import keras

    def run() -> int:
        dataset = keras.utils.image_dataset_from_directory(
            folder, image_size=(side, side), batch_size=32, verbose=False
        )
        return sum(len(labels) for _, labels in dataset)

    return run


def load_tunefront(folder: Path, side: int) -> Callable[[], int]:
    import sklearn.model_selection  # noqa: F401  # imported late otherwise

    from tunefront.search.data.cache import prepare
    from tunefront.search.data.sources.folder import FolderSource

    def run() -> int:
        dataset = prepare(FolderSource(source="folder", path=str(folder), image_size=side), seed=0)
        return dataset.n_train + dataset.n_validation + dataset.n_test

    return run


CONTENDERS = {
    "one pass of image_dataset_from_directory": load_keras,
    "tunefront, first time": load_tunefront,
    "tunefront, again": load_tunefront,
}


def near_copies_seconds(n_images: int = 10_000) -> dict[str, float]:
    """Return CPU seconds of the search for near copies, among different images and among almost equal ones."""
    import numpy as np

    from tunefront.search.data.splitting.near_copies import near_copies

    draws = np.random.default_rng(0)
    few = draws.uniform(0, 255, (n_images, 4, 4)).repeat(4, axis=1).repeat(4, axis=2).reshape(n_images, -1)
    kinds = {
        "images that differ": few + draws.normal(0, 4, (n_images, 256)),
        "one image with noise, each beyond the bound": few[:1] + draws.normal(0, 4, (n_images, 256)),
    }
    parts = draws.choice([0, 1, -1], n_images, p=[0.6, 0.2, 0.2])
    found = {}
    for kind, thumbnails in kinds.items():
        start = cpu_seconds()
        near_copies(thumbnails.astype(np.float32), parts, [0, 1, -1])
        found[kind] = cpu_seconds() - start
    return found


def cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run_contender(name: str, folder: Path, side: int, n_files: int) -> None:
    """Run a contender and print its CPU and wall seconds; called in a process of its own."""
    run = CONTENDERS[name](folder, side)
    start, started = cpu_seconds(), time.perf_counter()
    n_seen = run()
    print(cpu_seconds() - start, time.perf_counter() - started)
    assert n_seen == n_files, n_seen


def measure(name: str, folder: Path, cache: Path, arguments: argparse.Namespace) -> tuple[float, float]:
    command = [sys.executable, __file__, "--contender", name, "--folder", str(folder)]
    command += ["--side", str(arguments.side), "--files", str(arguments.files)]
    environment = {
        **os.environ,
        "TUNEFRONT_CACHE": str(cache),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    cpu, wall = done.stdout.split()[-2:]
    return float(cpu), float(wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        run_contender(arguments.contender, arguments.folder, arguments.side, arguments.files)
        return
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "images"
        folder.mkdir()
        make_files(folder, arguments.files, arguments.side)
        for number in range(arguments.rounds):
            for contender in CONTENDERS:
                found[contender].append(measure(contender, folder, Path(name) / f"cache{number}", arguments))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{arguments.files} JPEGs of {arguments.side} pixels, {machine}")
    print("| contender | CPU seconds, median | seconds, median | CPU seconds in passes: median (least to most) |")
    print("|---|---|---|---|")
    passes = [cpu for cpu, _ in found["one pass of image_dataset_from_directory"]]
    for contender, measured in found.items():
        ratios = sorted(cpu / of_pass for (cpu, _), of_pass in zip(measured, passes, strict=True))
        cpu, wall = (statistics.median(values) for values in zip(*measured, strict=True))
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"| {contender} | {cpu:.1f} | {wall:.1f} | {spread} |")
    for kind, seconds in near_copies_seconds().items():
        print(f"near copies among 10 000 thumbnails, {kind}: {seconds:.1f} CPU seconds")


if __name__ == "__main__":
    main()
