"""The kept models of trials, located from a report's folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from tunefront.reports.confirmation.confirmation import Confirmation
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


def find_candidate_model(
    results: StudyResults, confirmation: Confirmation | None, trial: TrialRecord, folder: Path
) -> KeptModel:
    """Return the one file of a candidate: the search's own, or, if that was not kept, one of its later trainings.

    Of those trainings it is the one with the best score on the validation images.
    """
    finalists = confirmation.finalists if confirmation is not None else []
    finalist = next((each for each in finalists if each.number == trial.number), None)
    kept = confirmation.kept_training(finalist) if confirmation is not None and finalist is not None else None
    if trial.model_path or confirmation is None or kept is None:
        return find_kept_model(results, trial, folder)
    found = find_kept_model(confirmation.study, kept, folder)
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
