"""Reading a search's confirmation from the store, and computing its findings for each finalist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunefront.objectives.measures import AXES
from tunefront.reports.confirmation.comparison import compare, is_paired, mean_gap, training_value
from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.confirmation.scores import ImageScores, Trainings, read_scores
from tunefront.reports.confirmation.shared_machines import is_shared
from tunefront.reports.confirmation.statistics import estimate
from tunefront.reports.study_results import StudyResults, front_numbers, load_results
from tunefront.storage import studies
from tunefront.storage.artifacts.model_files import CONFIRMATION
from tunefront.storage.database.connection import Store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.population.stages import changes
from tunefront.storage.trials import TrialRecord

_WITHOUT_SCORE = ("failed", "cancelled")  # a person who cancels a training wants no other in its place


def load_confirmation(store: Store, results: StudyResults, folder: Path | None = None) -> Confirmation | None:
    """Read the confirmation of a search; None without one, or if no training has ended yet. Writes nothing.

    Args:
        folder: The folder of the search's results, see :func:`load_results`.
    """
    found = (study for study in studies.list_all(store) if study.record.spec.get("confirms") == results.study.name)
    trained = next(found, None)
    if trained is None:
        return None
    study = load_results(trained, folder / CONFIRMATION if folder is not None else None)
    by_finalist = _trainings(trained, study, results)
    score, validation = read_scores(trained, results, by_finalist)
    complete = _complete_trainings(results, by_finalist, (score, validation))
    finalists = _confirm(results, by_finalist, complete, score, validation)
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
        n_failed=sum(training.state in _WITHOUT_SCORE for training in trainings),
        gap=mean_gap([finalist for finalist in finalists if finalist.was_on_front], score),
        has_test=score is not validation,
        is_paired=is_paired(_compared_trainings(complete), score),
        is_shared=is_shared(trainings, study.workers, results),
        score=score,
    )


def _trainings(trained: OpenStudy, study: StudyResults, results: StudyResults) -> dict[int, list[TrialRecord]]:
    """Return the trainings of each finalist by its number, both in the order in which they were queued."""
    searched = {trial.number: trial for trial in results.trials}
    queued = {trial.number: trial for trial in trained.optuna.get_trials(deepcopy=False)}
    found: dict[int, list[TrialRecord]] = {}
    for training in study.trials:
        frozen = queued.get(training.number)
        number = frozen.user_attrs.get("candidate", -1) if frozen else -1
        # A deleted search of the same name had other candidates, so the parameters must agree too.
        parameters = {**frozen.system_attrs.get("fixed_params", {}), **training.parameters} if frozen else {}
        if number in searched and parameters == searched[number].parameters:
            found.setdefault(number, []).append(training)
    return found


def _newcomers(
    results: StudyResults, by_finalist: Mapping[int, Sequence[TrialRecord]]
) -> tuple[list[int], dict[int, int]]:
    """Return the trials on the front without a training: new candidates, and those with a finalist's parameters."""
    searched = {trial.number: trial for trial in results.trials}
    newcomers, same = [], {}
    for number in sorted(results.front_numbers - by_finalist.keys()):
        alike = (n for n in by_finalist if _settings(searched[n]) == _settings(searched[number]))
        finalist = next(alike, None)
        if finalist is None:
            newcomers.append(number)
        else:
            same[number] = finalist
    return newcomers, same


def _settings(trial: TrialRecord) -> tuple[Any, ...]:
    """Return all settings of a training, by the epochs at which they changed."""
    return trial.parameters, changes(trial.stages)


def _complete_trainings(results: StudyResults, by_finalist: Trainings, scores: Sequence[ImageScores]) -> Trainings:
    """Return the complete trainings of each finalist that have measurements.

    A training that a person set to complete in the dashboard has none.
    """
    needed = {score.name for score in scores} | {objective.measure.name for objective in results.objectives.values()}
    return {
        number: [t for t in trainings if t.state == "complete" and needed <= t.measurements.keys()]
        for number, trainings in by_finalist.items()
    }


def _confirm(
    results: StudyResults, by_finalist: Trainings, complete: Trainings, score: ImageScores, validation: ImageScores
) -> list[Confirmed]:
    """Return finalists with a complete training, the most accurate first, then those whose every training failed."""
    chances = compare(results, _compared_trainings(complete), score)
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
            validation,
            was_on_front=number in had_front,
            n_failed=sum(training.state in _WITHOUT_SCORE for training in trainings),
            **chances.get(number, {}),
        )
        for number, trainings in by_finalist.items()
        if complete[number] or all(training.state in _WITHOUT_SCORE for training in trainings)
    ]
    return sorted(finalists, key=_rank)


def _compared_trainings(complete: Trainings) -> Trainings:
    """Return the trainings of the finalists that are compared: those with at least two."""
    return {number: trainings for number, trainings in complete.items() if len(trainings) > 1}


def _rank(finalist: Confirmed) -> tuple[bool, float, int]:
    loss = finalist.measure.loss(finalist.estimates["accuracy"].mean)
    return (not finalist.trainings, loss if finalist.trainings else 0.0, finalist.number)


def _confirmed(
    results: StudyResults,
    number: int,
    trainings: Sequence[TrialRecord],
    score: ImageScores,
    validation: ImageScores,
    **found: Any,
) -> Confirmed:
    searched = next(trial for trial in results.trials if trial.number == number)
    values = {axis: [training_value(results, training, axis, score) for training in trainings] for axis in AXES}
    by_images = score.half_width(trainings)
    search_accuracy, measure = results.value(searched, "accuracy"), results.measure("accuracy")
    gaps = [measure.loss(value) - measure.loss(search_accuracy) for value in values["accuracy"]]
    return Confirmed(
        searched=searched,
        measure=measure,
        trainings=trainings,
        estimates={axis: estimate(values[axis], by_images if axis == "accuracy" else 0.0) for axis in AXES},
        validation=estimate(validation.values(trainings), validation.half_width(trainings)),
        search_accuracy=search_accuracy,
        gap=estimate(gaps, by_images),
        **found,
    )
