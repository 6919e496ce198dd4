"""The kept models of trials, located from a report's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_OLD_LIMITS_REASON = "off the front under earlier limits"


@dataclass(frozen=True)
class KeptModel:
    """A trial's model as a report shows it.

    Attributes:
        text: Text for people: a file's name, a path with its machine, or why there is no model.
        path: The path, relative to the report if the file lies below its folder, else as stored; empty if not kept.
        href: The target of a link; empty if the file does not lie below the report's folder.
    """

    text: str
    path: str = ""
    href: str = ""


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
    return KeptModel(f"{path} on {host}" if host else str(path), str(path))


def describe_without_model(results: StudyResults) -> str:
    """Say in a sentence which models are missing since a change of limits; empty if none is.

    A model that was off the front under the old limits was not kept, and its trial may be on the front now.
    """
    # A trial on the front that has a reason is left out: its model was not saved for that reason.
    numbers = [str(trial.number) for trial in results.front if not trial.model_path and not trial.reason]
    if not numbers or not results.limit_changes:
        return ""
    return f"On the front, but their models were not kept, {_OLD_LIMITS_REASON}: trial {', '.join(numbers)}."
