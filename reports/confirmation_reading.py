"""Read a search's confirmation from the store, and work out what it says of each finalist."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives import AXES, Axis
from reports.confirmation import Confirmation, Confirmed
from reports.confirmation_statistics import beaten_shares, estimate, front_shares, resampled_means
from reports.front import StudyResults, load_results
from reports.sharing import is_shared
from storage import Store, TrialRecord, studies


def load_confirmation(store: Store, results: StudyResults) -> Confirmation | None:
    """The confirmation of a search; None if there is none, or it has no complete training yet. Writes nothing."""
    found = (study for study in studies.list_all(store) if study.spec.get("confirms") == results.study.name)
    record = next(found, None)
    if record is None:
        return None
    study = load_results(store, record)
    by_finalist = _trainings(store, study, results)
    score = _score(results, by_finalist)
    finalists = _confirm(results, by_finalist, score)
    if not finalists:
        return None
    trainings = [training for found in by_finalist.values() for training in found]
    return Confirmation(
        search=results,
        study=study,
        finalists=finalists,
        untrained=sorted(set(by_finalist) - {finalist.number for finalist in finalists}),
        n_planned=len(trainings),
        n_failed=sum(training.state == "failed" for training in trainings),
        has_test=score != results.measure("accuracy").name,
        is_shared=is_shared(trainings, study.workers, results),
    )


def _trainings(store: Store, study: StudyResults, results: StudyResults) -> dict[int, list[TrialRecord]]:
    """The trainings of each finalist by its number; both in the order in which they were queued."""
    searched = {trial.number: trial for trial in results.trials}
    attributes = {
        trial.number: trial.user_attrs for trial in study.study.optuna_study(store).get_trials(deepcopy=False)
    }
    found: dict[int, list[TrialRecord]] = {}
    for training in study.trials:
        number = attributes.get(training.number, {}).get("candidate", -1)
        if number not in searched:
            continue
        # Another search of the same name, deleted since, would have had other candidates.
        if training.state != "complete" or training.parameters == searched[number].parameters:
            found.setdefault(number, []).append(training)
    return found


def _score(results: StudyResults, by_finalist: Mapping[int, Sequence[TrialRecord]]) -> str:
    """The measurement that accuracy means: of the test images, or of validation where there are none."""
    name = results.measure("accuracy").name
    measured = (training.measurements for trainings in by_finalist.values() for training in trainings)
    return f"test_{name}" if any(f"test_{name}" in found for found in measured) else name


def _confirm(results: StudyResults, by_finalist: Mapping[int, Sequence[TrialRecord]], score: str) -> list[Confirmed]:
    complete = {n: [t for t in found if t.state == "complete"] for n, found in by_finalist.items()}
    complete = {number: trainings for number, trainings in complete.items() if trainings}
    if not complete:
        return []
    objectives = list(results.objectives.values())
    samples = [
        np.array([[_value(results, training, axis, score) for axis in results.objectives] for training in trainings])
        for trainings in complete.values()
    ]
    means = resampled_means(samples)
    on_front, beaten = front_shares(means, objectives), beaten_shares(means, objectives)
    numbers = list(complete)
    finalists = []
    for row, (number, trainings) in enumerate(complete.items()):
        other = int(beaten[row].argmax())
        is_other = beaten[row, other] > beaten[row, row]
        finalists.append(
            _confirmed(
                results,
                number,
                trainings,
                score,
                n_failed=sum(training.state == "failed" for training in by_finalist[number]),
                front_probability=float(on_front[row]),
                beaten_probability=float(beaten[row, other]),
                beaten_by=numbers[other] if is_other else None,
            )
        )
    return sorted(finalists, key=lambda finalist: (-finalist.estimates["accuracy"].mean, finalist.number))


def _confirmed(
    results: StudyResults, number: int, trainings: Sequence[TrialRecord], score: str, **found: Any
) -> Confirmed:
    searched = next(trial for trial in results.trials if trial.number == number)
    values = {axis: [_value(results, training, axis, score) for training in trainings] for axis in AXES}
    name = results.measure("accuracy").name
    search_accuracy = results.value(searched, "accuracy")
    return Confirmed(
        searched=searched,
        was_on_front=number in results.front_numbers,
        trainings=trainings,
        estimates={axis: estimate(values[axis]) for axis in AXES},
        validation=estimate([training.measurements[name] for training in trainings]),
        search_accuracy=search_accuracy,
        gap=estimate([search_accuracy - value for value in values["accuracy"]]),
        **found,
    )


def _value(results: StudyResults, training: TrialRecord, axis: Axis, score: str) -> float:
    name = score if axis == "accuracy" else results.measure(axis).name
    return training.measurements.get(name, math.nan)
