"""What stored views cost in accuracy and save in CPU seconds, beside augmentation that is new in every epoch.

MobileNet at half width learns scikit-learn's digits 0 to 4, enlarged to 48 pixels (`tunefront pretrain`). Then it is
fine-tuned on few images of the digits 5 to 9, which each seed draws anew: plainly with light augmentation, from 1, 2, 4
and 8 stored views of it, and without augmentation. One thread. `studies` runs the same candidates each way by the
command, and compares accuracies with those of the plain way with the same seed; seconds are those of all processes, the
making of views among them. `epochs` trains a few epochs each way in one process, of networks of two sizes with random
weights, on as many images.

    python benchmarks/feature_views.py epochs|studies [--rounds 3] [--seeds 5] [--epochs 24]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from few_digits import (
    FREEZE_FRACTIONS,
    LEARNING_RATES,
    NONE,
    PIXELS,
    PLAIN,
    PRETRAIN,
    WIDTH,
    ways,
    write_first,
    write_images,
    write_random_weights,
    write_spec,
)
from frozen_prefix import adopt_orphans, cpu_seconds_of, read_trials

TIMED = ((PIXELS, WIDTH), (96, 1.0))  # pixels and width of the networks whose epochs are timed
TIMED_WAYS = (PLAIN, "1 view", "4 views", NONE)
N_EPOCHS_TIMED = 4  # the first one traces, and is left out
N_RESAMPLES = 2000
TUNEFRONT = (sys.executable, "-m", "tunefront")


class MakerHere:
    """What makes features in this process, as :class:`SpareProcess` would in one of its own."""

    def __init__(self, *known: Any) -> None:
        self._known = known
        self._held: list[Any] = []

    def ask(self, wanted: Sequence[Any]) -> str:
        from tunefront.search.trial.prefix.features_maker import make_features

        self._held += make_features(*self._known, wanted)
        return ""

    def close(self) -> None:
        """Do nothing: it ends with this process."""


def train(folder: Path, way: str, fraction: float, width: float) -> dict[str, float]:
    """Train a few epochs in this process; return the CPU seconds of an epoch, and of what comes before the first."""
    import keras
    from optuna.trial import FixedTrial

    from tunefront.search.data.cache import prepare
    from tunefront.search.launching.slots import Slot
    from tunefront.search.spec.file import read_spec
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import EpochResult, Goal
    from tunefront.search.trial.messages import TrialTask
    from tunefront.search.trial.prefix.feature_source import FeatureSource
    from tunefront.search.trial.resumption.task_checkpoints import versions_of_training
    from tunefront.search.trial.trainable import build

    keras.utils.clear_session()
    spec = read_spec(folder / f"{write_spec(folder, way, 1, N_EPOCHS_TIMED, width)}.toml")
    parameters = {"MobileNet.freeze_fraction": fraction, "adam.learning_rate": LEARNING_RATES[0]}
    candidate = spec.parsed_space().suggest(FixedTrial(parameters))
    dataset = prepare(spec.data, spec.seed, are_images=True)
    task = TrialTask(0, spec.as_json(), candidate, dataset, Slot("cpu0", 1), 1, (), "", measures_latency=False)
    trainable = build(spec.parsed_space(), candidate, dataset, spec.training, task.seed)
    versions = versions_of_training()
    began = time.process_time()
    if way != PLAIN:
        FeatureSource(task, spec, versions, MakerHere(task, spec, versions)).attach(trainable)
    ended = [time.process_time()]

    def note(result: EpochResult) -> bool:
        ended.append(time.process_time())
        return True

    fit(trainable, dataset, spec.training, Goal(), note, seed=task.seed)
    return {"before": ended[0] - began, "epoch": statistics.median(np.diff(ended)[1:])}


def compare_epochs(folder: Path, n_rounds: int) -> None:
    """Print the CPU seconds of an epoch each way beside those of the plain way, and of making the features."""
    print("| pixels, width | frozen | way | epoch | plain / this | making the features |")
    print("|---|---|---|---|---|---|")
    for pixels, width in TIMED:
        write_images(folder, 1, pixels)
        write_random_weights(folder, pixels, width)
        for fraction in FREEZE_FRACTIONS:
            rounds: list[dict[str, dict[str, float]]] = [{} for _ in range(n_rounds)]
            for one in rounds:
                for way in TIMED_WAYS:
                    with tempfile.TemporaryDirectory() as cache:  # in which nothing was made before
                        os.environ["TUNEFRONT_CACHE"] = cache
                        one[way] = train(folder, way, fraction, width)
            for way in TIMED_WAYS:
                ratios = [one[PLAIN]["epoch"] / one[way]["epoch"] for one in rounds]
                cells = [
                    f"{pixels}, {width}",
                    f"{fraction:.0%}",
                    way,
                    f"{statistics.median(one[way]['epoch'] for one in rounds):.3f} s",
                    f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
                    f"{statistics.median(one[way]['before'] for one in rounds):.1f} s",
                ]
                print("| " + " | ".join(cells) + " |", flush=True)


def compare_studies(folder: Path, n_seeds: int, n_epochs: int) -> None:
    """Run each seed's study each way, and print accuracies and seconds after every seed."""
    found: dict[str, list[tuple[float, list[float]]]] = {way: [] for way in ways()}
    for seed in range(1, n_seeds + 1):
        write_images(folder, seed)
        for way in ways():
            name = write_spec(folder, way, seed, n_epochs)
            seconds = cpu_seconds_of([*TUNEFRONT, "run", f"{name}.toml", "--slots", "1"], folder, name)
            trials = read_trials(folder / "results" / name / "trials.csv")
            found[way].append((seconds, [float(trial["accuracy"]) for trial in trials]))
            accuracies = found[way][-1][1]
            print(
                f"{name}: {seconds:.1f} CPU s, load {os.getloadavg()[0]:.1f}, {accuracies}", file=sys.stderr, flush=True
            )
        print(f"\n{seed} seeds, load {os.getloadavg()[0]:.1f}\n")
        print_studies(found)


