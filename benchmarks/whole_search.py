"""What is spent on trials of one second beside their second: a search on PostgreSQL, and who spends its CPU seconds.

    .venv/bin/python benchmarks/whole_search.py [--trials 320] [--stored 0] [--slots 16] [--processes 2]

The trials sleep (``stub_training.py``), the sampler is random, and the store has ``--stored`` trials that have ended
before. CPU seconds are those of the workers, of the fork servers with the trials' processes, and of the database.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import multiprocessing
import multiprocessing.forkserver
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_study
import optuna
import psutil
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


@dataclass(frozen=True)
class WorkerCost:
    """What one worker took: CPU seconds of its own process and of its trials', and the statements that it sent."""

    own_seconds: float
    trials_seconds: float
    n_statements: int


def main() -> None:
    """Run one search, and print what it took."""
    parser = made_study.parser_of(__doc__)
    parser.set_defaults(trials=320)
    parser.add_argument("--stored", type=int, default=0)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--profile", type=Path, help="a file for the profile of the first worker")
    # A fork server has its own path. Without this one it cannot preload the stub, and each trial imports everything.
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent)
    made_study.measured(measure, parser)


def measure(arguments: argparse.Namespace, folder: Path) -> None:
    with made_study.postgres(folder) as url:
        search(arguments, folder, url)


def search(arguments: argparse.Namespace, folder: Path, url: str) -> None:
    """Print how much longer a search takes than its trials, which sleep, and where its CPU seconds go."""
    spec = made_study.made_spec(arguments.stored + arguments.trials, "random")
    study = made_study.make_study(url, spec)
    made_study.fill(study, spec, arguments.stored, 1)
    context = multiprocessing.get_context("spawn")
    barrier, costs = context.Barrier(arguments.processes + 1), context.Queue()
    workers = [
        context.Process(
            target=run_worker,
            args=(url, spec, folder / f"worker{number}", arguments.slots // arguments.processes, barrier, costs),
            kwargs={"profile": arguments.profile if number == 0 else None},
        )
        for number in range(arguments.processes)
    ]
    for worker in workers:
        worker.start()
    barrier.wait(made_study.BEGIN_SECONDS)  # a worker that died before would be waited for in vain
    begun_at, before = time.monotonic(), server_seconds(folder)
    found: list[WorkerCost] = [costs.get() for _ in workers]
    wall, server = time.monotonic() - begun_at, server_seconds(folder) - before
    for worker in workers:
        worker.join()
    print_costs(arguments, study, found, server, wall)


def print_costs(
    arguments: argparse.Namespace, study: OpenStudy, costs: list[WorkerCost], server: float, wall: float
) -> None:
    is_new = schema.attempts.c.number >= arguments.stored
    with study.store.engine.connect() as connection:
        query = sa.select(sa.func.min(schema.attempts.c.started_at), sa.func.max(schema.attempts.c.ended_at))
        first, last = connection.execute(query.where(is_new)).one()
        n_done = connection.execute(sa.select(sa.func.count()).select_from(schema.attempts).where(is_new)).scalar_one()
    ideal = math.ceil(arguments.trials / arguments.slots) * stub_training.SECONDS
    own, trials = (sum(getattr(cost, name) for cost in costs) for name in ("own_seconds", "trials_seconds"))
    print(
        f"{n_done} trials of {stub_training.SECONDS:g} s among {arguments.stored} stored, {arguments.slots} slots",
        end="",
    )
    print(f" of {arguments.processes} workers: {last - first:.1f} s from the first lease to the last end")
    print(f"ideal {ideal:.1f} s, overhead {(last - first) / ideal - 1:.1%}; load {os.getloadavg()[0]:.1f}\n")
    print("| | CPU ms a trial |\n|---|---|")
    rows = {"workers": own, "fork servers and trials": trials, "database": server, "all": own + trials + server}
    for name, seconds in rows.items():
        print(f"| {name} | {1000 * seconds / n_done:.1f} |")
    print(f"\n{sum(cost.n_statements for cost in costs) / n_done:.1f} statements a trial; {wall:.1f} s in all")


def server_seconds(folder: Path) -> float:
    """Return the CPU seconds of the database's processes, those that have ended included."""
    pid = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    return tree_seconds(psutil.Process(pid))


def tree_seconds(process: psutil.Process) -> float:
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:  # its parent has its seconds by now
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def run_worker(
    url: str, spec: StudySpec, out: Path, n_slots: int, barrier: Any, costs: Any, profile: Path | None = None
) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    out.mkdir()
    store = open_store(url, is_writer=True, worker_id=out.name)
    found = studies.find(store, spec.name)
    assert found is not None
    study = OpenStudy(store, found.record)
    studies.register_worker(study, out.name, "made", os.getpid(), {})
    slots = [Slot(f"cpu{number}", 1) for number in range(n_slots)]
    dataset = Dataset(str(out), "digits", "0" * 16, tuple("0123456789"), (8, 8, 1), 10, 5, 5)
    launcher = Launcher(out / "forkserver.log", preload=("stub_training",))
    launcher.load()
    assignment = Assignment(study, spec, dataset, slots, out.name, out)
    supervisor = Supervisor(assignment, launcher, made_study.Silent(), lambda: False, stub_training.train)
    statements = [0]

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def note(*_: object) -> None:
        statements[0] += 1

    server = psutil.Process(multiprocessing.forkserver._forkserver._forkserver_pid)
    barrier.wait(made_study.BEGIN_SECONDS)
    own, trials = time.process_time(), tree_seconds(server)
    worker = Worker(supervisor.slots, OneStudy(supervisor), lambda: False)
    if profile is None:
        worker.work()
    else:
        profiler = cProfile.Profile(time.thread_time)
        profiler.runcall(worker.work)
        profiler.dump_stats(profile)
    costs.put(WorkerCost(time.process_time() - own, tree_seconds(server) - trials, statements[0]))


if __name__ == "__main__":
    main()
