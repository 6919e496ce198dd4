"""How much longer a search takes than its trials, which sleep for a second, on PostgreSQL.

.venv/bin/python benchmarks/whole_search.py [--trials 10000] [--slots 16] [--processes 2]
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

import made_study
import optuna
import sqlalchemy as sa
import stub_training

from tunefront.search.data.dataset import Dataset
from tunefront.search.fleet.worker import OneStudy, Worker
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.supervisor import Supervisor
from tunefront.storage import studies
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy


def main() -> None:
    """Print the time from the first lease to the last end, and what it is more than ideal."""
    parser = made_study.parser_of(__doc__)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    made_study.measured(search, parser)


def search(arguments: argparse.Namespace, folder: Path) -> None:
    """Print how much longer a search takes than its trials, which sleep."""
    spec = made_study.made_spec(arguments.trials, "random")
    context = multiprocessing.get_context("spawn")
    n_slots = arguments.slots // arguments.processes
    with made_study.postgres(folder) as url:
        study = made_study.make_study(url, spec)
        barrier = context.Barrier(arguments.processes + 1)
        workers = [
            context.Process(target=run_worker, args=(url, spec, folder / f"worker{number}", n_slots, barrier))
            for number in range(arguments.processes)
        ]
        for worker in workers:
            worker.start()
        barrier.wait(made_study.BEGIN_SECONDS)  # a worker that died before would be waited for in vain
        begun_at = time.monotonic()
        for worker in workers:
            worker.join()
        seconds = time.monotonic() - begun_at
        with study.store.engine.connect() as connection:
            query = sa.select(sa.func.min(schema.attempts.c.started_at), sa.func.max(schema.attempts.c.ended_at))
            first, last = connection.execute(query).one()
    ideal = math.ceil(arguments.trials / arguments.slots) * stub_training.SECONDS
    print(f"{arguments.trials} trials of {stub_training.SECONDS:g} s on {arguments.slots} slots of", end=" ")
    print(
        f"{arguments.processes} workers: {last - first:.1f} s from the first lease to the last end, ideal {ideal:.1f}"
    )
    print(f"overhead {(last - first) / ideal - 1:.1%}; {seconds:.1f} s for the commands; load {os.getloadavg()[0]:.1f}")


def run_worker(url: str, spec: StudySpec, out: Path, n_slots: int, barrier: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    out.mkdir()
    study = made_study.make_study(url, spec)
    store = open_store(url, is_writer=True, worker_id=out.name)
    study = OpenStudy(store, study.record)
    studies.register_worker(study, out.name, "made", os.getpid(), {})
    slots = [Slot(f"cpu{number}", 1) for number in range(n_slots)]
    dataset = Dataset(str(out), "digits", "0" * 16, tuple("0123456789"), (8, 8, 1), 10, 5, 5)
    launcher = Launcher(out / "forkserver.log", preload=("stub_training",))
    launcher.load()
    assignment = Assignment(study, spec, dataset, slots, out.name, out)
    supervisor = Supervisor(assignment, launcher, made_study.Silent(), lambda: False, stub_training.train)
    barrier.wait(made_study.BEGIN_SECONDS)
    Worker(supervisor.slots, OneStudy(supervisor), lambda: False).work()


if __name__ == "__main__":
    sys.exit(main())
