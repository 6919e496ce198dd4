"""What training from stored features saves: plain and from features, side by side in one process, CPU seconds.

MobileNetV2 at 96 pixels, four training images to one for validation, batches of 32, one thread. Its weights are random,
and stored in a file, with batch norm statistics of the images, as those of a trained network. `epochs` trains a few
epochs both ways and compares every loss, weight and answer. `study` runs a study over three freeze fractions both ways,
by the command, with the making of features counted. `threads` compares losses on several threads, where sums have no
fixed order.

    python benchmarks/frozen_prefix.py epochs|study|threads [--rounds 3] [--trials 30] [--epochs 10] [--images 1000]
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEED = 1
PIXELS = 96
N_CALIBRATED = 64  # images that batch norm statistics are those of
FRACTIONS = (1.0, 0.9, 0.8)
N_EPOCHS = 3  # the first one traces, and is left out
N_COMPARED_STEPS = 20
TUNEFRONT = (sys.executable, "-m", "tunefront")
EQUAL_COLUMNS = ("state", "accuracy", "f1_macro", "validation_loss", "best_epoch", "model_bytes", "n_parameters")
PR_SET_CHILD_SUBREAPER = 36


def write_images(path: Path, n_images: int) -> None:
    """Write images of ten classes, each a noisy pattern of its own."""
    rng = np.random.default_rng(SEED)
    patterns = rng.integers(0, 256, (10, 12, 12, 3)).repeat(PIXELS // 12, axis=1).repeat(PIXELS // 12, axis=2)
    labels = rng.permutation(np.arange(n_images) % 10)
    noise = rng.integers(0, 256, (n_images, PIXELS, PIXELS, 3))
    images = ((patterns[labels] + noise) // 2).astype(np.uint8)
    n_train = n_images * 4 // 5
    np.savez(
        path,
        x_train=images[:n_train],
        y_train=labels[:n_train],
        x_validation=images[n_train:],
        y_validation=labels[n_train:],
    )


def write_weights(path: Path, images: NDArray[np.uint8]) -> None:
    """Write random weights of the backbone, with which its layers neither vanish nor saturate on these images."""
    import keras

    from tunefront.spaces.architectures.backbone_weights import build_backbone
    from tunefront.spaces.architectures.backbones import BACKBONES

    keras.utils.set_random_seed(SEED)
    backbone = build_backbone(BACKBONES["MobileNetV2"], "none", 1.0, (PIXELS, PIXELS))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    backbone(images[:N_CALIBRATED] / 127.5 - 1, training=True)
    backbone.save_weights(path)


def train(folder: Path, fraction: float, *, is_stored: bool, n_epochs: int, n_steps: int = 0) -> dict[str, Any]:
    """Train once in this process; return the CPU seconds of each epoch and pass, and what came out."""
    import keras

    from tunefront.search.data.cache import prepare
    from tunefront.search.data.dataset import opened
    from tunefront.search.data.sources.npz import NpzSource
    from tunefront.search.spec.training import TrainingTable
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import EpochResult, Goal
    from tunefront.search.trial.prefix.cut import find_cut
    from tunefront.spaces.candidate import Candidate
    from tunefront.spaces.space import Space

    keras.utils.clear_session()
    settings = {"freeze_fraction": fraction, "weights": str(folder / "backbone.weights.h5"), "dropout": 0.3}
    more = {"width": 1.0, "pooling": "average", "dense_units": 0, "dense_units_2": 0, "head_epochs": 0}
    candidate = Candidate(
        "MobileNetV2", {**settings, **more}, "adam", {"learning_rate": 0.001}, epochs=n_epochs, steps_per_epoch=n_steps
    )
    dataset = prepare(NpzSource(source="npz", path=str(folder / "images.npz")), SEED)
    table = TrainingTable(epochs=n_epochs, validation_steps=1 if n_steps else 0)
    keras.utils.set_random_seed(SEED)
    trainable = training.build(Space.from_table({}), candidate, dataset, table, SEED)
    found: dict[str, Any] = {"pass": 0.0}
    if is_stored:
        cut = find_cut(trainable.model, trainable.backbone, 1e6)
        assert cut is not None
        images, prefix = opened(dataset.folder, "images"), cut.prefix()
        prefix.predict_on_batch(images[:250])
        began = time.process_time()
        features = np.concatenate(
            [prefix.predict_on_batch(images[place : place + 250]) for place in range(0, len(images), 250)]
        )
        found["pass"] = time.process_time() - began
        np.save(folder / "features.npy", features)
        mapped = np.load(folder / "features.npy", mmap_mode="r")
        trainable.shortcuts = lambda trainable: training.Shortcut(cut.rest(), mapped)
        training.compile_again(trainable)
    ended, losses = [time.process_time()], []

    def note(result: EpochResult) -> bool:
        ended.append(time.process_time())
        losses.append(result.metrics["loss"])
        return True

    fit(trainable, dataset, table, Goal(), note, seed=SEED)
    validation = dataset.split("validation")
    answers = trainable.model.predict(np.asarray(validation.images), verbose=0)
    return {
        **found,
        "epochs": np.diff(ended).tolist(),
        "losses": losses,
        "weights": trainable.model.get_weights(),
        "answers": answers,
        "n_right": int((answers.argmax(axis=1) == validation.labels).sum()),
    }


def compare_epochs(folder: Path, n_rounds: int) -> None:
    print("| frozen | plain epoch | from features | plain / features | one pass | largest difference |")
    print("|---|---|---|---|---|---|")
    for fraction in FRACTIONS:
        pairs = [
            tuple(train(folder, fraction, is_stored=is_stored, n_epochs=N_EPOCHS) for is_stored in (False, True))
            for _ in range(n_rounds)
        ]
        plain, stored = ([epoch for pair in pairs for epoch in pair[which]["epochs"][1:]] for which in (0, 1))
        ratios = [statistics.median(one["epochs"][1:]) / statistics.median(other["epochs"][1:]) for one, other in pairs]
        difference = max(largest_difference(*pair) for pair in pairs)
        cells = [
            f"{fraction:.0%}",
            f"{statistics.median(plain):.2f} s",
            f"{statistics.median(stored):.3f} s",
            f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
            f"{statistics.median(pair[1]['pass'] for pair in pairs):.1f} s",
            f"{difference:g}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


def largest_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the largest difference of any loss, weight or answer."""
    arrays = [*zip(one["weights"], other["weights"], strict=True), (one["answers"], other["answers"])]
    arrays.append((np.array(one["losses"]), np.array(other["losses"])))
    return max(float(np.abs(first - second).max()) for first, second in arrays)


