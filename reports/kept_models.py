"""The kept models of trials, located from a report's folder."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from tunefront.reports.confirmation.confirmation import Confirmation, Confirmed
from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_OLD_LIMITS_REASON = "off the front under earlier limits"


@dataclass(frozen=True)
class KeptModel:
    """A trial's model as a report shows it.

    Attributes:
        text: Text for people: a file's name, or why there is no model.
        path: The path, relative to the report if the file lies below its folder, else its name; empty if not kept.
        href: The target of a link; empty if the file does not lie below the report's folder.
        place: Where a file lies that is not below that folder, with its machine; else empty.
    """

    text: str
    path: str = ""
    href: str = ""
    place: str = ""


def find_kept_model(results: StudyResults, trial: TrialRecord, folder: Path) -> KeptModel:
    """Return the model of `trial` for a report in `folder`."""
    if not trial.model_path:
        # If a complete trial has a reason, it says why the model could not be saved.
        return KeptModel(trial.reason or ("not kept: " + _OLD_LIMITS_REASON if results.limit_changes else "not kept"))
    path = Path(trial.model_path)
    if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
        relative = path.resolve().relative_to(folder.resolve()).as_posix()
        return KeptModel(path.name, relative, quote(relative))
    host = next((w.machine.get("host_name") for w in results.workers if w.worker_id == trial.worker_id), None)
    return KeptModel(f"{path.name}, kept elsewhere", path.name, place=f"{path} on {host}" if host else str(path))


def training_of(trial: TrialRecord, finalist: Confirmed | None) -> TrialRecord:
    """Return the training whose file is the one model of a candidate.

    Of a confirmed candidate it is the training with the best score on the validation images: its answers to the test
    images are known, and its files are what ships. Where none of those was kept it is the search's own. Files on this
    machine come before those that lie elsewhere.
    """
    again = sorted(finalist.trainings, key=lambda each: _validation_loss(finalist, each)) if finalist else []
    known = [each for each in (*again, trial) if each.model_path]
    here = [each for each in known if Path(each.model_path).is_file()]
    return next(iter(here or known), trial)


def _validation_loss(finalist: Confirmed, training: TrialRecord) -> float:
    score = training.measurements.get(finalist.measure.name)
    return math.inf if score is None else finalist.measure.loss(score)


def find_candidate_model(
    results: StudyResults, confirmation: Confirmation | None, trial: TrialRecord, folder: Path
) -> KeptModel:
    """Return the one file of a candidate, see :func:`training_of`."""
    finalist = confirmation.finalist(trial.number) if confirmation is not None else None
    training = training_of(trial, finalist)
    if confirmation is None or training is trial:
        return find_kept_model(results, trial, folder)
    found = find_kept_model(confirmation.study, training, folder)
    return replace(found, text=f"trial {trial.number}, trained again: {found.text}")


def describe_without_model(results: StudyResults) -> str:
    """Say in a sentence which models are missing since a change of limits; empty if none is.

    A model that was off the front under the old limits was not kept, and its trial may be on the front now.
    """
    # A trial on the front that has a reason is left out: its model was not saved for that reason.
    numbers = [str(trial.number) for trial in results.front if not trial.model_path and not trial.reason]
    if not numbers or not results.limit_changes:
        return ""
    return f"On the front, but their models were not kept, {_OLD_LIMITS_REASON}: trial {', '.join(numbers)}."
