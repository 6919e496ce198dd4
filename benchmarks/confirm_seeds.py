"""What training the seeds of a confirmed model in one process saves, and whether it moves the times that are measured.

`confirm`: a search of examples/digits.toml is confirmed again and again by the command, each round once as it is and
once with a process for each training. The CPU seconds are those of the command and all that descends from it, its
report too. All trainings of a round are compared by what must be equal.

`times`: seeds of random candidates of that space, one after another in a process of their own and in one that has
trained another seed before. Times are on the clock of the process's CPU, because others may want the cores too.

    python benchmarks/confirm_seeds.py confirm|times [--rounds 3] [--trials 30] [--seeds 5]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from frozen_prefix import TUNEFRONT, adopt_orphans, cpu_seconds_of

from tunefront.search.data.cache import prepare
from tunefront.search.launching.fork_server import KERAS_MODULES, Child, Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.file import read_spec
from tunefront.search.trial.messages import TrialTask, answer, receive
from tunefront.storage import studies, trials
from tunefront.storage.database.connection import open_store

SPEC = Path(__file__).resolve().parents[1] / "examples" / "digits.toml"
APART = (
    "from tunefront.search.supervisor.assignment import Assignment\n"
    "Assignment.may_share_processes = lambda assignment: False\n"
    "from tunefront.commands.app import program\n"
    "program()\n"
)
WAYS: Mapping[str, Sequence[str]] = {"apart": (sys.executable, "-c", APART), "in one process": TUNEFRONT}
EQUAL = ("accuracy", "f1_macro", "validation_loss", "best_epoch", "test_accuracy", "test_loss", "model_bytes")
TIMES = ("train_seconds", "validation_seconds", "latency_seconds", "compile_seconds")


def search(folder: Path, n_trials: int) -> None:
    text = SPEC.read_text().replace("\ntrials = 30", f"\ntrials = {n_trials}")
    (folder / "digits.toml").write_text(text)
    cpu_seconds_of([*TUNEFRONT, "run", "digits.toml", "--slots", "1"], folder, "search")


def confirm(searched: Path, folder: Path, way: str, n_seeds: int) -> tuple[float, list[Mapping[str, float]]]:
    """Confirm a copy of a search; return the CPU seconds, and what was measured of each training."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(searched, folder)
    seconds = cpu_seconds_of([*WAYS[way], "confirm", "digits", "--seeds", str(n_seeds)], folder, "search")
    study = studies.find(open_store(f"sqlite:///{folder / 'tunefront.db'}"), "digits.confirmation")
    assert study is not None
    return seconds, [training.measurements for training in trials.load(study)]


def compare(trainings: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Print how many trainings are equal both ways, and the ratios of their times where a process was shared."""
    apart, shared = trainings["apart"], trainings["in one process"]
    n_equal = sum(all(a[name] == b[name] for name in EQUAL) for a, b in zip(apart, shared, strict=True))
    n_followed = sum("peak_bytes" not in each for each in shared)
    print(f"{n_equal} of {len(apart)} trainings are equal in {', '.join(EQUAL)}; {n_followed} shared a process")
    followed = [(a, b) for a, b in zip(apart, shared, strict=True) if "peak_bytes" not in b]
    for name in TIMES:
        each = [b[name] / a[name] for a, b in followed if name in a and name in b]  # latency is of kept models alone
        if each:
            print(f"  {name} by the clock, of these: {statistics.median(each):.3f} of apart")


def confirm_both_ways(n_rounds: int, n_trials: int, n_seeds: int) -> None:
    adopt_orphans()
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "search").mkdir()
        search(folder / "search", n_trials)
        for number in range(n_rounds):
            ways = list(WAYS)[:: 1 if number % 2 else -1]
            done = {way: confirm(folder / "search", folder / "confirmed", way, n_seeds) for way in ways}
            seconds = {way: done[way][0] for way in WAYS}
            ratios.append(seconds["in one process"] / seconds["apart"])
            told = ", ".join(f"{way} {each:.1f} CPU s" for way, each in seconds.items())
            print(f"round {number + 1}: {told}, ratio {ratios[-1]:.3f}, load {os.getloadavg()[0]:.1f}")
            compare({way: measured for way, (_, measured) in done.items()})
    print(f"in one process / apart: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def train_on_cpu_clock(connection: Connection, task: TrialTask) -> None:
    """Run trials with all their times on the clock of this process's CPU."""
    from tunefront.search.trial import timer
    from tunefront.search.trial.process import run_trial

    timer.time = SimpleNamespace(perf_counter=time.process_time, monotonic=time.monotonic)
    run_trial(connection, task)


def measured_by(child: Child) -> dict[str, float]:
    """Return what a trial measures, whose model is kept; the process may have to be reaped afterwards."""
    found: dict[str, float] = {}
    while True:
        message = receive(child.connection)
        found |= message.measurements
        if message.kind in ("built", "trained"):
            answer(child.connection, go_on=True)
        elif message.kind == "kept":
            return found
        elif message.kind == "failed":
            raise SystemExit(message.reason)


def compare_times(n_candidates: int, n_seeds: int) -> None:
    """Print ratios of times in a process that has trained before to those in one of its own; the first seed's too."""
    import confirm_seeds  # a child finds its function by the module's name
    import optuna

    spec = read_spec(SPEC)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials_of_space = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    candidates = [spec.parsed_space().suggest(trials_of_space.ask()) for _ in range(n_candidates)]
    ratios: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        launcher = Launcher(folder / "forkserver.log", (*KERAS_MODULES, "confirm_seeds"))
        spares: dict[int, Child] = {}
        for seed in range(n_seeds):
            for number, candidate in enumerate(candidates):
                task = TrialTask(
                    number=number,
                    spec=spec.as_json(),
                    candidate=candidate,
                    dataset=prepare(spec.data, spec.seed),
                    slot=Slot("cpu0", 1),
                    seed=1000 * seed + number,
                    rungs=(),
                    model_path=str(folder / "model.keras"),
                    measures_latency=True,
                    may_be_followed=True,
                )
                found = {}
                for way in ("apart", "in turn")[:: 1 if (seed + number) % 2 else -1]:
                    log = folder / f"{way}-{number}-{seed}.log"
                    if way == "apart" or not seed:
                        child = launcher.start(confirm_seeds.train_on_cpu_clock, task, log)
                    else:
                        child = spares[number]
                        child.pass_on(task, log)
                    found[way] = measured_by(child)
                    if way == "apart":
                        child.kill()
                    else:
                        spares[number] = child
                for measure in TIMES:
                    key = (measure, "a later seed" if seed else "the first seed")
                    ratios.setdefault(key, []).append(found["in turn"][measure] / found["apart"][measure])
        for child in spares.values():
            child.kill()
    print(f"load {os.getloadavg()[0]:.1f}")
    for (measure, which), each in ratios.items():
        low, middle, high = np.quantile(each, (0.25, 0.5, 0.75))
        mean, error = np.mean(np.log(each)), np.std(np.log(each), ddof=1) / np.sqrt(len(each))
        print(
            f"{measure} of {which}, in turn / apart: median {middle:.3f} ({low:.3f} to {high:.3f}, quartiles of "
            f"{len(each)}), geometric mean {np.exp(mean):.3f} +- {error:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["confirm", "times"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=30, help="of the search, or the number of candidates")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    # A fork server has its own path: this folder must be on it.
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent)
    if arguments.what == "confirm":
        confirm_both_ways(arguments.rounds, arguments.trials, arguments.seeds)
    else:
        compare_times(arguments.trials, arguments.seeds)


if __name__ == "__main__":
    main()
