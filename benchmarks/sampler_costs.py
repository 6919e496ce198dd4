"""The CPU time of a lease, which draws the candidate, by each sampler among so many stored trials, on SQLite.

    .venv/bin/python benchmarks/sampler_costs.py [--trials 100 1000 5000] [--samplers random tpe hypervolume] [--of 10]

The stored trials are made up, see ``made_study.py``: three objectives, one in four stopped early. `random` is what a
lease costs without a model. Threads of numerical libraries count too: OMP_NUM_THREADS=1 leaves them one.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import made_study


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--samplers", nargs="+", default=["random", "tpe", "hypervolume"])
    parser.add_argument("--of", type=int, default=10, help="leases that are measured")
    made_study.measured(costs, parser)


def costs(arguments: argparse.Namespace, folder: Path) -> None:
    """Print what a lease costs, samplers as rows and numbers of stored trials as columns."""
    print("| sampler | " + " | ".join(f"{n} trials" for n in arguments.trials) + " |")
    print("|---|" + "---|" * len(arguments.trials), flush=True)
    for sampler in arguments.samplers:
        cells = [lease(sampler, n, arguments.of, folder / f"{sampler}{n}.db") for n in arguments.trials]
        print(f"| {sampler} | {' | '.join(cells)} |", flush=True)


def lease(sampler: str, n_trials: int, n_leases: int, database: Path) -> str:
    """Return the CPU time of leases; the first one, which reads all that is stored, does not count."""
    spec = made_study.made_spec(10 * n_trials, sampler)
    study = made_study.make_study(f"sqlite:///{database}", spec)
    made_study.fill(study, spec, n_trials, 1)
    source = made_study.worker_on(study, spec, "timed")
    times = [made_study.lease_and_end(study, source, time.process_time)[0] for _ in range(n_leases + 1)]
    return made_study.shown(times[1:])


if __name__ == "__main__":
    sys.exit(main())
