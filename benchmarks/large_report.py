"""What the report of a large study takes: seconds, CPU seconds, and the most memory.

    .venv/bin/python benchmarks/large_report.py [--trials 100000] [--epochs 3]

The stored trials are made up, see ``made_study.py``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import made_study

from tunefront.reports.publish import publish
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage import studies
from tunefront.storage.database.connection import open_store


def main() -> None:
    """Print the line of one report."""
    parser = made_study.parser_of(__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    made_study.measured(report, parser)


def report(arguments: argparse.Namespace, folder: Path) -> None:
    """Print what the report of a large study takes."""
    spec = made_study.made_spec(arguments.trials, "random")
    url = f"sqlite:///{folder / 'made.db'}"
    context = multiprocessing.get_context("spawn")
    for target, more in ((fill_new, (spec, arguments.trials, arguments.epochs)), (publish_timed, (folder / "out",))):
        process = context.Process(target=target, args=(url, *more))
        process.start()
        process.join()


def fill_new(url: str, spec: StudySpec, n_trials: int, n_epochs: int) -> None:
    made_study.fill(made_study.make_study(url, spec), spec, n_trials, n_epochs)


def publish_timed(url: str, out: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    published = publish(studies.list_all(open_store(url))[0], out)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    n_epochs = sum(len(trial.epochs) for trial in published.results.trials)
    print(f"{len(published.results.trials)} trials, {n_epochs} epochs: {wall:.1f} s, {cpu:.1f} CPU s, {most:.2f} GB")
    print(", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in published.files.paths))


if __name__ == "__main__":
    sys.exit(main())