def compare_threads(folder: Path) -> None:
    """Print how far losses are apart on several threads: the mean of the first 1, 2, ... 20 steps."""
    print("| frozen | largest relative difference of a loss | images answered otherwise right |")
    print("|---|---|---|")
    for fraction in FRACTIONS:
        pair = [
            train(folder, fraction, is_stored=is_stored, n_epochs=N_COMPARED_STEPS, n_steps=1)
            for is_stored in (False, True)
        ]
        plain, stored = (np.array(one["losses"]) for one in pair)
        difference = float((np.abs(plain - stored) / np.abs(plain)).max())
        print(f"| {fraction:.0%} | {difference:.1e} | {abs(pair[0]['n_right'] - pair[1]['n_right'])} |", flush=True)


SPEC = """
name = "{name}"
seed = {seed}
trials = {trials}
[data]
source = "npz"
path = "images.npz"
[space]
architecture = "MobileNetV2"
optimizer = "adam"
batch_size = 32
augmentation = "none"
[space.MobileNetV2]
weights = "backbone.weights.h5"
freeze_fraction = [0.8, 0.9, 1.0]
dropout = {{ low = 0.0, high = 0.5 }}
[space.adam]
learning_rate = {{ low = 1e-4, high = 1e-2, log = true }}
[training]
epochs = {epochs}
feature_cache = {cache}
[sampler]
name = "random"
[pruner]
name = "none"
"""


