"""What a candidate of TPE costs among thousands of stored trials: beside Optuna's own, and of several workers at once.

    .venv/bin/python benchmarks/tpe_costs.py [--trials 10000] [--workers 4]

The stored trials are made up, see ``made_study.py``. The workers ask, suggest and tell on one PostgreSQL.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import made_study
import optuna

from tunefront.search.sampling.grouped_tpe import GroupedTpeSampler, SeenTrials
from tunefront.search.spec.study_spec import StudySpec
from tunefront.storage.open_study import OpenStudy


def main() -> None:
    """Print the comparison, and the times of the workers."""
    parser = made_study.parser_of(__doc__)
    parser.add_argument("--workers", type=int, default=4)
    made_study.measured(tpe, parser)


def tpe(arguments: argparse.Namespace, folder: Path) -> None:
    """Print what a candidate costs beside Optuna's own TPE, then ask, suggest and tell of several workers at once."""
    spec = made_study.made_spec(10 * arguments.trials, "tpe")
    with made_study.postgres(folder) as url:
        study = made_study.make_study(url, spec)
        made_study.fill(study, spec, arguments.trials, 1)
        compare_candidates(study)
        context = multiprocessing.get_context("spawn")
        with context.Pool(arguments.workers) as pool:
            work = partial(ask_and_tell, url, spec)
            times = list(itertools.chain.from_iterable(pool.map(work, range(arguments.workers), chunksize=1)))
    print(
        f"{arguments.workers} workers, ask, suggest and tell: {made_study.shown(times)}, load {os.getloadavg()[0]:.1f}"
    )


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
        print(f"{name}: {made_study.shown(times[1:])} of CPU a candidate")
    print(f"equal to the last bit: {all(ours == theirs for theirs, ours in found.values())}")


def ask_and_tell(url: str, spec: StudySpec, worker: int) -> list[float]:
    """Return the seconds of each ask, suggest and tell, with a pause between trials."""
    study = made_study.make_study(url, spec)
    source = made_study.worker_on(study, spec, f"worker {worker}")
    made_study.lease_and_end(study, source, time.perf_counter)
    times = []
    for _ in range(20):
        time.sleep(2.0)
        times.append(sum(made_study.lease_and_end(study, source, time.perf_counter)))
    return times


if __name__ == "__main__":
    sys.exit(main())
