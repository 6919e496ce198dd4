"""Read a search's confirmation from the store, and work out what it says of each finalist."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives import AXES, Axis
from reports.confirmation import Confirmation, Confirmed
from reports.confirmation_statistics import beaten_shares, estimate, front_shares, resampled_means
from reports.front import StudyResults, front_numbers, load_results
from reports.sharing import is_shared
from storage import Store, TrialRecord, studies


def load_confirmation(store: Store, results: StudyResults) -> Confirmation | None:
    """The confirmation of a search; None if there is none, or no training has ended yet. Writes nothing."""
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
    newcomers, same = _newcomers(results, by_finalist)
    return Confirmation(
        search=results,
        study=study,
        finalists=finalists,
        untrained=sorted(set(by_finalist) - {finalist.number for finalist in finalists}),
        newcomers=newcomers,
        same=same,
        n_planned=len(trainings),
        n_ended=sum(training.state not in ("waiting", "running") for training in trainings),
        n_failed=sum(training.state == "failed" for training in trainings),
        has_test=score != results.measure("accuracy").name,
        is_shared=is_shared(trainings, study.workers, results),
    )


def _trainings(store: Store, study: StudyResults, results: StudyResults) -> dict[int, list[TrialRecord]]:
    """The trainings of each finalist by its number; both in the order in which they were queued."""
    searched = {trial.number: trial for trial in results.trials}
    queued = {trial.number: trial for trial in study.study.optuna_study(store).get_trials(deepcopy=False)}
    found: dict[int, list[TrialRecord]] = {}
    for training in study.trials:
        frozen = queued.get(training.number)
        number = frozen.user_attrs.get("candidate", -1) if frozen else -1
        # Another search of the same name, deleted since, had other candidates.
        parameters = {**frozen.system_attrs.get("fixed_params", {}), **training.parameters} if frozen else {}
        if number in searched and parameters == searched[number].parameters:
            found.setdefault(number, []).append(training)
    return found


def _newcomers(
    results: StudyResults, by_finalist: Mapping[int, Sequence[TrialRecord]]
) -> tuple[list[int], dict[int, int]]:
    """Of the front that has no training: what came since, and what has the parameters of a finalist."""
    searched = {trial.number: trial for trial in results.trials}
    newcomers, same = [], {}
    for number in sorted(results.front_numbers - by_finalist.keys()):
        alike = (n for n in by_finalist if searched[n].parameters == searched[number].parameters)
        finalist = next(alike, None)
        if finalist is None:
            newcomers.append(number)
        else:
            same[number] = finalist
    return newcomers, same


def _score(results: StudyResults, by_finalist: Mapping[int, Sequence[TrialRecord]]) -> str:
    """The measurement that accuracy means: of the test images, or of validation where there are none."""
    name = results.measure("accuracy").name
    measured = (training.measurements for trainings in by_finalist.values() for training in trainings)
    return f"test_{name}" if any(f"test_{name}" in found for found in measured) else name


def _confirm(results: StudyResults, by_finalist: Mapping[int, Sequence[TrialRecord]], score: str) -> list[Confirmed]:
    """Those with a complete training, the most accurate first, and those whose every training failed."""
    needed = {score, results.measure("accuracy").name, *(o.measure.name for o in results.objectives.values())}
    # What a person told complete in the dashboard has no measurements.
    complete = {
        n: [t for t in ts if t.state == "complete" and needed <= t.measurements.keys()] for n, ts in by_finalist.items()
    }
    compared = {number: trainings for number, trainings in complete.items() if len(trainings) > 1}
    chances = _compare(results, compared, score)
    had_front = front_numbers(
        [
            trial
            for trial in results.trials
            if trial.number in by_finalist and trial.state == "complete" and trial.is_feasible
        ],
        results.objectives,
    )
    finalists = [
        _confirmed(
            results,
            number,
            complete[number],
            score,
            was_on_front=number in had_front,
            n_failed=sum(training.state == "failed" for training in trainings),
            **chances.get(number, {}),
        )
        for number, trainings in by_finalist.items()
        if complete[number] or all(training.state == "failed" for training in trainings)
    ]
    return sorted(finalists, key=_rank)


def _rank(finalist: Confirmed) -> tuple[bool, float, int]:
    accuracy = finalist.estimates["accuracy"].mean
    return (not finalist.trainings, -accuracy if finalist.trainings else 0.0, finalist.number)


def _compare(
    results: StudyResults, compared: Mapping[int, Sequence[TrialRecord]], score: str
) -> dict[int, dict[str, Any]]:
    """What the bootstrap says of each: the probabilities of :class:`Confirmed`, and who beats it."""
    if not compared:
        return {}
    objectives = list(results.objectives.values())
    samples = [
        np.array([[_value(results, training, axis, score) for axis in results.objectives] for training in trainings])
        for trainings in compared.values()
    ]
    means = resampled_means(samples)
    on_front, beaten = front_shares(means, objectives), beaten_shares(means, objectives)
    numbers = list(compared)
    chances = {}
    for row, number in enumerate(numbers):
        other, breaks_limit = int(beaten[row].argmax()), beaten[row, row]
        is_other = beaten[row, other] - breaks_limit > breaks_limit
        chances[number] = {
            "front_probability": float(on_front[row]),
            "beaten_probability": float(beaten[row, other]),
            "limit_probability": float(breaks_limit),
            "beaten_by": numbers[other] if is_other else None,
        }
    return chances


def _confirmed(
    results: StudyResults, number: int, trainings: Sequence[TrialRecord], score: str, **found: Any
) -> Confirmed:
    searched = next(trial for trial in results.trials if trial.number == number)
    values = {axis: [_value(results, training, axis, score) for training in trainings] for axis in AXES}
    name = results.measure("accuracy").name
    search_accuracy = results.value(searched, "accuracy")
    return Confirmed(
        searched=searched,
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
