"""The cost of one decision of the `pareto` pruner: reading what is new in the store, and judging the trial.

Makes studies of 500 and of 10 000 ended trials with 20 epochs each, half of them complete, in SQLite files. Then a
supervisor's history and pruner judge trials at random epochs, once with nothing new in the store, and once
after another worker completed a trial.

    python benchmarks/pruner_decision.py [--decisions 200]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import optuna
import sqlalchemy as sa

from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.pruning.history import History
from tunefront.search.pruning.pareto import ParetoPruner
from tunefront.storage.curves import Epoch
from tunefront.storage.database import schema
from tunefront.storage.database.connection import Store, open_store
from tunefront.storage.open_study import OpenStudy, StudyRecord

EPOCHS = 20
LIMITS_MS = {500: 5.0, 10_000: 10.0}
OBJECTIVES: dict[Axis, Objective] = {
    "accuracy": Objective(MEASURES["accuracy"]),
    "memory": Objective(MEASURES["model_bytes"]),
    "time": Objective(MEASURES["train_seconds"]),
}


class MadeUpStudy:
    """A study that grows by made-up trials, written directly into Optuna's and our tables."""

    def __init__(self, store: Store) -> None:
        optuna.create_study(
            study_name="made",
            storage=store.optuna,
            directions=[objective.measure.direction for objective in OBJECTIVES.values()],
        )
        study_id = store.optuna.get_study_id_from_name("made")
        self.study = OpenStudy(store, StudyRecord(study_id, "made", {}, {}, 0.0))
        self._generator = np.random.default_rng(0)
        self._n = 0
        tables = sa.MetaData()
        tables.reflect(store.engine, only=["trials", "trial_values"])
        self._trials, self._values = tables.tables["trials"], tables.tables["trial_values"]

    def add(self, n: int, n_complete: int) -> None:
        """Add `n` ended trials, `n_complete` of them complete and the others stopped."""
        numbers = list(range(self._n, self._n + n))
        self._n += n
        now = datetime.now()
        with self.study.store.engine.begin() as connection:
            rows = [
                {
                    "number": number,
                    "study_id": self.study.study_id,
                    "state": "COMPLETE" if number - numbers[0] < n_complete else "PRUNED",
                    "datetime_start": now,
                    "datetime_complete": now,
                }
                for number in numbers
            ]
            connection.execute(self._trials.insert(), rows)
            ids = connection.execute(
                sa.select(self._trials.c.trial_id, self._trials.c.number).where(self._trials.c.number >= numbers[0])
            ).all()
            values, epochs = [], []
            for trial_id, number in ids:
                made = self.epochs(EPOCHS)
                costs = [float(10 ** self._generator.normal(5, 1)), sum(epoch.train_seconds for epoch in made)]
                for objective, value in enumerate([max(epoch.accuracy for epoch in made), *costs]):
                    values.append(
                        {"trial_id": trial_id, "objective": objective, "value": value, "value_type": "FINITE"}
                    )
                epochs += [
                    {"study_id": self.study.study_id, "number": number, **vars(epoch), "metrics": "{}"}
                    for epoch in made
                ]
            connection.execute(self._values.insert(), values)
            connection.execute(schema.epochs.insert(), epochs)

    def epochs(self, n: int) -> list[Epoch]:
        """Return a made-up learning curve of `n` epochs."""
        odds = self._generator.normal(-1, 1) + np.cumsum(np.abs(self._generator.normal(0.2, 0.2, n)))
        seconds = 10 ** self._generator.normal(0, 0.5)
        return [Epoch(index + 1, float(1 / (1 + np.exp(-odd))), seconds, 0.1, {}) for index, odd in enumerate(odds)]


def milliseconds(n_decisions: int, prepare: Callable[[], object], decide: Callable[[], object]) -> list[float]:
    """Return the milliseconds of each decision, without the `prepare` before it."""
    found = []
    for _ in range(n_decisions):
        prepare()
        start = time.perf_counter()
        decide()
        found.append(1000 * (time.perf_counter() - start))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decisions", type=int, default=200)
    n_decisions = parser.parse_args().decisions
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{os.cpu_count()} CPU cores, {platform.machine()}, Python {platform.python_version()}", end=", ")
    print(", ".join(f"{name} {version(name)}" for name in ("optuna", "sqlalchemy", "numpy")))
    print("\n| trials | since the last decision | ms, median | ms, 95 % | ms, most | expected |")
    print("|---|---|---|---|---|---|")
    for n_trials, limit in LIMITS_MS.items():
        with tempfile.TemporaryDirectory() as folder:
            report(n_trials, limit, n_decisions, Path(folder))


def report(n_trials: int, limit: float, n_decisions: int, folder: Path) -> None:
    """Print two rows of the table."""
    store = open_store(f"sqlite:///{folder / 'made.db'}", is_writer=True)
    filling = MadeUpStudy(store)
    filling.add(n_trials, n_trials // 2)
    history = History(filling.study, list(OBJECTIVES.values()), EPOCHS)
    pruner = ParetoPruner(OBJECTIVES, EPOCHS, front_loss=0.05)
    start = time.perf_counter()
    history.finished(EPOCHS)
    print(f"{n_trials} trials: the first look reads all, {time.perf_counter() - start:.2f} s", file=sys.stderr)
    curves = [filling.epochs(1 + number % (EPOCHS - 1)) for number in range(n_decisions)]
    waiting = iter(curves * 2)

    def decide() -> None:
        pruner.judge(next(waiting), {"model_bytes": 1e5}, history.finished(EPOCHS), history.n_ended)

    for label, prepare in (("nothing new", lambda: None), ("a trial more", lambda: filling.add(1, 1))):
        found = milliseconds(n_decisions, prepare, decide)
        cells = [statistics.median(found), float(np.quantile(found, 0.95)), max(found)]
        print(f"| {n_trials} | {label} | {' | '.join(f'{cell:.1f}' for cell in cells)} | at most {limit:g} |")
    store.engine.dispose()


if __name__ == "__main__":
    main()
