"""How long a hundred workers take, which stand in a queue for the study's lock, as a ratio to the ideal: simulated.

    .venv/bin/python benchmarks/many_workers.py [--trials 10000] [--sampler tpe]

The costs of a lease and an end are measured on PostgreSQL, among stored trials that are made up, see ``made_study.py``:
among 500, 2000 and all of them, and between these they are taken to grow evenly.
"""

from __future__ import annotations

import argparse
import heapq
import math
import sys
import time
from pathlib import Path

import made_study
import numpy as np

from tunefront.storage.open_study import OpenStudy


def main() -> None:
    """Print the costs, and the table of total times."""
    parser = made_study.parser_of(__doc__)
    parser.add_argument("--sampler", default="tpe")
    made_study.measured(workers, parser)


def workers(arguments: argparse.Namespace, folder: Path) -> None:
    """Print how long simulated workers take, which stand in a queue for the lock, as a ratio to the ideal."""
    spec = made_study.made_spec(10 * arguments.trials, arguments.sampler)
    costs: dict[int, tuple[float, float]] = {}
    with made_study.postgres(folder) as url:
        study = made_study.make_study(url, spec)
        for n_wanted in (*(few for few in (500, 2000) if few < arguments.trials), arguments.trials):
            made_study.fill(study, spec, n_wanted, 1, first=study.states.n_trials())
            study.states.count()
            source = made_study.worker_on(OpenStudy(study.store, study.record), spec, f"after {n_wanted}")
            made_study.lease_and_end(study, source, time.perf_counter)
            times = np.array([made_study.lease_and_end(study, source, time.perf_counter) for _ in range(8)])
            costs[n_wanted] = (float(np.median(times[:, 0])), float(np.median(times[:, 2])))
    for n_wanted, (lease, end) in costs.items():
        print(f"{n_wanted} trials: a lease {1000 * lease:.0f} ms, an end {1000 * end:.0f} ms under the lock")
    print("\n| workers | trials of | total, times the ideal |\n|---|---|---|")
    for n_workers, seconds in ((16, 1.0), (16, 60.0), (100, 1.0), (100, 60.0), (100, 600.0)):
        total = simulated(n_workers, arguments.trials, seconds, costs)
        print(f"| {n_workers} | {seconds:g} s | {total / (math.ceil(arguments.trials / n_workers) * seconds):.3f} |")


def simulated(n_workers: int, n_trials: int, seconds: float, costs: dict[int, tuple[float, float]]) -> float:
    """Return the seconds until the last trial has ended; who asks first for the lock gets it first."""
    sizes = sorted(costs)
    lease_costs, end_costs = ([costs[size][place] for size in sizes] for place in (0, 1))
    asks = [(0.0, worker, False) for worker in range(n_workers)]  # when, who, and whether it has a trial to end
    heapq.heapify(asks)
    free_at, n_leased, n_ended = 0.0, 0, 0
    while n_ended < n_trials:
        at, worker, has_trial = heapq.heappop(asks)
        free_at = max(at, free_at)
        if has_trial:
            free_at += float(np.interp(n_ended, sizes, end_costs))
            n_ended += 1
            heapq.heappush(asks, (free_at, worker, False))
        elif n_leased < n_trials:
            free_at += float(np.interp(n_ended, sizes, lease_costs))
            n_leased += 1
            heapq.heappush(asks, (free_at + seconds, worker, True))
    return free_at


if __name__ == "__main__":
    sys.exit(main())
