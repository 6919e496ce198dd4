"""How many more heads an hour K heads on stored features train as one vmapped program: JAX, on a GPU or on CPU.

A head is what tunefront trains behind a wholly frozen backbone: 1280 numbers an image, a dense layer of 128 units or
none, dropout, a dense layer with softmax, Adam. Three ways train it, all from the same Keras objects: tunefront's own
`fit`, one head after another; the program with K = 1, one head after another; the program with K heads at a time. Heads
differ in their initial weights, learning rate, dropout rate and dropout masks. With ``own`` order they also differ in
their order of batches, as trials do, and a batch is gathered for each head; with ``shared`` order all see the same.

Features are not a backbone's: they are scikit-learn's digits with noise, behind a fixed random projection and relu.
Times do not depend on their values, and accuracies are far above chance. There are whole batches alone.

First each head of the program is compared with `fit` from the same weights, masks and batches: its losses and
accuracies of every epoch, for K = 1 and K = 8. The script ends in failure if they differ, or if a comparison with the
neighbouring head finds no difference; how far the kept weights are apart is told too. Then epochs are timed: each is
one call, with the validation after it, and the first one is a warm-up. A program is compiled apart from that. Orders of
batches are made while the device works.
On a GPU seconds are those of a clock; on CPU they are CPU seconds of the process, because other work may run. Bind it
to one core there, as a slot is.

What it would mean for tunefront. A trial's time would not be measured any more: `train_seconds` of a head that trains
with 31 others is the time of all, whatever share one takes of it. Nor would its peak of memory. Only heads of one
structure and one batch size train together: the sampler would have to draw K of them at once, without knowing how any
of them ends. Between two epochs a head can be told to stop, but it goes on costing what the others cost, unless the
program is compiled again for fewer. One fault, or too little memory, ends K trials. None of this is in tunefront.

JAX must be installed; tunefront does not ask for it.

    KERAS_BACKEND=jax python benchmarks/vmapped_heads.py [--budget 50] [--at-once 1 2 8 32 128] [--out FILE]

What would not end within the budget of seconds is left out, and told as such.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
import psutil
from heads import EPOCHS, N_VALIDATION, Fitted, Head, Program, Work, write_data

from tunefront.search.data.dataset import Dataset

N_CHECKED = 8
LOSS_TOLERANCE = 1e-3  # relative; a learning rate that is off by a thousandth changes a loss by more
ANSWER_TOLERANCE = 2  # validation images

WORKS = (
    Work(0, 32, 2048),
    Work(0, 32, 20480),
    Work(0, 128, 20480),
    Work(0, 128, 2048),
    Work(128, 32, 20480),
    Work(0, 32, 20480, "shared"),
)
CHECKED_WORK = Work(128, 32, 512)


def check(folder: Path, n_epochs: int = 3) -> tuple[dict[str, float], list[str]]:
    """Compare every head of the program with `fit`; return the largest differences of a loss, and what is wrong."""
    dataset = write_data(folder, CHECKED_WORK.n_train)
    heads = [Head.numbered(number) for number in range(N_CHECKED)]
    with jax.default_matmul_precision("highest"):  # otherwise a GPU rounds products, in each way differently
        ways = {rate: Fitted(CHECKED_WORK, dataset, rate) for rate in {head.dropout for head in heads}}
        plain = [ways[head.dropout].train(head, n_epochs)[1:] for head in heads]
        together = Program(CHECKED_WORK, dataset, heads)
        told = together.train(n_epochs)[1]
        vmapped = [(of_head(told, number), of_head(together.best_weights, number)) for number in range(N_CHECKED)]
        single, alone = Program(CHECKED_WORK, dataset, heads[:1]), []
        for head in heads:
            single.begin([head])
            told = single.train(n_epochs)[1]
            alone.append((of_head(told, 0), of_head(single.best_weights, 0)))
    found = {
        "K = 8 and fit": differences(vmapped, plain),
        "K = 1 and fit": differences(alone, plain),
        "K = 8 and fit of the next head": differences(vmapped, plain[1:] + plain[:1], least=True),
    }
    for name, (loss, answers, weights) in found.items():
        print(f"{name}: losses {loss:.1e} (relative), {answers:.0f} validation images, weights {weights:.1e}")
    problems = [
        f"{name} train differently"
        for name in ("K = 8 and fit", "K = 1 and fit")
        if not (found[name][0] <= LOSS_TOLERANCE and found[name][1] <= ANSWER_TOLERANCE)
    ]
    if found["K = 8 and fit of the next head"][0] <= 10 * LOSS_TOLERANCE:
        problems.append("heads are too much alike: an exchange of two would not be seen")
    return {name: values[0] for name, values in found.items()}, problems


def of_head(values: Any, number: int) -> Any:
    return jax.tree.map(lambda value: value[number], values)


def differences(some: Sequence[Any], others: Sequence[Any], *, least: bool = False) -> tuple[float, float, float]:
    """Return how much two ways differ in losses, in validation images and in weights: the worst head, or the least."""
    found = []
    for (told, weights), (other_told, other_weights) in zip(some, others, strict=True):
        one, other = np.array(told, np.float64), np.array(other_told, np.float64)  # (epochs, 3)
        relative = np.abs(one - other)[:, :2] / np.abs(other[:, :2])
        n_images = np.abs(one - other)[:, 2] * N_VALIDATION
        apart = [np.abs(first - second).max() for first, second in zip(weights, other_weights, strict=True)]
        found.append((float(relative.max()), float(n_images.max()), float(max(apart))))
    choose = min if least else max
    return tuple(choose(values) for values in zip(*found, strict=True))  # type: ignore[return-value]


@dataclass
class Row:
    """What was measured of one way to train.

    Attributes:
        at_once: The heads of one program; 0 for `fit`.
        epoch_seconds: The seconds of each epoch of all heads at once, without the first one.
        accuracies: The lowest and the highest accuracy of its heads after the last epoch.
        first_accuracy: The accuracy of head 0, which all ways train from the same weights.
        planned_bytes: See :class:`Program`; 0 for `fit`.
        peak_bytes: The highest that the device's allocator has had in this process so far; 0 if it does not say.
    """

    work: Work
    at_once: int
    compile_seconds: float
    epoch_seconds: list[float]
    accuracies: tuple[float, float]
    first_accuracy: float
    planned_bytes: int
    peak_bytes: int

    def head_seconds(self, *, compiles: bool) -> float:
        """Return the seconds a head of :data:`EPOCHS` epochs; heads of one program share its compiling."""
        seconds = EPOCHS * statistics.median(self.epoch_seconds) + (self.compile_seconds if compiles else 0)
        return seconds / max(self.at_once, 1)


def measure_fit(work: Work, dataset: Dataset, n_epochs: int) -> Row:
    head = Head.numbered(0)
    seconds, told, _ = Fitted(work, dataset, head.dropout).train(head, n_epochs)
    accuracy = told[-1].accuracy
    compiling = seconds[0] - statistics.median(seconds[1:])
    return Row(work, 0, compiling, seconds[1:], (accuracy, accuracy), accuracy, 0, peak_bytes())


def measure_program(work: Work, dataset: Dataset, at_once: int, n_epochs: int) -> Row:
    program = Program(work, dataset, [Head.numbered(number) for number in range(at_once)])
    seconds, told = program.train(n_epochs)
    last = told[-1].accuracy
    ends = float(last.min()), float(last.max())
    compiling, planned = program.compile_seconds, program.planned_bytes
    return Row(work, at_once, compiling, seconds[1:], ends, float(last[0]), planned, peak_bytes())


def peak_bytes() -> int:
    return int((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0))


def run_seconds() -> float:
    """Return the seconds since this process began, its imports among them."""
    return time.time() - psutil.Process().create_time()


def show(row: Row, fitted: Row | None, alone: Row | None) -> None:
    """Print a row of the table; ratios are heads an hour in those of `fit`, and of the program with one head."""

    def ratio(other: Row | None, *, compiles: bool) -> str:
        if other is None:
            return "-"
        return f"{other.head_seconds(compiles=compiles) / row.head_seconds(compiles=compiles):.1f}"

    least, most = min(row.epoch_seconds), max(row.epoch_seconds)
    cells = [
        f"{row.work.dense_units}",
        f"{row.work.batch_size}",
        f"{row.work.n_train}",
        row.work.order,
        f"K = {row.at_once}" if row.at_once else "`fit`",
        f"{row.compile_seconds:.2f}",
        f"{statistics.median(row.epoch_seconds):.3g} ({least:.3g} to {most:.3g})",
        f"{row.head_seconds(compiles=False):.3g}",
        ratio(fitted, compiles=False),
        ratio(alone, compiles=False),
        ratio(fitted, compiles=True),
        f"{row.first_accuracy:.1%} ({row.accuracies[0]:.1%} to {row.accuracies[1]:.1%})",
        f"{row.planned_bytes / 1e6:.0f}" if row.planned_bytes else "-",
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


def measure(folder: Path, works: Sequence[Work], at_once: Sequence[int], n_epochs: int, budget: float) -> list[Row]:
    """Measure and print one row after another, while the budget lasts."""
    print(
        "| dense units | batch | images | order | way | compiling, s | epoch of all heads, s | "
        f"a head of {EPOCHS} epochs, s | times `fit` | times K = 1 | times `fit`, with compiling | "
        "accuracy of head 0 (all heads) | planned MB |\n" + "|---" * 13 + "|"
    )
    rows: list[Row] = []
    paces = [0.0, 0.0]  # seconds for each step of a head in the last measurement, of `fit` and of the program
    datasets = {n: write_data(folder / str(n), n) for n in sorted({work.n_train for work in works})}
    for work in works:
        of_work = [row for row in rows if row.work == Work(work.dense_units, work.batch_size, work.n_train)]
        fitted = next((row for row in of_work if not row.at_once), None)
        alone = None
        for number in [*([] if fitted else [0]), *at_once]:
            n_steps = max(number, 1) * work.n_train // work.batch_size
            compiling = rows[-1].compile_seconds if rows else 0.0
            if run_seconds() + compiling + paces[number > 0] * n_steps > budget:
                print(f"{work}, {f'K = {number}' if number else 'fit'}: left out", flush=True)
                continue
            began = run_seconds()
            if number == 0:
                fitted = row = measure_fit(work, datasets[work.n_train], n_epochs)
            else:
                row = measure_program(work, datasets[work.n_train], number, n_epochs)
                alone = row if number == 1 else alone
            paces[number > 0] = (run_seconds() - began - row.compile_seconds) / n_steps
            rows.append(row)
            show(row, fitted, alone)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=50, help="seconds after which nothing more is begun")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 2, 8, 32, 128], help="values of K, rising")
    parser.add_argument("--epochs", type=int, default=4, help="timed epochs, with the first one, which does not count")
    parser.add_argument("--works", type=int, nargs="+", default=list(range(len(WORKS))), help="which of WORKS")
    parser.add_argument("--out", type=Path, help="a JSON file for all that was measured")
    arguments = parser.parse_args()
    if keras.backend.backend() != "jax":
        raise SystemExit(f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=jax")
    machine = {
        "device": f"{jax.devices()[0].device_kind} ({jax.default_backend()}), {os.cpu_count()} CPU cores",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("jax", "keras", "numpy")},
        },
        "load": os.getloadavg()[0],
    }
    print(f"{machine}, {run_seconds():.1f} s after the start")
    with tempfile.TemporaryDirectory() as name:
        checked, problems = check(Path(name) / "check")
        print(f"checked: {', '.join(problems) or 'equal'}, {run_seconds():.1f} s after the start")
        works = [WORKS[number] for number in arguments.works]
        rows = measure(Path(name), works, arguments.at_once, arguments.epochs, arguments.budget)
    print(f"{run_seconds():.0f} s, load {os.getloadavg()[0]:.1f}, peak {peak_bytes() / 1e6:.0f} MB of the device")
    if arguments.out:
        found = {**machine, "largest_loss_differences": checked, "rows": [asdict(row) for row in rows]}
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    if problems:
        raise SystemExit("; ".join(problems))


if __name__ == "__main__":
    main()