def compare_studies(folder: Path, n_trials: int, n_epochs: int) -> None:
    """Run a study both ways by the command, and print the CPU seconds of all its processes, and what came out equal."""
    seconds, trials = {}, {}
    for name, cache in (("features", "true"), ("plain", "false")):
        spec = SPEC.format(name=name, seed=SEED, trials=n_trials, epochs=n_epochs, cache=cache)
        (folder / f"{name}.toml").write_text(spec)
        seconds[name] = cpu_seconds_of([*TUNEFRONT, "run", f"{name}.toml", "--slots", str(processors())], folder, name)
        trials[name] = read_trials(folder / "results" / name / "trials.csv")
        print(f"{name}: {seconds[name]:.0f} CPU s, load {os.getloadavg()[0]:.1f}", flush=True)
    print(f"{n_trials} trials of {n_epochs} epochs: plain / features {seconds['plain'] / seconds['features']:.2f}")
    pairs = list(zip(trials["plain"], trials["features"], strict=True))
    n_equal = sum(all(plain[column] == other[column] for column in EQUAL_COLUMNS) for plain, other in pairs)
    print(f"{n_equal} of {len(pairs)} trials are equal in {', '.join(EQUAL_COLUMNS)}")
    accuracies = [float(row["accuracy"]) for row in trials["plain"]]
    print(f"their accuracies: {min(accuracies):.1%} to {max(accuracies):.1%}")
    for column in ("train_seconds", "plain_train_seconds", "prefix_seconds"):
        means = [mean_of(trials[name], column) for name in ("plain", "features")]
        print(f"{column}, mean of a trial: {means[0]:.2f} plain, {means[1]:.2f} from features")


def cpu_seconds_of(command: Sequence[str], folder: Path, cache: str) -> float:
    """Return the CPU seconds of a command and of all processes that descend from it, also of those that outlive it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        command, check=False, cwd=folder, capture_output=True, text=True, env=one_thread(folder / f"cache-{cache}")
    )
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{ended.stdout}{ended.stderr}")
    with suppress(ChildProcessError):
        while True:
            os.wait()  # the fork server, which the command leaves behind; its children's seconds are in its own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that their CPU seconds are counted here."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit(f"prctl: {os.strerror(ctypes.get_errno())}")


def read_trials(path: Path) -> list[dict[str, str]]:
    """Return the rows of a study's table of trials, by their number."""
    with path.open(newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: int(row["trial"]))


def mean_of(trials: Sequence[Mapping[str, str]], column: str) -> float:
    """Return the mean of a column over the trials that have it; NaN if none has."""
    values = [float(trial[column]) for trial in trials if trial.get(column)]
    return statistics.mean(values) if values else math.nan


def processors() -> int:
    """Return the processors of this process: as many slots have one thread each."""
    return len(os.sched_getaffinity(0))


def one_thread(cache: Path) -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TUNEFRONT_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["epochs", "study", "threads"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--images", type=int, default=1000)
    arguments = parser.parse_args()
    from tunefront.search.launching.slots import Slot

    Slot("cpu0", 1 if arguments.what != "threads" else (os.cpu_count() or 1)).claim()
    print(f"{platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TUNEFRONT_CACHE"] = str(folder / "cache")
        write_images(folder / "images.npz", arguments.images)
        write_weights(folder / "backbone.weights.h5", np.load(folder / "images.npz")["x_train"])
        if arguments.what == "epochs":
            compare_epochs(folder, arguments.rounds)
        elif arguments.what == "threads":
            compare_threads(folder)
        else:
            adopt_orphans()
            compare_studies(folder, arguments.trials, arguments.epochs)


if __name__ == "__main__":
    main()
