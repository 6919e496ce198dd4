"""How much of a front samplers find: tunefront's own settings against random draws and Optuna's samplers, in one run.

Every sampler searches recorded networks for accuracy and costs, with the same seeds: the 15 625 of NAS-Bench-201
(cifar10, cifar100, imagenet: accuracy, latency and size, each the mean of its trainings), or a table that `tunefront
record` has made (digits, patches, augmented), where a sampler gets the nearest network that was not tried. Prints a
Markdown table for each: the share of the whole front's hypervolume after so many trials, costs as logarithms and the
worst of everything as reference; the difference from tunefront's default, seed by seed; the share of trials that
repeated an earlier candidate; and what a trial costs without its training. With --limits no objective may be worse
than its median, and these are the reference. With --workers, so many trials run at a time; with --stops, what a
complete trial beats in everything is stopped.

    pip install -r benchmarks/requirements-sampling.txt
    python benchmarks/sampling.py [TABLE ...] [--seeds 50] [--trials 25 50 100 200] [--samplers random ...] [--limits]

Nothing is trained. What was searched is kept in --orders, and not searched again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from sampling_searches import NEED_TORCH, SAMPLERS, Conditions, with_store
from sampling_tables import Table, nas_bench, recorded

TABLES = {
    **{name: partial(nas_bench, name) for name in ("cifar10", "cifar100", "imagenet")},
    **{name: partial(recorded, name) for name in ("digits", "patches", "augmented")},
}
OURS = "tunefront"


class Searched(NamedTuple):
    """The networks that a search has tried, in their order, and the CPU seconds of that."""

    order: Sequence[int]
    seconds: float


class Searches:
    """What was searched so far; a file keeps it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path is not None and path.exists() else []
        self._found = {tuple(key): Searched(*found) for key, *found in map(json.loads, lines)}

    def of(self, name: str, table: Table, sampler: str, seed: int, n_trials: int, conditions: Conditions) -> Searched:
        """Return a search; it runs if it did not run so far before."""
        key = (optuna.__version__, name, sampler, seed, n_trials, *conditions)
        if key not in self._found:
            begin = time.process_time()
            order = list(islice(SAMPLERS[sampler][1](table, seed, conditions), n_trials))
            self._found[key] = Searched(order, time.process_time() - begin)
            if self._path is not None:
                with self._path.open("a") as file:
                    file.write(json.dumps([key, *self._found[key]]) + "\n")
        return self._found[key]


def mean_interval(values: NDArray[np.float64], form: str) -> str:
    """Return the mean over the seeds, with its 95 % bootstrap interval."""
    drawn = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{values.mean():{form}} ({low:{form}} to {high:{form}})"


def repeated(order: Sequence[int]) -> float:
    """Return the share of trials whose network had come before."""
    return 1 - len(set(order)) / len(order)


def conditions_text(conditions: Conditions) -> str:
    """Return how trials run, where that is not one after the other, to its end and without limits."""
    at_a_time = f", {conditions.n_workers} at a time" if conditions.n_workers > 1 else ""
    return (", limits" if conditions.has_limits else "") + at_a_time + (", stops" if conditions.has_stops else "")


def report(
    name: str, samplers: Sequence[str], n_seeds: int, trials: Sequence[int], conditions: Conditions, kept: Searches
) -> None:
    """Search one table with every sampler, and print what they found."""
    table = TABLES[name]()
    counts = [n for n in trials if n <= len(table)]
    most = max(counts)
    if table.is_whole and conditions == Conditions():  # what is searched in memory is what is searched by the store
        assert with_store({"name": "tpe"}, table, 0, 25) == kept.of(name, table, OURS, 0, most, conditions).order[:25]
    print(f"\n### {name}: {len(table)} networks{conditions_text(conditions)}, {n_seeds} seeds\n")
    print(f"The whole front has {table.whole():.3f} of the box from the best to the worst.\n")
    columns = [column for n in counts for column in (f"{n} trials", f"against {OURS}")]
    print("| sampler | " + " | ".join(columns) + f" | repeated in {most} | CPU ms a trial |")
    print("|---|" + "---|" * len(columns) + "---:|---:|", flush=True)
    shares: dict[str, NDArray[np.float64]] = {}
    for sampler in [OURS, *(one for one in samplers if one != OURS)]:
        found = [kept.of(name, table, sampler, seed, most, conditions) for seed in range(n_seeds)]
        shares[sampler] = np.array(
            [[table.share(one.order[:n], conditions.has_limits) for n in counts] for one in found]
        )
        cells = []
        for column in range(len(counts)):
            ahead = shares[sampler][:, column] - shares[OURS][:, column]
            cells += [mean_interval(shares[sampler][:, column], ".3f")]
            cells += ["" if sampler == OURS else mean_interval(ahead, "+.3f")]
        again = float(np.mean([repeated(one.order) for one in found]))
        cost = 1000 * float(np.mean([one.seconds for one in found])) / most
        print(f"| {SAMPLERS[sampler][0]} | " + " | ".join(cells) + f" | {again:.1%} | {cost:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; cifar10 unless given")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--trials", type=int, nargs="+", default=[25, 50, 100, 200])
    has_torch = find_spec("torch") is not None
    usual = [name for name in SAMPLERS if has_torch or name not in NEED_TORCH]
    parser.add_argument("--samplers", nargs="+", choices=[*SAMPLERS], default=usual)
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--workers", type=int, default=1, help="trials at a time")
    parser.add_argument("--stops", action="store_true", help="stop what a complete trial beats in everything")
    parser.add_argument("--orders", type=Path, help="a file of what was searched, which is made or continued")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.tables if name not in TABLES]:
        parser.error(f"there is no table {', '.join(unknown)}: known are {', '.join(TABLES)}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")
    print(f"optuna {optuna.__version__}")
    kept = Searches(arguments.orders)
    conditions = Conditions(arguments.limits, arguments.workers, arguments.stops)
    for name in arguments.tables or ["cifar10"]:
        report(name, arguments.samplers, arguments.seeds, arguments.trials, conditions, kept)


if __name__ == "__main__":
    main()