def print_studies(found: Mapping[str, Sequence[tuple[float, Sequence[float]]]]) -> None:
    """Print a row for each way: accuracies, and how far they are from the plain way's, seed by seed.

    Args:
        found: Way -> for each seed the CPU seconds of its study, and the accuracy of each candidate.
    """
    print(
        "| way | accuracy, mean | less the plain one's | best of a study, less the plain best | CPU s | plain / this |"
    )
    print("|---|---|---|---|---|---|")
    plain = found[PLAIN]
    for way, studies in found.items():
        means = [100 * statistics.mean(accuracies) for _, accuracies in studies]
        apart = [mean - 100 * statistics.mean(other) for mean, (_, other) in zip(means, plain, strict=True)]
        best = [100 * (max(one) - max(other)) for (_, one), (_, other) in zip(studies, plain, strict=True)]
        ratios = [other / seconds for (seconds, _), (other, _) in zip(studies, plain, strict=True)]
        cells = [
            way,
            f"{statistics.mean(means):.1f} % ({min(means):.1f} to {max(means):.1f})",
            "" if way == PLAIN else with_interval(apart),
            "" if way == PLAIN else with_interval(best),
            f"{statistics.mean(seconds for seconds, _ in studies):.1f}",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


def with_interval(values: Sequence[float]) -> str:
    """Return a mean with its 95 % bootstrap interval over the seeds."""
    drawn = np.random.default_rng(0).choice(values, (N_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{statistics.mean(values):+.1f} ({low:+.1f} to {high:+.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["epochs", "studies"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=24)
    arguments = parser.parse_args()
    from tunefront.search.launching.slots import Slot

    print(f"{platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.what == "epochs":
            Slot("cpu0", 1).claim()
            os.chdir(folder)
            compare_epochs(folder, arguments.rounds)
        else:
            write_first(folder)
            write_images(folder, 1)
            (folder / "pretrained.toml").write_text(PRETRAIN)
            adopt_orphans()
            cpu_seconds_of([*TUNEFRONT, "pretrain", "pretrained.toml"], folder, "pretrained")
            compare_studies(folder, arguments.seeds, arguments.epochs)


if __name__ == "__main__":
    main()
