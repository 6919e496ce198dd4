"""Made-up studies for tests of the page, in a browser and without one, and for looking at it.

``python -m tests.reports.made_studies FOLDER`` writes the report of each into a folder of its name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.reports.report_fixture import DATASET, THREE, ReportFixture
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.reports.publish import publish
from tunefront.storage import studies
from tunefront.storage.answers import Answers
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
_DIGITS = {**DATASET, "n_classes": 10, "class_names": [str(digit) for digit in range(10)], "n_validation": 360}
_LONG = "a class with quite a long name that nobody would abbreviate"


@dataclass(frozen=True)
class MadeStudy:
    """A study in a store of its own, with its report.

    Attributes:
        folder: The folder of its results.
    """

    fixture: ReportFixture
    folder: Path

    def write(self) -> Path:
        """Write the report, and return the path of its page."""
        return publish(self.study, self.folder).files.report_html

    @property
    def study(self) -> OpenStudy:
        found = studies.find(self.fixture.store, self.fixture.record.name)
        assert found is not None
        return found


def make(name: str, folder: Path) -> MadeStudy:
    """Make the study of that name, one of :data:`STUDIES`, in a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return STUDIES[name](folder)


def _start(folder: Path, objectives: Mapping[Any, Mapping[str, Any]] = THREE, **more: Any) -> MadeStudy:
    made = ReportFixture.make(folder, objectives, **{"dataset": _DIGITS, **more})
    results = folder / "results"
    (results / "models").mkdir(parents=True)
    (results / "logs").mkdir()
    return MadeStudy(made, results)


def _search(made: MadeStudy, n_trials: int, *, seed: int = 0, n_kept: int = 12, spread: float = 0.02) -> None:
    """Add trials whose accuracy grows with their costs; every fifth is stopped, and one fails."""
    random = np.random.default_rng(seed)
    n_classes = made.fixture.record.dataset["n_classes"]

    def waste() -> float:
        return float(np.exp(abs(random.normal(0, 0.5))))

    for number in range(n_trials):
        size = random.uniform(0, 1)
        speed = random.uniform(0, 0.4)
        accuracy = float(np.clip(0.985 - 0.25 * np.exp(-4 * size) - 0.05 * speed - random.exponential(spread), 0.1, 1))
        parameters = {
            "optimizer.name": "adam" if number % 3 else "sgd",
            ("adam" if number % 3 else "sgd") + ".learning_rate": float(10 ** random.uniform(-4, -1)),
            "cnn.n_blocks": int(1 + 3 * size),
            "cnn.filters": int(2 ** (2 + 3 * size)),
            "cnn.batch_norm": bool(random.integers(2)),
            "cnn.kernel_size": int(random.choice([3, 5])),
            "cnn.dropout": float(random.choice([0.1, 0.3, 0.5])),
        }
        memory, seconds = float(round(30e3 * 12**size * waste())), float(4 * 6 ** (size - speed) * waste())
        curve = [float(accuracy * (1 - 0.6 * np.exp(-epoch / 2)) - random.exponential(0.01)) for epoch in range(1, 12)]
        if number % 5 == 3:
            so_far = {"accuracy": curve[3], "model_bytes": memory, "train_seconds": seconds / 3}
            reason = f"epoch 4: even at best ({100 * curve[3]:.2f} %, 2.2 MB) trial 0 dominates it"
            made.fixture.end(made.fixture.lease(parameters), Outcome.PRUNED, so_far, curve=curve[:4], reason=reason)
            continue
        if number == 6:
            made.fixture.end(
                made.fixture.lease(parameters), Outcome.FAILED, {}, reason="ResourceExhaustedError: 2.1 GB"
            )
            continue
        kept = number < 200 and n_kept > 0
        path = made.folder / "models" / f"trial-{number}.keras"
        if kept:
            path.write_bytes(b"a model")
            (made.folder / "logs" / f"trial-{number}.log").write_text("Epoch 1/11\n")
        made.fixture.complete(
            accuracy, memory, seconds, parameters=parameters, curve=[*curve, accuracy],
            measurements={"best_epoch": 12.0, "weight_bytes": memory * 0.3, "latency_seconds": 40e-6 * 3**size,
                          "load_average": 0.9, "other_slots_busy": 0.0, "trial_seconds": seconds * 1.5},
            model_path=str(path) if kept else "",
            answers={"validation": _answers(random, accuracy, n_classes)} if number < 60 else None,
        )  # fmt: skip


def _answers(random: np.random.Generator, accuracy: float, n_classes: int, n_images: int = 360) -> Answers:
    labels = np.arange(n_images) % n_classes
    wrong = random.permutation(n_images) < round(n_images * (1 - accuracy))
    return Answers(labels.tolist(), np.where(wrong, (labels + 1 + labels % 2) % n_classes, labels).tolist())


