"""Where the model of a trial can be had, seen from a report's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tunefront.reports.study_results import StudyResults
from tunefront.storage.trials import TrialRecord

_OFF_THE_FRONT = "off the front under earlier limits"


@dataclass(frozen=True)
class KeptModel:
    """A trial's model as a report tells of it.

    Attributes:
        text: For people: a file's name, a path with its machine, or why there is none.
        path: Relative to the report if the file lies below its folder, else as stored; empty if it was not kept.
        href: To be linked; empty if it does not lie below the report's folder.
    """

    text: str
    path: str = ""
    href: str = ""


def find_kept_model(results: StudyResults, trial: TrialRecord, folder: Path) -> KeptModel:
    """The model of `trial` for a report in `folder`."""
    if not trial.model_path:
        # The reason of a complete trial tells why its model could not be saved.
        return KeptModel(trial.reason or ("not kept: " + _OFF_THE_FRONT if results.limit_changes else "not kept"))
    path = Path(trial.model_path)
    if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
        relative = path.resolve().relative_to(folder.resolve()).as_posix()
        return KeptModel(path.name, relative, quote(relative))
    host = next((w.machine.get("host_name") for w in results.workers if w.worker_id == trial.worker_id), None)
    return KeptModel(f"{path} on {host}" if host else str(path), str(path))


def describe_without_model(results: StudyResults) -> str:
    """Which models are not to be had since other limits brought them on the front, in a sentence; empty if none."""
    # What is on the front and has a reason has that of its model, which could not be saved.
    numbers = [str(trial.number) for trial in results.front if not trial.model_path and not trial.reason]
    if not numbers or not results.limit_changes:
        return ""
    return f"On the front, but their models were not kept, {_OFF_THE_FRONT}: trial {', '.join(numbers)}."
