"""The calibration of the `pareto` pruner's predictions: how often learning curves end above its bounds.

Over tables of recorded trainings, in random orders: each trial is predicted at each epoch from trials that
finished before it. A bound that an end passes with a chance of 5 % should be passed by 5 % of the ends. Prints a
Markdown table for each recording: rows are ranges of epochs, columns the chances. Below it stands by how much
predictions from 30 finished trials are off, and how far apart neighbours on the front are, in logits.

    python benchmarks/calibration.py [TABLE ...] [--orders 20]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from tunefront.objectives.measures import MEASURES
from tunefront.objectives.skill import LOGITS
from tunefront.search.pruning.finished_trials import FinishedTrial, FinishedTrials
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.search.replay import RecordedTable, make_table
from tunefront.search.replay.recording import read_recording

RECORDINGS = Path(__file__).with_name("recordings")
CHANCES = (0.5, 0.2, 0.1, 0.05, 0.025)
N_FINISHED = (10, 30, 90)  # numbers of trials that predictions are made from


def finished_trials(table: RecordedTable, candidates: Sequence[int]) -> FinishedTrials:
    """Return these candidates as the pruner sees them when they are complete."""
    return FinishedTrials(
        table.epochs,
        table.objectives.values(),
        (
            FinishedTrial.from_epochs(
                number, table.curves[candidate], table.values[candidate].tolist(), True, MEASURES["accuracy"]
            )
            for number, candidate in enumerate(candidates)
        ),
    )


def exceeded_bounds(table: RecordedTable, n_finished: int, seed: int) -> Iterator[tuple[int, list[bool]]]:
    """Yield, for each epoch of each trial that is not finished, the epoch and which bounds the trial's end exceeds."""
    order = np.random.default_rng(seed).permutation(table.n_candidates).tolist()
    pruner = ParetoPruner(table.objectives, table.epochs, front_loss=0.05)
    finished = finished_trials(table, order[:n_finished])
    for candidate in order[n_finished:]:
        end = table.values[candidate][list(table.objectives).index("accuracy")]
        for epoch in range(1, table.epochs):
            prediction = pruner.predict_accuracy(table.curves[candidate][:epoch], finished)
            assert prediction is not None
            yield epoch, [bool(end > prediction.exceeded_with(chance)) for chance in CHANCES]


def calibration(table: RecordedTable, n_finished: int, n_orders: int) -> list[str]:
    """Return the rows of a Markdown table, one for each range of epochs."""
    found = [each for seed in range(n_orders) for each in exceeded_bounds(table, n_finished, seed)]
    epochs = np.array([epoch for epoch, _ in found])
    above = np.array([bounds for _, bounds in found])
    edges = [1, 4, table.epochs // 3, 2 * table.epochs // 3, table.epochs]
    rows = []
    for first, after in pairwise(edges):
        shares = above[(epochs >= first) & (epochs < after)].mean(axis=0)
        cells = " | ".join(f"{100 * share:.1f}" for share in shares)
        rows.append(f"| {n_finished} | {first} to {after - 1} | {cells} |")
    return rows


def errors(table: RecordedTable, epoch: int, n_orders: int) -> float:
    """Return the standard deviation of ends from predictions after `epoch`, from 30 finished trials, in logits."""
    accuracy = list(table.objectives).index("accuracy")
    pruner = ParetoPruner(table.objectives, table.epochs, front_loss=0.05)
    found = []
    for seed in range(n_orders):
        order = np.random.default_rng(seed).permutation(table.n_candidates).tolist()
        finished = finished_trials(table, order[:30])
        for candidate in order[30:]:
            prediction = pruner.predict_accuracy(table.curves[candidate][:epoch], finished)
            assert prediction is not None
            found.append(float(LOGITS.skills(table.values[candidate, accuracy])) - prediction.expected)
    return float(np.std(found))


def front_spacing(table: RecordedTable) -> float:
    """Return the median distance in accuracy of neighbours on the front, in logits."""
    accuracy = list(table.objectives).index("accuracy")
    return float(np.median(np.diff(np.sort(LOGITS.skills(table.values[table.is_front, accuracy])))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", type=Path, help="default: every table in benchmarks/recordings")
    parser.add_argument("--orders", type=int, default=20)
    given = parser.parse_args()
    for path in given.tables or sorted(RECORDINGS.glob("*.csv*")):
        table = make_table(read_recording(path))
        print(f"\n### {path.name}: % of the ends above a bound that is passed with a chance of ...\n")
        print(f"| finished | epochs | {' | '.join(f'{100 * chance:g} %' for chance in CHANCES)} |")
        print("|---" * (2 + len(CHANCES)) + "|")
        for n_finished in N_FINISHED:
            if n_finished < table.n_candidates - 10:
                print("\n".join(calibration(table, n_finished, given.orders)), flush=True)
        early, late = (errors(table, epoch, given.orders) for epoch in (3, 2 * table.epochs // 3))
        print(f"\nOff by {early:.2f} logits after epoch 3, {late:.2f} after two thirds of the epochs; ", end="")
        print(f"neighbours on the front are {front_spacing(table):.2f} apart", flush=True)


if __name__ == "__main__":
    main()
