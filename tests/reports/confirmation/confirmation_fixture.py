"""A search with its confirmation, filled training by training with made-up results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.reports.report_fixture import DATASET, MACHINE, THREE, ReportFixture
from tunefront.objectives.measures import Axis
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.confirmation.results import load_confirmation
from tunefront.storage import studies
from tunefront.storage.answers import Answers
from tunefront.storage.outcomes import Outcome

LIMITED: Mapping[Axis, Mapping[str, Any]] = {**THREE, "memory": {"measure": "model_bytes", "at_most": 3000}}


def parameters(number: int) -> dict[str, Any]:
    return {"optimizer.name": "adam", "cnn.filters": number}


def search(folder: Path) -> ReportFixture:
    """Make a search with three trials on the front, and trial 3 as a near miss, which 0 beats by a little."""
    fixture = ReportFixture.make(folder, LIMITED, n_trials=4)
    for number, values in enumerate([(0.95, 2000, 2.0), (0.90, 1000, 1.0), (0.80, 500, 0.5), (0.94, 2100, 2.1)]):
        fixture.complete(*values, parameters=parameters(number))
    return fixture


def confirmation_of(searched: ReportFixture, **changes: Any) -> ReportFixture:
    """Make the search's confirmation in the same store, without a training."""
    name = f"{searched.record.name}.confirmation"
    spec = {**searched.record.spec, "name": name, "confirms": searched.record.name, "trials": 12, **changes}
    directions = [direction.name.lower() for direction in searched.study.optuna.directions]
    names = list("abc")[: len(directions)]
    study = studies.create(searched.store, name, spec, DATASET, directions, names)  # type: ignore[arg-type]
    for worker in ("1", "2"):
        studies.register_worker(study, f"{name}-{worker}", "boot", 1, MACHINE)
    return ReportFixture(study)


def answers_of(accuracy: float, start: int = 0) -> Answers:
    """Return answers that are right on a share of 360 images, from image `start` on and continuing at the first."""
    wrong = (np.arange(360) - start) % 360 >= round(360 * accuracy)
    return Answers([1] * 360, (1 - wrong).tolist())


def train(
    fixture: ReportFixture,
    candidate: int,
    tests: Sequence[float | None],
    memory: float,
    seconds: float,
    *,
    start: int | None = None,
    **more: Any,
) -> None:
    """Add trainings of a candidate with these test accuracies; None fails. Validation accuracies are 0.01 higher.

    With `start`, their answers to each image are stored, see :func:`answers_of`.
    """
    for seed, accuracy in enumerate(tests):
        attributes = {"candidate": candidate, "seed": seed}
        fixture.study.optuna.enqueue_trial(parameters(candidate), user_attrs=attributes)
        if accuracy is None:
            fixture.end(fixture.lease(parameters(candidate), is_new=False), Outcome.FAILED, reason="loss became nan")
            continue
        measured = {"test_accuracy": accuracy, "load_average": 0.9}
        answers = {} if start is None else {"test": answers_of(accuracy, start)}
        fixture.complete(
            accuracy + 0.01, memory, seconds + seed / 1000, parameters=parameters(candidate), is_new=False,
            measurements=measured, answers=answers, **more,
        )  # fmt: skip


def queue(fixture: ReportFixture, candidate: int) -> None:
    fixture.study.optuna.enqueue_trial(parameters(candidate), user_attrs={"candidate": candidate, "seed": 0})


def load(searched: ReportFixture) -> Confirmation:
    found = load_confirmation(searched.store, searched.results())
    assert found is not None
    return found