def _typical(folder: Path) -> MadeStudy:
    made = _start(folder, n_trials=30)
    _search(made, 30)
    return made


def _single(folder: Path) -> MadeStudy:
    made = _start(folder, n_trials=1)
    _search(made, 1)
    return made


def _many(folder: Path) -> MadeStudy:
    made = _start(folder, n_trials=300)
    _search(made, 300, spread=0.01)
    return made


def _classes(folder: Path) -> MadeStudy:
    names = [f"{_LONG}, number {number}" for number in range(58)] + [EVIL, "[red]none"]
    made = _start(folder, n_trials=12, dataset={**_DIGITS, "n_classes": 60, "class_names": names})
    _search(made, 12)
    evil = {"optimizer.name": "</script><script>alert(1)</script>", f"cnn.{EVIL}": 3}
    made.fixture.complete(0.99, 400_000, 20.0, parameters=evil)
    return made


def _two_objectives(folder: Path) -> MadeStudy:
    limited = {"measure": "model_bytes", "at_most": 200_000}
    made = _start(folder, {"accuracy": THREE["accuracy"], "memory": limited}, n_trials=20)
    _search(made, 20)
    return made


def _one_objective(folder: Path) -> MadeStudy:
    made = _start(folder, {"accuracy": THREE["accuracy"]}, n_trials=20)
    _search(made, 20)
    return made


def _failed(folder: Path) -> MadeStudy:
    made = _start(folder, n_trials=12)
    for number in range(11):
        reason = f"ResourceExhaustedError: {number}.5 GB are not there, see /home/anna/secret/trial.py"
        made.fixture.end(made.fixture.lease({"cnn.filters": number}), Outcome.FAILED, {}, reason=reason)
    return made


def _nothing_fits(folder: Path) -> MadeStudy:
    limits = {"memory": {"measure": "model_bytes", "at_most": 20_000}}
    made = _start(folder, {**THREE, **limits}, n_trials=20)
    _search(made, 20)
    return made


def _guessing(folder: Path) -> MadeStudy:
    made = _start(folder, n_trials=4)
    for accuracy in (0.1, 0.11, 0.09, 0.12):
        made.fixture.complete(accuracy, 1000, 1.0)
    return made


def _confirmed(folder: Path) -> MadeStudy:
    """Make the typical study, with its front and a near miss trained again by three seeds each."""
    made = _typical(folder)
    results = made.fixture.results()
    name = f"{made.fixture.record.name}.confirmation"
    front = [trial for trial in results.front if not results.is_guessing(trial)]
    spec = {**made.fixture.record.spec, "name": name, "confirms": made.fixture.record.name, "trials": 3 * len(front)}
    measures = [objective.measure for objective in results.objectives.values()]
    study = studies.create(
        made.fixture.store, name, spec, made.fixture.record.dataset,
        [measure.direction for measure in measures], [measure.name for measure in measures],
    )  # fmt: skip
    again = ReportFixture(study)
    studies.register_worker(study, f"{name}-1", "boot", 1, {"host_name": "anna", "cpu": "AMD EPYC", "n_cpus": 2})
    random = np.random.default_rng(5)
    number = 0
    for trial in front:
        for seed in range(3):
            again.study.optuna.enqueue_trial(
                dict(trial.parameters), user_attrs={"candidate": trial.number, "seed": seed}
            )
            accuracy = float(np.clip(results.value(trial, "accuracy") - 0.012 + random.normal(0, 0.006), 0, 1))
            path = made.folder / "confirmation" / "models" / f"trial-{number}.keras"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"another model")
            again.complete(
                accuracy + 0.005, results.value(trial, "memory"),
                results.value(trial, "time") * float(random.uniform(0.95, 1.05)), parameters=trial.parameters,
                is_new=False, measurements={"test_accuracy": accuracy, "load_average": 0.9}, model_path=str(path),
                answers={"test": _answers(random, accuracy, 10)},
            )  # fmt: skip
            number += 1
    assert load_confirmation(made.fixture.store, made.fixture.results()) is not None
    return made


STUDIES: Mapping[str, Callable[[Path], MadeStudy]] = {
    "typical": _typical,
    "single": _single,
    "many": _many,
    "classes": _classes,
    "two_objectives": _two_objectives,
    "one_objective": _one_objective,
    "failed": _failed,
    "nothing_fits": _nothing_fits,
    "guessing": _guessing,
    "confirmed": _confirmed,
}

if __name__ == "__main__":
    for chosen in sys.argv[2:] or STUDIES:
        print(make(chosen, Path(sys.argv[1]) / chosen).write())
