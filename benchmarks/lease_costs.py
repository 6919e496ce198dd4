"""The time of a lease, its candidate and its end among thousands of stored trials, on SQLite and on PostgreSQL.

    .venv/bin/python benchmarks/lease_costs.py [--trials 10000] [--sampler random]

The stored trials are made up, see ``made_study.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import made_study
import numpy as np


def main() -> None:
    """Print the table."""
    parser = made_study.parser_of(__doc__)
    parser.add_argument("--sampler", default="random")
    made_study.measured(leases, parser)


def leases(arguments: argparse.Namespace, folder: Path) -> None:
    """Print the times of leases and ends among stored trials."""
    spec = made_study.made_spec(10 * arguments.trials, arguments.sampler)
    print("| database | lease | candidate | end | lease and end | CPU of this process |\n|---|---|---|---|---|---|")
    with made_study.postgres(folder) as server:
        for kind, url in (("SQLite", f"sqlite:///{folder / 'made.db'}"), ("PostgreSQL", server)):
            study = made_study.make_study(url, spec)
            made_study.fill(study, spec, arguments.trials, 1)
            source = made_study.worker_on(study, spec, "timed")
            made_study.lease_and_end(study, source, time.perf_counter)  # reads all that is stored
            n = 100 if arguments.sampler == "random" else 20
            wall = np.array([made_study.lease_and_end(study, source, time.perf_counter) for _ in range(n)])
            cpu = np.array([made_study.lease_and_end(study, source, time.process_time) for _ in range(n)])
            cells = [
                *(made_study.shown(wall[:, place]) for place in range(3)),
                *(made_study.shown(t[:, 0] + t[:, 2]) for t in (wall, cpu)),
            ]
            print(f"| {kind} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
