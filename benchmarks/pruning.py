"""The savings and losses of stopping early: tunefront's `pareto` against the oracle and other rules, in one run.

Every rule is played back over tables of recorded trainings (`tunefront record`), each in the same random orders
of the trials. Prints a Markdown table for each recording, and whether the expectations of `pareto` hold.

    pip install -r benchmarks/requirements-pruning.txt
    python benchmarks/pruning.py [TABLE ...] [--repeats 50] [--workers 4] [--out FOLDER]

With --ours, only the bounds and the settings of `pareto` are played. With --validation-alone, `pareto` does not see
training accuracies, and nothing else is played.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from tunefront.reports.replay.page import write_replay
from tunefront.reports.replay.tables import replay_markdown, times_oracle
from tunefront.search.replay import Pruner, RecordedTable, Strategy, parse_pruner, replay
from tunefront.search.replay.recording import Recording, read_recording

RECORDINGS = Path(__file__).with_name("recordings")
BOUNDS = ("oracle", "foresight", "none")
OTHERS = ("dominance:1.5", "dominance:3", "median", "halving")
SETTINGS = ("strict:0.1", "strict:0.2", "pareto:0.05", "pareto:0.1", "pareto:0.2", "pareto:0.5")
PROMISED_SETTING = "pareto:0.1"


class Moasha:
    """Syne Tune's MOASHA as shipped, with its defaults but for the number of epochs.

    After every epoch it gets 1 minus the best accuracy so far, and the logarithms of the costs, with the time
    extrapolated to the end. It never stops a trial after its last epoch, because that trial is complete.
    """

    def __init__(self, table: RecordedTable, n_trials: int) -> None:
        from syne_tune.backend.trial_status import Trial
        from syne_tune.optimizer.schedulers.multiobjective.moasha import MOASHA

        self._make_trial = Trial
        self.asked_after = range(1, table.epochs)
        self._names = [objective.measure.name for objective in table.objectives.values()]
        self._losses = {epoch: _losses(table, epoch) for epoch in range(1, table.epochs + 1)}
        self._epochs = table.epochs
        self._scheduler = MOASHA({}, self._names, time_attr="epoch", max_t=table.epochs, random_seed=0)

    def start(self, candidate: int) -> None:
        self._scheduler.on_trial_add(self._trial(candidate))

    def goes_on(self, candidate: int, epoch: int) -> bool:
        return self._scheduler.on_trial_result(self._trial(candidate), self._result(candidate, epoch)) != "STOP"

    def end(self, candidate: int, is_complete: bool) -> None:
        if is_complete:
            self._scheduler.on_trial_complete(self._trial(candidate), self._result(candidate, self._epochs))
        else:
            self._scheduler.on_trial_remove(self._trial(candidate))

    def _trial(self, candidate: int) -> Any:
        from datetime import datetime

        return self._make_trial(candidate, {}, datetime(2000, 1, 1))

    def _result(self, candidate: int, epoch: int) -> dict[str, float]:
        return {"epoch": epoch, **dict(zip(self._names, self._losses[epoch][candidate].tolist(), strict=True))}


def _losses(table: RecordedTable, epoch: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    is_gain = np.array([direction == "maximize" for direction in table.directions])
    values = table.values_at(epoch)
    return np.where(is_gain, 1 - values, np.log10(np.where(is_gain, 1, values)))


def strategies(n_workers: int, is_ours_alone: bool = False) -> list[Strategy]:
    """Return a strategy for every rule, with trials in random order."""
    pruners = [parse_pruner(name) for name in [*BOUNDS, *SETTINGS]]
    if not is_ours_alone:
        pruners[len(BOUNDS) : len(BOUNDS)] = [*map(parse_pruner, OTHERS), *_moasha()]
    return [Strategy("random", pruner, n_workers) for pruner in pruners]


def _moasha() -> list[Pruner]:
    try:
        version("syne-tune")
    except PackageNotFoundError:
        print("no MOASHA: pip install -r benchmarks/requirements-pruning.txt", file=sys.stderr)
        return []
    return [Pruner("MOASHA", Moasha)]


def verdicts(results: Mapping[str, Any]) -> list[str]:
    """Return a line for each expectation of `pareto`, which says whether it was met."""
    by_pruner = {strategy["pruner"]: strategy for strategy in results["strategies"]}
    promised = by_pruner[PROMISED_SETTING]
    keeping = [by_pruner[name] for name in SETTINGS if by_pruner[name]["hypervolume_share"]["mean"] >= 0.995]
    found = [
        _verdict("strict:0.1", "front lost", by_pruner["strict:0.1"]["front_lost_share"]["mean"], "at most", 0.1),
        _verdict(PROMISED_SETTING, "front missed", promised["front_missed_share"]["mean"], "at most", 0.05),
        _verdict(PROMISED_SETTING, "hypervolume kept", promised["hypervolume_share"]["mean"], "at least", 0.999),
        _verdict(PROMISED_SETTING, "epochs used", promised["epochs_share"]["mean"], "at most", 0.32),
    ]
    if not keeping:
        return [*found, "- **missed**: no setting keeps 99.5 % of the hypervolume"]
    bold = min(keeping, key=lambda strategy: strategy["epochs_share"]["mean"])
    name = f"{bold['pruner']}, the boldest that keeps 99.5 % of the hypervolume"
    ratio, foresight = times_oracle(bold, results) or float("nan"), by_pruner["foresight"]["epochs_share"]["mean"]
    return [
        *found,
        _verdict(name, "times the oracle's epochs", ratio, "at most", 1.3),
        f"- {name}: {bold['epochs_share']['mean'] / foresight:.2f} times the epochs of foresight",
    ]


def _verdict(name: str, what: str, value: float, relation: str, limit: float) -> str:
    holds = value <= limit if relation == "at most" else value >= limit
    return f"- {'kept' if holds else '**missed**'}: {name}, {what} {value:.4f}, expected {relation} {limit:g}"


def without_training_accuracies(recording: Recording) -> Recording:
    """Return the recording without training accuracies, as if only validation had been measured."""
    blind = [replace(trial, curve=[replace(epoch, metrics={}) for epoch in trial.curve]) for trial in recording.trials]
    return replace(recording, trials=blind)


def run(
    recording: Recording, label: str, played: Sequence[Strategy], n_repeats: int, n_processes: int
) -> dict[str, Any]:
    """Replay one table, with progress on stderr."""
    start = time.perf_counter()

    def progress(done: int, total: int) -> None:
        if done % n_repeats == 0:
            seconds = time.perf_counter() - start
            print(f"{label}: {done} of {total} replays, {seconds:.0f} s", file=sys.stderr, flush=True)

    return replay(recording, played, n_repeats, n_processes=n_processes, progress=progress).as_json()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", type=Path, help="default: every table in benchmarks/recordings")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    which = parser.add_mutually_exclusive_group()
    for option in ("--ours", "--validation-alone"):
        which.add_argument(option, action="store_true")
    parser.add_argument("--out", type=Path, help="folder for a page and tables of each recording")
    given = parser.parse_args(arguments)
    tables = given.tables or sorted(RECORDINGS.glob("*.csv*"))
    if not tables:
        parser.error(f"there is no table in {RECORDINGS}: make one with tunefront record")
    print(f"{given.workers} simulated workers, {platform.machine()}, Python {platform.python_version()}")
    for path in tables:
        recording = read_recording(path)
        if given.validation_alone:
            recording = without_training_accuracies(recording)
            played = [Strategy("random", parse_pruner(name), given.workers) for name in ("oracle", PROMISED_SETTING)]
        else:
            played = strategies(given.workers, given.ours)
        results = run(recording, path.name, played, given.repeats, given.processes)
        found = [] if given.validation_alone else verdicts(results)
        print(f"\n### {path.name}\n\n{replay_markdown(results)}", *found, sep="\n", flush=True)
        if given.out:
            write_replay(results, given.out / path.name.partition(".")[0])


if __name__ == "__main__":
    main()
