"""The errors of one model of a study, from the store, and from the files beside the model where it is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.reports.class_answers.class_answers import FrontAnswers, class_answers_of
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.errors.residuals import Residuals, sum_up
from tunefront.reports.errors.worst_examples import UnreadablePredictionsError, WorstExample, read_worst
from tunefront.reports.study_results import StudyResults
from tunefront.storage import answers
from tunefront.storage.answers import Answers
from tunefront.storage.files import PREDICTIONS, WORST
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.trials import TrialRecord

_ENDINGS = {
    "pruned": "it was stopped early",
    "refused": "it was refused",
    "failed": "it failed",
    "cancelled": "it was cancelled",
}


class UnknownErrorsError(TunefrontError):
    """The errors of a trial are not known: why, and what makes them known."""


@dataclass(frozen=True)
class ModelErrors:
    """The errors of one model.

    Attributes:
        results: The study that the trial is of.
        number: The number of the trial.
        trained_in: The study that trained the model: the trial's own, or its confirmation.
        trained: The trial there.
        split: The split that was answered: ``validation`` or ``test``.
        by_class: The answers by class; None where numbers are predicted.
        residuals: The errors of the numbers; None of classes.
        worst: What it gets most wrong, the worst first; empty if it is not known here.
        without_worst: Why that is not known, in a sentence; empty if it is.
    """

    results: StudyResults
    number: int
    trained_in: str
    trained: TrialRecord
    split: str
    by_class: FrontAnswers | None
    residuals: Residuals | None
    worst: Sequence[WorstExample]
    without_worst: str = ""

    @property
    def predictions(self) -> Path | None:
        """The file of the model's answers on this machine; None if it is not here."""
        return self._beside(PREDICTIONS)

    @property
    def sheet(self) -> Path | None:
        """The picture of the worst images on this machine; None if there is none."""
        return self._beside(WORST)

    def _beside(self, ending: str) -> Path | None:
        path = Path(self.trained.model_path).with_suffix(ending) if self.trained.model_path else None
        return path if path is not None and path.is_file() else None


def find_errors(study: OpenStudy, results: StudyResults, confirmation: Confirmation | None, number: int) -> ModelErrors:
    """Return the errors of a trial's model; once it was trained again, those on the test images.

    Raises:
        UnknownErrorsError: If there is no such trial, or its answers were never stored.
    """
    trial = next((trial for trial in results.trials if trial.number == number), None)
    if trial is None:
        there = f"its trials are 0 to {len(results.trials) - 1}" if results.trials else "it has no trial yet"
        raise UnknownErrorsError(f"study {study.name!r} has no trial {number}: {there}")
    if confirmation is not None and confirmation.has_test:
        finalist = next((found for found in confirmation.finalists if found.number == number), None)
        trained = confirmation.shown_training(finalist) if finalist is not None else None
        confirming = OpenStudy(study.store, confirmation.study.study)
        found = answers.load(confirming, "test").get(trained.number) if trained is not None else None
        if trained is not None and found is not None:
            return _errors(results, number, confirmation.study, trained, "test", found)
    for split in ("test", "validation") if results.study.spec.get("confirms") else ("validation",):
        found = answers.load(study, split).get(number)
        if found is not None:
            return _errors(results, number, results, trial, split, found)
    raise UnknownErrorsError(_why_unknown(study, trial))


def _errors(
    results: StudyResults, number: int, trained_in: StudyResults, trained: TrialRecord, split: str, found: Answers
) -> ModelErrors:
    is_numbers = results.task == "regression"
    by_class = None if is_numbers else class_answers_of(found, split, number, trained, results)
    if by_class is None and not is_numbers:
        raise UnknownErrorsError(f"the answers of trial {number} are to other classes than those of the study")
    worst, why = _worst(trained_in, trained)
    if why and is_numbers:
        worst = _worst_numbers(found, split)
    return ModelErrors(
        results=results,
        number=number,
        trained_in=trained_in.study.name,
        trained=trained,
        split=split,
        by_class=by_class,
        residuals=sum_up(found.labels, found.chosen) if is_numbers else None,
        worst=worst,
        without_worst=why,
    )


def _worst(study: StudyResults, trained: TrialRecord) -> tuple[Sequence[WorstExample], str]:
    """Return what the model gets most wrong, or why that is not known here."""
    unknown = f"The worst {study.examples} are not known by name"
    if not trained.model_path:
        return (), f"{unknown}: the model was not kept, or has left the front."
    path = Path(trained.model_path).with_suffix(PREDICTIONS)
    try:
        return read_worst(Path(trained.model_path)), ""
    except UnreadablePredictionsError as error:
        return (), f"{unknown}: {error}."
    except FileNotFoundError:
        if Path(trained.model_path).is_file():
            why = "an earlier tunefront kept the model, or the file could not be written"
            return (), f"{unknown}: {path.name} is not beside the model. Either {why}."
        host = next((w.machine.get("host_name") for w in study.workers if w.worker_id == trained.worker_id), None)
        return (
            (),
            f"{unknown}: {path}, which has their names, is not on this machine{f', but on {host}' if host else ''}.",
        )


def _worst_numbers(found: Answers, split: str) -> list[WorstExample]:
    """Return the largest errors of numbers from the store, which knows places and no names."""
    pairs = list(zip(found.labels, found.chosen, strict=True))
    order = sorted(range(len(pairs)), key=lambda place: (-abs(pairs[place][1] - pairs[place][0]), place))[:24]
    return [WorstExample(f"{split}[{place}]", *pairs[place]) for place in order if pairs[place][0] != pairs[place][1]]


def _why_unknown(study: OpenStudy, trial: TrialRecord) -> str:
    """Return why a trial's errors are not known, and what makes its model, or makes them known."""
    search = study.record.spec.get("confirms")
    confirm = f"'tunefront confirm {search or study.name}'"
    again = f"{confirm} with more seeds trains the candidate again"
    if not search:
        again = f"'tunefront retrain {study.name} {trial.number}' makes its model, for 'tunefront predict'"
    what = f"the errors of trial {trial.number} are not known"
    if trial.state in ("waiting", "running"):
        return f"{what}: it is {trial.state}, and they are stored when it is complete"
    if trial.state != "complete":
        return f"{what}: {_ENDINGS[trial.state]}, and only models of the front are kept. {again}"
    if not trial.model_path:
        return f"{what}: its model was not kept, because only those of the front are. {again}"
    return (
        f"{what}: an earlier tunefront kept its model and stored no answers. {confirm} stores those of the front to "
        "the test split"
    )
