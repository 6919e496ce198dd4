"""What checkpoints cost: the share of a training's time that goes into writing them, and the memory that it takes.

Each training runs in a process of its own, with checkpoints and without, on one thread. MobileNetV2 has epochs of 4
or 8 batches, so that some checkpoints are written in a minute. The share is measured within the process that writes:
the seconds after each epoch in which a checkpoint is thought of or written, divided by all seconds from the first
epoch's beginning to the last one's end. It is promised to stay below 2 %.

    python benchmarks/checkpoints.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

SEED = 1
CNN = {"n_blocks": 2, "filters": 32, "kernel_size": 3, "dense_units": 64, "dropout": 0.2, "batch_norm": True}
MOBILE = {"width": 1.0, "weights": "none", "head_epochs": 0, "fine_tuning_rate": 0.1, "dropout": 0.2}
CASES: Mapping[str, Mapping[str, Any]] = {
    "digits": {"architecture": "plain_cnn", "architecture_settings": CNN, "epochs": 60},
    "MobileNetV2, 96 px": {
        "architecture": "MobileNetV2",
        "architecture_settings": {**MOBILE, "freeze_fraction": 0.0},
        "image_size": 96,
        "steps_per_epoch": 4,
        "epochs": 4,
    },
    "MobileNetV2, 96 px, frozen": {
        "architecture": "MobileNetV2",
        "architecture_settings": {**MOBILE, "freeze_fraction": 1.0},
        "image_size": 96,
        "steps_per_epoch": 8,
        "epochs": 8,
    },
}


def train(case: Mapping[str, Any], folder: Path | None) -> dict[str, float]:
    """Train once in this process; without a folder no checkpoints are written."""
    from tunefront.search.launching.slots import Slot

    Slot("cpu0", 1).claim()
    import keras

    from tunefront.search.data.cache import prepare
    from tunefront.search.data.sources.digits import DigitsSource
    from tunefront.search.spec.training import TrainingTable
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import EpochResult, Goal
    from tunefront.search.trial.memory import PeakMemory
    from tunefront.search.trial.resumption.trial_checkpoints import TrialCheckpoints
    from tunefront.spaces.candidate import Candidate
    from tunefront.spaces.space import Space

    class TimedCheckpoints(TrialCheckpoints):
        """Checkpoints that add up what they take."""

        seconds = 0.0
        n_bytes: float = 0
        writes: list[float]

        def end_epoch(self, *arguments: Any, **named: Any) -> None:
            began, n_told = time.perf_counter(), len(told)
            super().end_epoch(*arguments, **named)
            took = time.perf_counter() - began
            self.seconds += took
            if len(told) > n_told:
                self.writes.append(took)

    told: list[Any] = []
    chosen = Candidate(optimizer="adam", optimizer_settings={"learning_rate": 0.001}, **case)
    dataset = prepare(DigitsSource(source="digits"), SEED)
    table = TrainingTable(epochs=chosen.epochs, validation_steps=1)
    keras.utils.set_random_seed(SEED)
    peak = PeakMemory()
    trainable = training.build(Space.from_table({}), chosen, dataset, table, SEED)
    checkpoints = TimedCheckpoints(folder, {}, memory=peak.bytes, tell=told.append)
    checkpoints.writes = []
    checkpoints.resume(0, trainable)
    ended: list[float] = []

    def note(result: EpochResult) -> bool:
        ended.append(time.perf_counter())
        return True

    began = time.perf_counter()
    fit(trainable, dataset, table, Goal(), note, seed=SEED, checkpoints=checkpoints)
    seconds = time.perf_counter() - began
    sizes = [path.stat().st_size for path in folder.iterdir()] if folder and folder.exists() else []
    return {
        "seconds": seconds,
        "epoch_seconds": statistics.median(later - earlier for earlier, later in pairwise(ended)),
        "share": checkpoints.seconds / seconds,
        "n_writes": len(checkpoints.writes),
        "write_seconds": statistics.median(checkpoints.writes) if checkpoints.writes else 0.0,
        "file_bytes": max(sizes, default=0),
        "peak_bytes": peak.bytes() or 0,
    }


def in_own_process(name: str, folder: Path | None) -> dict[str, float]:
    command = [sys.executable, __file__, "--case", name, *(["--folder", str(folder)] if folder else [])]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def spread(values: list[float], show: Callable[[float], str]) -> str:
    return f"{show(statistics.median(values))} ({show(min(values))} to {show(max(values))})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", choices=CASES, help="train one in this process, and print what it took")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(train(CASES[arguments.case], arguments.folder)))
        return
    print(f"{platform.processor() or platform.machine()}, load {os.getloadavg()[0]:.1f}")
    measured = "checkpoints of epochs | file | a write | share of the time | peak memory, with / without"
    print(f"| training | epoch | {measured} |")
    print("|---|---|---|---|---|---|---|")
    for name, case in CASES.items():
        pairs = []
        for _ in range(arguments.rounds):
            with tempfile.TemporaryDirectory() as folder:
                pairs.append((in_own_process(name, Path(folder) / "trial-1"), in_own_process(name, None)))
        with_them = [one for one, _ in pairs]
        cells = [
            name,
            spread([one["epoch_seconds"] for one in with_them], lambda value: f"{value:.2f} s"),
            f"{statistics.median(one['n_writes'] for one in with_them):.0f} of {case['epochs']}",
            f"{with_them[0]['file_bytes'] / 1e6:.2g} MB",
            spread([one["write_seconds"] for one in with_them], lambda value: f"{1000 * value:.0f} ms"),
            spread([one["share"] for one in with_them], lambda value: f"{value:.2%}"),
            spread([one["peak_bytes"] / other["peak_bytes"] for one, other in pairs], lambda value: f"{value:.2f} x"),
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
