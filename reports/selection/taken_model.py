"""The file of a study's model that is put to use: the one that `select` chooses, or that of a trial by its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunefront.mistakes import TunefrontError
from tunefront.objectives.measures import AXES
from tunefront.objectives.quantities import format_quantity
from tunefront.reports.confirmation.confirmation import Confirmation
from tunefront.reports.kept_models import training_of
from tunefront.reports.selection.options import find_options
from tunefront.reports.selection.selection import choose
from tunefront.reports.selection.sentences import describe_choice, describe_no_choice, describe_why
from tunefront.reports.study_results import StudyResults
from tunefront.reports.words import value_name
from tunefront.storage.trials import TrialRecord


class NoModelError(TunefrontError):
    """A study has no such model on this machine; the message says what makes it again."""


@dataclass(frozen=True)
class TakenModel:
    """A model's file, and why it is this one.

    Attributes:
        number: The number of its trial in the search.
        why: Sentences.
    """

    number: int
    path: Path
    why: Sequence[str]


def take_model(
    results: StudyResults,
    confirmation: Confirmation | None,
    number: int | None = None,
    bring: Callable[[TrialRecord], TrialRecord] = lambda trial: trial,
) -> TakenModel:
    """Return the model that `select` chooses, or that of trial `number`.

    Of a confirmed one it is the best of its trainings in the confirmation or, where none is here, the search's own.

    Args:
        bring: Fetches the model of a trial of the search, and returns the trial with its path here.

    Raises:
        NoModelError: If there is none on this machine.
    """
    if number is None:
        options = find_options(results, confirmation)
        selection = choose(options)
        if selection is None:
            raise NoModelError(f"study {results.study.name!r}: {describe_no_choice(options, [])}")
        trial, why = selection.option.trial, [describe_choice(selection), describe_why(selection)]
    else:
        trial = _trial(results, number)
        why = [f"Take trial {number}, as you ask: {_describe(results, trial)}."]
    finalist = confirmation.finalist(trial.number) if confirmation is not None else None
    training = training_of(trial, finalist)
    if not _is_here(training):
        trial = bring(trial)
        training = training_of(trial, finalist)
    if not _is_here(training):
        raise NoModelError(_why_none(results, trial))
    note = (
        [] if training is trial else ["It is the best, on the validation images, of the trainings that confirmed it."]
    )
    return TakenModel(trial.number, Path(training.model_path), [*why, *note])


def _trial(results: StudyResults, number: int) -> TrialRecord:
    found = next((trial for trial in results.trials if trial.number == number), None)
    if found is None:
        raise NoModelError(
            f"study {results.study.name!r} has no trial {number}: they are numbered from 0 to {len(results.trials) - 1}"
        )
    return found


def _is_here(trial: TrialRecord) -> bool:
    return bool(trial.model_path) and Path(trial.model_path).is_file()


def _describe(results: StudyResults, trial: TrialRecord) -> str:
    measures = [(axis, results.measure(axis)) for axis in AXES]
    return ", ".join(
        f"{value_name(measure)} {format_quantity(results.value(trial, axis), measure.unit)}"
        for axis, measure in measures
    )


def _why_none(results: StudyResults, trial: TrialRecord) -> str:
    name, number = results.study.name, trial.number
    kept = [str(other.number) for other in results.trials if _is_here(other)]
    others = f". There are those of trial {', '.join(kept[:20])}: take one by its number" if kept else ""
    if trial.state != "complete":
        return f"trial {number} of study {name!r} is {trial.state}, and so has no model{others}"
    again = f"'tunefront retrain {name} {number}' trains it again"
    if trial.model_path:
        return f"{trial.model_path}: the model of trial {number} is not on this machine. {again}{others}"
    return f"the model of trial {number} was not kept: only those of the front are. {again}{others}"
